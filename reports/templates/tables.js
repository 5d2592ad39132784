// Rows of tables: a button in every head sorts, words filter. A table whose page holds its first rows alone has the
// texts of the others in the page's data; their elements are made when they are to be shown.

const SHOWN = 200;
const SIZES = { k: 1e3, M: 1e6, G: 1e9 };
const hiddenSolvers = new Set();
let words = [];

/** The number that a text begins with, such as 12,300 or 49.6k or 3.42e-5; NaN where there is none. */
function number(text) {
  const plain = text.replace(/[,\s≤≥>]/g, "").replace("−", "-");
  const found = /^-?\d[\d.]*(e[-+]?\d+)?/.exec(plain);
  return found ? parseFloat(found[0]) * (SIZES[plain[found[0].length]] ?? 1) : NaN;
}

/** The text of a cell without the smaller lines below it. */
function mainText(cell) {
  return Array.from(cell.childNodes, (node) => (node.nodeName === "SMALL" ? "" : node.textContent)).join("").trim();
}

class Rows {
  constructor(figure) {
    this.name = figure.dataset.table;
    this.body = figure.querySelector("tbody:not(.pinned)");
    this.note = figure.querySelector(".more");
    this.heads = Array.from(figure.querySelectorAll("thead tr:last-child > *"));
    this.titles = this.heads.map((head) => head.textContent.trim());
    this.solverColumn = this.titles.indexOf("solver");
    this.filtered = this.titles[0] === "instance" || !data.solvers.length;
    this.model = this.body.rows[0];
    this.order = null;
    this.heads.forEach((head, column) => this.addButton(head, column));
  }

  /** Every row: {texts, words, solver, element}. */
  get all() {
    return (this.known ??= [...Array.from(this.body.rows, (row) => this.ofElement(row)), ...this.ofData()]);
  }

  ofElement(row) {
    const texts = Array.from(row.cells, mainText);
    return { texts, words: this.wordsOf(texts, row.cells[0].textContent), solver: texts[this.solverColumn], element: row };
  }

  ofData() {
    return (data.rest[this.name] ?? []).map((cells) => {
      const texts = cells.map((cell) => (Array.isArray(cell) ? cell[0] : cell));
      const first = Array.isArray(cells[0]) ? cells[0].slice(0, 2).join(" ") : "";
      return { texts, cells, words: this.wordsOf(texts, first), solver: texts[this.solverColumn] };
    });
  }

  /** What the filter looks at: the instance, and of a single run everything. */
  wordsOf(texts, first) {
    return (this.solverColumn < 0 ? first || texts[0] : `${first} ${texts.join(" ")}`).toLowerCase();
  }

  matches(row) {
    if (hiddenSolvers.has(row.solver)) return false;
    return !this.filtered || words.every((word) => row.words.includes(word));
  }

  show() {
    const rows = this.all.filter((row) => this.matches(row));
    if (this.order) rows.sort((one, two) => this.compare(one, two));
    this.body.replaceChildren(...rows.slice(0, SHOWN).map((row) => (row.element ??= this.make(row))));
    this.tell(rows.length);
  }

  compare(one, two) {
    const { column, sign } = this.order;
    const [first, second] = [one.texts[column], two.texts[column]];
    if (!this.heads[column].classList.contains("number")) {
      return sign * first.localeCompare(second, "en", { numeric: true });
    }
    const [low, high] = [number(first), number(second)];
    if (isNaN(low) || isNaN(high)) return isNaN(low) - isNaN(high);
    return sign * (low - high);
  }

  make(row) {
    const element = this.model.cloneNode(true);
    row.cells.forEach((cell, column) => this.fill(element.cells[column], ...(Array.isArray(cell) ? cell : [cell])));
    const known = data.solvers.find((solver) => solver.name === row.solver);
    if (known) {
      element.className = `s${known.number}`;
      element.cells[this.solverColumn].prepend(dot(known));
    }
    return element;
  }

  /** A cell of Table.rest: its text, the smaller lines below, whether it is set off or grey, and where it leads. */
  fill(cell, text, note = "", shade = "", link = "") {
    cell.classList.remove("best", "muted");
    if (shade) cell.classList.add(shade);
    cell.replaceChildren(link ? make("a", { href: link, textContent: text }) : text);
    if (note) cell.append(make("small", { textContent: note }));
  }

  tell(matching) {
    this.note ??= this.body.closest("figure").appendChild(make("p", { className: "aside more" }));
    const file = make("a", { href: `tables/${this.name}.csv`, textContent: `tables/${this.name}.csv` });
    const left = matching - Math.min(matching, SHOWN);
    const text = matching ? (left ? `${left.toLocaleString("en")} more match; all are in ` : "") : "No row matches; all are in ";
    this.note.replaceChildren(...(text ? [text, file, "."] : []));
  }

  addButton(head, column) {
    const button = make("button", { type: "button", className: "sort" });
    button.append(...head.childNodes);
    button.addEventListener("click", () => this.sortBy(column));
    head.append(button);
  }

  /** Upwards, downwards, and as it was. */
  sortBy(column) {
    const sign = this.order?.column !== column ? 1 : this.order.sign === 1 ? -1 : 0;
    this.order = sign ? { column, sign } : null;
    this.heads.forEach((head, k) => {
      if (sign && k === column) head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    this.show();
    restand();
  }
}

/** Whether the words of the filter name an instance. */
function isMeant(instance) {
  return words.every((word) => instance.toLowerCase().includes(word));
}

function make(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

function dot(solver) {
  const element = make("i", { className: "dot" });
  element.style.background = `var(--c${solver.slot})`;
  return element;
}
