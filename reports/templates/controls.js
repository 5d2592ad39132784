// What the reader chooses, for the whole page: solvers, gap, instances, and the axes of the figure. Without this script
// everything is shown, except that figure.

const figures = Array.from(document.querySelectorAll("figure.table"));
const tables = figures.filter((figure) => figure.querySelector("tbody:not(.pinned) tr")).map((figure) => new Rows(figure));
const runs = tables.find((table) => table.name === "runs");
const rules = document.head.appendChild(make("style"));
const choice = { gap: data.gaps[0] ?? "all", x: "edges", y: "run", log: true };

function apply() {
  const hidden = data.solvers.filter((solver) => hiddenSolvers.has(solver.name)).map((solver) => `.s${solver.number}`);
  const otherGaps = choice.gap === "all" ? [] : [`[data-gap]:not([data-gap="${choice.gap}"])`];
  const selectors = [...hidden, ...otherGaps];
  rules.textContent = selectors.length ? `${selectors.join()}{display:none}` : "";
  showPanels();
  redraw();
}

/** Figures of one instance follow the filter, unless its words are about something else. */
function showPanels() {
  const panels = Array.from(document.querySelectorAll("[data-instance]"));
  const isShown = (panel) => isMeant(panel.dataset.instance);
  const about = panels.some(isShown);
  for (const panel of panels) panel.hidden = about && !isShown(panel);
}

function showRows() {
  for (const table of tables) table.show();
  restand();
}

function redraw() {
  if (plot) explore(plot, runs, choice, choice.gap);
}

function labelled(text, control) {
  const label = make("label", { textContent: `${text} ` });
  label.append(control);
  return label;
}

function select(options, value, changed) {
  const element = make("select");
  element.append(...options.map(([key, text]) => make("option", { value: key, textContent: text, selected: key === value })));
  element.addEventListener("change", () => changed(element.value));
  return element;
}

function checkbox(checked, changed) {
  const element = make("input", { type: "checkbox", checked });
  element.addEventListener("change", () => changed(element.checked));
  return element;
}

function solverBox(solver) {
  const box = checkbox(true, (shown) => {
    if (shown) hiddenSolvers.delete(solver.name);
    else hiddenSolvers.add(solver.name);
    apply();
    showRows();
  });
  const label = make("label");
  label.append(box, " ", dot(solver), solver.name);
  return label;
}

function filterBox() {
  const input = make("input", { type: "search", placeholder: "words, such as 100k", size: 16 });
  input.addEventListener("input", () => {
    words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    showPanels();
    showRows();
    redraw();
  });
  return input;
}

function addControls() {
  const box = make("details", { id: "controls", open: matchMedia("(min-width: 40rem)").matches });
  const solvers = make("fieldset");
  solvers.append(make("legend", { textContent: "Solvers" }), ...data.solvers.map(solverBox));
  const gaps = [...data.gaps.map((gap) => [gap, gap]), ["all", "all"]];
  const setGap = (gap) => Object.assign(choice, { gap }) && apply();
  const line = make("p");
  const told = "Heads of tables sort.";
  const all = "The answer and the wins are of the solvers shown, all else of all.";
  if (data.gaps.length) line.append(labelled("Certified gap", select(gaps, choice.gap, setGap)));
  line.append(labelled(data.solvers.length ? "Instances" : "Rows with", filterBox()));
  line.append(make("span", { className: "aside", textContent: data.solvers.length ? `${told} ${all}` : told }));
  box.append(make("summary", { textContent: "Choose what is shown" }), line);
  if (data.solvers.length) box.append(solvers);
  document.querySelector("header").append(box);
}

/** Marker and name of every solver, hidden with it. */
function legend() {
  const list = make("ul", { className: "key", ariaLabel: "legend" });
  for (const solver of data.solvers) {
    const mark = draw("svg", { viewBox: "-6 -6 12 12", class: "marker", "aria-hidden": "true" });
    mark.append(draw("path", { d: solver.path, fill: `var(--c${solver.slot})` }));
    const item = make("li", { className: `s${solver.number}` });
    item.append(mark, solver.name);
    list.append(item);
  }
  return list;
}

/** The section whose figure has axes to choose: before the table that it draws. */
function addPlot() {
  const numeric = runs.titles.filter((_, column) => runs.heads[column].classList.contains("number"));
  const axes = numeric.map((title) => [title, title]);
  const setAxis = (axis) => (title) => Object.assign(choice, { [axis]: title }) && redraw();
  const setLog = (log) => Object.assign(choice, { log }) && redraw();
  const line = make("p", { className: "axes" });
  line.append(
    labelled("Across", select(axes, choice.x, setAxis("x"))),
    labelled("Up", select(axes, choice.y, setAxis("y"))),
    labelled("Logarithmic", checkbox(choice.log, setLog)),
  );
  BOX.width = Math.max(340, Math.min(BOX.width, document.querySelector("main").clientWidth));
  const svg = draw("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", class: "plot" });
  runs.body.closest("figure").before(line, legend(), svg);
  return svg;
}

addControls();
const plot = runs && data.solvers.length ? addPlot() : null;
apply();
document.documentElement.dataset.ready = performance.now().toFixed(0);
