// Puts what standing.js says of the solvers shown into the answer and the table of wins; the page's own words come back
// when no solver is hidden.

const originals = new Map();
/** Verdicts of wins.py after which nobody is known to be the fastest among several. */
const UNDECIDED = new Set(["not comparable", "other limits", "walkover"]);

/** Replace the content and the shade of an element ("best", "muted" or ""), and remember what it was. */
function rewrite(element, content, shade) {
  if (!originals.has(element)) originals.set(element, [[...element.childNodes], element.className]);
  if (content) element.replaceChildren(...content);
  if (shade === undefined) return;
  for (const name of ["best", "muted"]) element.classList.toggle(name, shade === name);
}

function restore() {
  for (const [element, [nodes, className]] of originals) {
    element.replaceChildren(...nodes);
    element.className = className;
    element.hidden = false;
  }
  originals.clear();
}

function withNote(text, note) {
  return note ? [text, make("small", { textContent: note })] : [text];
}

function restand() {
  restore();
  if (!hiddenSolvers.size && !words.length) return;
  for (const standing of data.standings) {
    const figure = figures.find((one) => one.dataset.table === standing.table);
    const rows = shownPlaces(standing);
    const byInstance = groupBy(rows, "instance");
    const places = new Map([...byInstance].map(([name, own]) => [name, placeOf(own)]));
    restandBrief(figure, standing, byInstance, places);
    if (!hiddenSolvers.size) continue;
    restandLead(figure, standing, places, rows);
    restandMeans(figure, rows.filter((row) => row.asked));
    restandShades(figure, places);
    restandWins(standing, places);
  }
}

/** As reports/brief.py: of the instances that the words name the first BRIEF, each with who is fastest and the others. */
function restandBrief(figure, standing, byInstance, places) {
  const list = figure.querySelector(".brief");
  const meant = [...places].filter(([name, place]) => place.verdict !== "not asked" && isMeant(name)).slice(0, BRIEF);
  const items = meant.map(([name, place]) => {
    const item = make("li");
    const others = standing.plain(inOrder(byInstance.get(name), place));
    item.append(make("span", { className: "of", textContent: name }), " ", ...winCell(place, standing.plain));
    if (others) item.append(make("small", { textContent: others }));
    return item;
  });
  if (list) rewrite(list, items);
}

function inOrder(own, place) {
  const others = own.filter((row) => row.asked && row !== place.winner);
  const reached = others.filter((row) => row.seconds !== null).sort(bySeconds);
  const missed = others.filter((row) => row.seconds === null).map((row) => row.solver).sort();
  const times = reached.map((row) => `${row.solver} ${secondsOf(row)}`).join(", ");
  return [times && `then ${times}`, missed.length && `missed by ${listed(missed)}`].filter(Boolean).join("; ");
}

function placeOf(own) {
  const asked = own.filter((row) => row.asked);
  return asked.length ? judged(asked) : { verdict: "not asked", level: [], bounded: [], less: [] };
}

/** "To 1e-4: ... ." with the options that were given behind it. */
function restandLead(figure, standing, places, rows) {
  const lead = figure.querySelector(".lead");
  const [, opening, options] = /^(.*?:) .*?( Options: .*)?$/s.exec(lead.textContent);
  const asked = [...new Set(rows.filter((row) => row.asked).map((row) => row.solver))].sort();
  const told = standing.plain(winsInWords(places, places.size, asked));
  rewrite(lead, [`${opening} ${told}.${options ?? ""} (Of the solvers shown.)`]);
}

function solverOf(head) {
  const number = /\bs(\d+)\b/.exec(head.className)?.[1];
  return data.solvers.find((solver) => `${solver.number}` === number)?.name;
}

function restandMeans(figure, rows) {
  const pinned = [...figure.querySelectorAll(".pinned tr")];
  if (!pinned.length) return;
  const { rates, common } = rated(rows);
  const heads = [...figure.querySelectorAll("thead tr:last-child > *")];
  const isMean = (row) => row.cells[0].textContent.includes("scaled mean");
  for (const row of pinned) {
    rewrite(row);
    row.hidden = rates.size < 2 || (isMean(row) && !common);
    if (isMean(row)) rewrite(row.cells[0], withNote("scaled mean", `of ${common} in common`));
    heads.forEach((head, column) => {
      const rate = rates.get(solverOf(head));
      if (rate) rewrite(row.cells[column], isMean(row) ? withNote(...meanTexts(rate)) : [`${rate.reached} of ${rate.asked}`]);
    });
  }
}

function restandShades(figure, places) {
  const solvers = [...figure.querySelectorAll("thead tr:last-child > *")].map(solverOf);
  for (const row of figure.querySelectorAll("tbody:not(.pinned) tr")) {
    const place = places.get(mainText(row.cells[0]));
    const best = new Set(UNDECIDED.has(place?.verdict) ? [] : place?.level.map((own) => own.solver));
    solvers.forEach((solver, column) => {
      const cell = row.cells[column];
      const isBest = best.has(solver);
      if (solver && isBest !== cell.classList.contains("best")) rewrite(cell, null, isBest ? "best" : "");
    });
  }
}

function restandWins(standing, places) {
  const table = tables.find((one) => one.name === standing.wins);
  const column = table ? table.titles.indexOf(`to gap ${standing.gap}`) : -1;
  if (column < 0) return;
  for (const row of table.body.rows) {
    const place = places.get(mainText(row.cells[0]));
    rewrite(row.cells[column], place ? winCell(place) : ["–"], place?.verdict === "win" ? "best" : place?.winner ? "" : "muted");
  }
}

/** As reports/time_tables.winner_cell; `plain` shortens the names. */
function winCell(place, plain = (text) => text) {
  if (!place.winner) return [place.verdict === "none" ? "none of those asked" : "not asked"];
  const { winner, next } = place;
  const lead = next && place.factor ? `${winner.atMost ? "≥\u202f" : ""}${digits(place.factor)}× faster than ${next.solver}` : `no other of ${place.asked} reached it`;
  const others = place.level.filter((row) => row !== winner).map((row) => row.solver);
  const bounds = place.bounded.map((row) => `${row.solver} ${secondsOf({ ...row, mark: "" })}`);
  const notes = {
    win: lead,
    level: `level with ${listed(others)}`,
    walkover: "no other was asked",
    "run alone": `${lead}; with prepare ${place.inTotal?.solver} is faster`,
    "not comparable": `${listed(bounds)}: not comparable`,
    "other limits": `${listed(place.less.map((row) => row.solver))} had less time: not comparable`,
  };
  const told = withNote(plain(`${winner.solver} ${secondsOf(winner)}`), plain(notes[place.verdict]));
  return [dot(data.solvers.find((solver) => solver.name === winner.solver)), ...told];
}
