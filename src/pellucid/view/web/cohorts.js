// Named parts of the rows: by date, truth, prediction, score and error.

import { short } from "./axes.js";
import { date } from "./format.js";

const MOST_CLASSES = 20;
const MOST_DATES = 2; // columns

/**
 * @typedef {Object} Cohort
 * @property {string} id
 * @property {string} label
 * @property {number[]} rows that the page holds
 * @property {import("./cohort/own.js").Own} [own] the reader's
 */

/**
 * Every cohort that has rows, not all of them; the score is that of an output. Of a sample, they are
 * cut where all rows are; `pellucid.view.presets` says which of all rows are in them.
 */
export function cohorts({ explained, task }, output) {
  const { rows, n } = explained;
  const cuts = explained.whole?.cuts;
  const out = [];
  const add = (id, label, fits) => {
    const members = Array.from({ length: n }, (_, i) => i).filter(fits);
    if (members.length && members.length < n) out.push({ id, label, rows: members });
  };
  halves(explained, add);
  if (task === "regression") {
    thirds(rows.margins.map((m) => m[0]), cuts?.score[0]).forEach(([part, of]) => add(`score:${part}`, `${part} third of predictions`, (i) => of(i)));
    if (rows.true && rows.predicted) {
      const off = rows.true.map((t, i) => (t === null ? NaN : rows.predicted[i] - t));
      const large = cuts?.error ?? quantile(off.map(Math.abs), 0.75);
      add("error:large", "largest quarter of errors", (i) => Math.abs(off[i]) > large);
      add("error:over", "predicted too high", (i) => off[i] > 0);
      add("error:under", "predicted too low", (i) => off[i] < 0);
    }
    return out;
  }
  if (rows.true && rows.predicted) {
    const known = (i) => rows.true[i] !== null && rows.true[i] >= 0;
    add("error:wrong", "predicted wrongly", (i) => known(i) && rows.true[i] !== rows.predicted[i]);
    add("error:right", "predicted rightly", (i) => known(i) && rows.true[i] === rows.predicted[i]);
  }
  for (const [key, word] of [["true", "truly"], ["predicted", "predicted"]]) {
    if (!rows[key]) continue;
    for (const k of commonest(rows[key])) add(`${key}:${k}`, `${word} ${explained.classes?.[k]}`, (i) => rows[key][i] === k);
  }
  thirds(rows.margins.map((m) => m[output]), cuts?.score[output]).forEach(([part, of]) => add(`score:${part}`, `${part} third of scores`, (i) => of(i)));
  return out;
}

/** The earlier and the later half by each of the first date columns. */
function halves({ levels: { raw }, whole }, add) {
  const dates = raw.names.map((_, f) => f).filter((f) => raw.kinds[f] === "time").slice(0, MOST_DATES);
  for (const f of dates) {
    const { values } = raw.column(f);
    const middle = whole?.cuts.dates[f] ?? quantile(Array.from(values), 0.5);
    add(`early:${f}`, `${short(raw.names[f], 40)} before ${date(middle)}`, (i) => values[i] < middle);
    add(`late:${f}`, `${short(raw.names[f], 40)} from ${date(middle)}`, (i) => values[i] >= middle);
  }
}

function commonest(labels) {
  const counts = new Map();
  for (const k of labels) if (k !== null && k >= 0) counts.set(k, (counts.get(k) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_CLASSES).map(([k]) => k).sort((a, b) => a - b);
}

function thirds(values, cuts) {
  const [low, high] = cuts ?? [quantile(values, 1 / 3), quantile(values, 2 / 3)];
  return [["lowest", (i) => values[i] < low], ["middle", (i) => values[i] >= low && values[i] < high], ["highest", (i) => values[i] >= high]];
}

/** The value below which a share of the finite values lies. */
export function quantile(values, share) {
  const known = values.filter(Number.isFinite).sort((a, b) => a - b);
  return known.length ? known[Math.min(known.length - 1, Math.floor(share * known.length))] : NaN;
}
