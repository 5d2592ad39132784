// A figure whose axes the reader chooses: one point a row of the table "runs". The table says the same in words.

const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 720, height: 400, left: 64, right: 16, top: 14, bottom: 44 };

/** The points of a choice: per instance and solver the fastest run that reaches `gap`; every run where it is "all". */
function chosenPoints(runs, choice, gap) {
  const at = Object.fromEntries(runs.titles.map((title, column) => [title, column]));
  const best = new Map();
  for (const row of runs.all) {
    const [x, y, seconds] = [choice.x, choice.y, "run"].map((title) => number(row.texts[at[title]]));
    const reached = number(row.texts[at["certified gap"]]) <= parseFloat(gap);
    if (!runs.matches(row) || !isFinite(x) || !isFinite(y) || (gap !== "all" && !reached)) continue;
    if (choice.log && (x <= 0 || y <= 0)) continue;
    const key = gap === "all" ? best.size : `${row.texts[0]}\n${row.solver}`;
    if (!(best.get(key)?.seconds <= seconds)) best.set(key, { x, y, seconds, row });
  }
  return [...best.values()];
}

class Scale {
  constructor(values, log, from, to) {
    Object.assign(this, { log, from, to });
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (log) [this.low, this.high] = [Math.log10(low) - 0.15, Math.log10(high) + 0.15];
    else [this.low, this.high] = [Math.min(0, low), high * 1.05 || 1];
  }

  at(value) {
    const share = ((this.log ? Math.log10(value) : value) - this.low) / (this.high - this.low);
    return this.from + share * (this.to - this.from);
  }

  ticks() {
    if (!this.log) return steps(this.low, this.high, roundStep((this.high - this.low) / 5));
    const step = Math.max(1, Math.ceil((this.high - this.low) / (BOX.width < 500 ? 4 : 7)));
    const powers = steps(this.low, this.high, step).map((power) => 10 ** power);
    if (powers.length > 2) return powers;
    const fine = steps(Math.floor(this.low), this.high, 1).flatMap((power) => [1, 2, 5].map((m) => m * 10 ** power));
    return fine.filter((tick) => Math.log10(tick) >= this.low && Math.log10(tick) <= this.high);
  }
}

function steps(low, high, step) {
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => (first + k) * step);
}

function roundStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  return [1, 2, 5, 10].find((m) => m * power >= about) * power;
}

function shortNumber(value) {
  if (value === 0) return "0";
  if (value >= 1e5 || value < 1e-3) return value.toExponential().replace(/(\.\d\d)\d+/, "$1").replace("+", "");
  return `${+value.toPrecision(3)}`;
}

function draw(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function drawAxes(x, y, choice) {
  const { width, height, left, right, top, bottom } = BOX;
  const grid = { stroke: "var(--grid)", "stroke-width": 1 };
  const parts = [];
  for (const tick of x.ticks()) {
    parts.push(draw("path", { d: `M${x.at(tick)} ${top}V${height - bottom}`, ...grid }));
    parts.push(draw("text", { x: x.at(tick), y: height - bottom + 16, "text-anchor": "middle" }, shortNumber(tick)));
  }
  for (const tick of y.ticks()) {
    parts.push(draw("path", { d: `M${left} ${y.at(tick)}H${width - right}`, ...grid }));
    parts.push(draw("text", { x: left - 6, y: y.at(tick) + 4, "text-anchor": "end" }, shortNumber(tick)));
  }
  parts.push(draw("text", { x: (left + width) / 2, y: height - 8, "text-anchor": "middle" }, choice.x));
  parts.push(draw("text", { x: 4, y: 10 }, choice.y));
  return parts;
}

function drawPoint(point, x, y) {
  const solver = data.solvers.find((known) => known.name === point.row.solver);
  const place = `translate(${x.at(point.x).toFixed(1)} ${y.at(point.y).toFixed(1)})`;
  const colour = `var(--c${solver.slot})`;
  const isSolved = point.row.texts.includes("solved");
  const look = { fill: isSolved ? colour : "none", stroke: colour, class: "mark" }; // hollow: a limit ended it, or worse
  const mark = draw("path", { d: solver.path, transform: place, ...look });
  mark.append(draw("title", {}, `${point.row.texts[0]}, ${solver.name}: ${shortNumber(point.x)}, ${shortNumber(point.y)}`));
  return mark;
}

/** Draw `choice` = {x, y, log} into `svg`. */
function explore(svg, runs, choice, gap) {
  const points = chosenPoints(runs, choice, gap);
  svg.setAttribute("aria-label", `${choice.y} against ${choice.x}, ${points.length} runs; the table of runs has the numbers`);
  if (!points.length) return svg.replaceChildren(draw("text", { x: 16, y: 30 }, "No run has both of these."));
  const { width, height, left, right, top, bottom } = BOX;
  const x = new Scale(points.map((point) => point.x), choice.log, left + 8, width - right);
  const y = new Scale(points.map((point) => point.y), choice.log, height - bottom - 8, top + 6);
  return svg.replaceChildren(...drawAxes(x, y, choice), ...points.map((point) => drawPoint(point, x, y)));
}
