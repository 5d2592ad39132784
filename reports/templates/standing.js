// Who is fastest, and scaled means, among the solvers that are shown: the rules of reports/wins.py and reports/means.py.
// Without this script, and while no solver is hidden, the page says the same of all solvers.

const LEVEL = 1.1;
const LARGEST_SHIFT = 10;
const BRIEF = 12; // as reports/brief.py

/** As reports/shown.py: three significant digits. */
function digits(value) {
  if (value === null || !isFinite(value)) return "–";
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e6) return rounded.toExponential(2).replace(".00e", "e").replace("+", "");
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return rounded.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function groupBy(rows, key) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row[key])) groups.set(row[key], []);
    groups.get(row[key]).push(row);
  }
  return groups;
}

/** The rows of one table of the answer whose solver is shown, as objects. */
function shownPlaces(standing) {
  standing.plain ??= (text) => (standing.machine ? text.replaceAll(standing.machine, "") : text);
  standing.places ??= standing.rows.map((row) => Object.fromEntries(standing.columns.map((name, k) => [name, row[k]])));
  return standing.places.filter((row) => !hiddenSolvers.has(row.solver));
}

/** The order of outcomes: the least time first, of equal ones the known one, then by name. */
function bySeconds(a, b) {
  return a.seconds - b.seconds || a.atMost - b.atMost || (a.solver < b.solver ? -1 : 1);
}

/** As reports/time_texts.seconds_of, with the unit. */
function secondsOf(row) {
  return `${row.atMost ? "≤\u202f" : ""}${digits(row.seconds)}${row.mark}\u202fs`;
}

/** What the solvers asked on one instance make of it: {verdict, winner, next, factor, level, bounded, less, inTotal, asked}. */
function judged(rows) {
  const reached = rows.filter((row) => row.seconds !== null);
  reached.sort(bySeconds);
  if (!reached.length) return { verdict: "none", level: [], bounded: [], less: [] };
  const [winner, ...others] = reached;
  const isNear = (row) => Math.min(row.seconds, row.alone) <= LEVEL * winner.seconds || row.least <= winner.most;
  const level = reached.filter((row) => isNear(row) && (!row.atMost || row === winner));
  const bounded = others.filter((row) => row.atMost);
  const next = others.find((row) => !row.atMost);
  const inTotal = reached.reduce((best, row) => (row.total < best.total ? row : best));
  const factor = next && winner.seconds ? next.seconds / winner.seconds : null;
  const given = (row) => row.given ?? Infinity;
  const less = rows.filter((row) => row.timedOut && given(row) < given(winner) && given(row) < winner.seconds);
  let verdict = inTotal === winner ? "win" : "run alone";
  if (level.length > 1) verdict = "level";
  if (less.length) verdict = "other limits";
  if (bounded.length) verdict = "not comparable";
  if (rows.length === 1) verdict = "walkover";
  return { verdict, winner, next, factor, level, bounded, less, inTotal, asked: rows.length };
}

/** As reports/means.py: whether a failure would count for less than a success that was given more time. */
function unlikeLimits(rows) {
  const least = Math.min(...rows.filter((row) => row.seconds === null).map((row) => row.limit));
  return rows.some((row) => row.seconds !== null && row.seconds > least && (row.given ?? Infinity) > least);
}

/** {solver: {asked, reached, mean, scaled, atMost, scaleAtMost}}, and over how many common instances. */
function rated(rows) {
  const bySolver = groupBy(rows, "solver");
  const byInstance = groupBy(rows, "instance");
  const common = [...bySolver.keys()].filter((solver) => bySolver.get(solver).length >= byInstance.size / 2);
  const isShared = (own) => common.every((solver) => own.some((row) => row.solver === solver));
  const isFair = (own) => !unlikeLimits(own.filter((row) => common.includes(row.solver)));
  const isCommon = (own) => common.length && isShared(own) && isFair(own);
  const instances = new Set([...byInstance.keys()].filter((name) => isCommon(byInstance.get(name))));
  const shared = rows.filter((row) => instances.has(row.instance) && common.includes(row.solver));
  const counted = (row) => row.seconds ?? row.limit;
  const fastest = [...groupBy(shared.length ? shared : rows, "instance").values()].map((own) => Math.min(...own.map(counted)));
  const shift = shiftOf(fastest);
  const rates = new Map();
  for (const [solver, own] of bySolver) {
    const of = shared.filter((row) => row.solver === solver);
    const logs = of.map((row) => Math.log(counted(row) + shift));
    const mean = of.length ? Math.exp(logs.reduce((sum, one) => sum + one, 0) / of.length) - shift : null;
    const reached = own.filter((row) => row.seconds !== null).length;
    rates.set(solver, { asked: own.length, reached, mean, atMost: of.some((row) => row.atMost) });
  }
  const least = [...rates.values()].filter((rate) => rate.mean > 0).sort((one, two) => one.mean - two.mean)[0];
  for (const rate of rates.values()) Object.assign(rate, { scaled: least && rate.mean / least.mean, scaleAtMost: least?.atMost });
  return { rates, common: instances.size };
}

function shiftOf(fastest) {
  const sorted = [...fastest].sort((one, two) => one - two);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return median > 0 ? Math.min(LARGEST_SHIFT, 10 ** Math.floor(Math.log10(median))) : LARGEST_SHIFT;
}

/** As reports/time_texts.scaled_mean_cell: [text, note]. */
function meanTexts(rate) {
  if (rate.mean === null) return ["–", ""];
  const note = `${rate.atMost ? "≤\u202f" : ""}${digits(rate.mean)} s`;
  if (rate.scaled === 1 || !(rate.atMost || rate.scaleAtMost)) return [digits(rate.scaled), note];
  if (rate.atMost && rate.scaleAtMost) return ["not comparable", note];
  return [`${rate.atMost ? "≤" : "≥"}\u202f${digits(rate.scaled)}`, note];
}

/** As reports/headline.py. */
function winsInWords(places, total, asked) {
  if (asked.length === 0) return "nobody was asked";
  const all = [...places.values()];
  if (asked.length === 1) return `${asked[0]}, the only solver asked, on ${all.filter((place) => place.winner).length} of ${plural(total)}`;
  const won = groupBy(all.filter((place) => place.verdict === "win").map((place) => ({ ...place, name: place.winner.solver })), "name");
  const ranked = [...won].sort((one, two) => two[1].length - one[1].length || (one[0] < two[0] ? -1 : 1));
  const sentences = ranked.map(([name, of]) => `${name} is fastest on ${of.length} of ${plural(total)}${leadOf(of)}`);
  for (const [verdict, words] of Object.entries(data.words)) {
    const number = all.filter((place) => place.verdict === verdict).length;
    if (number) sentences.push(words.replace("{}", number));
  }
  return `${sentences.join("; ")}; ${asked.length} solvers were asked`;
}

function plural(number) {
  return `${number.toLocaleString("en")} ${number === 1 ? "instance" : "instances"}`;
}

function leadOf(won) {
  const known = won.filter((place) => place.factor !== null).sort((one, two) => one.factor - two.factor);
  if (!known.length) return ", where no other reaches it";
  const [least, most] = [known[0], known.at(-1)].map((place) => `${place.winner.atMost ? "≥\u202f" : ""}${digits(place.factor)}×`);
  const counts = [...groupBy(known.map((place) => ({ name: place.next.solver })), "name")].sort((one, two) => two[1].length - one[1].length);
  const names = counts.map(([name]) => name);
  const shown = names.length > 4 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  const lead = `, ${least === most ? least : `${least} to ${most}`} faster than ${listed(shown)}`;
  const alone = won.length - known.length;
  return alone ? `${lead} (on ${alone} of them no other reaches it)` : lead;
}

function listed(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join("");
}
