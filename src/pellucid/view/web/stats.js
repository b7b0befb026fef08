// What the page computes of importances: ranks, groups, interactions.

import { once } from "./decode.js";

/** Mean absolute value, of some positions or of all. */
export function meanAbs(values, rows = null) {
  let total = 0;
  if (rows) for (const i of rows) total += Math.abs(values[i]);
  else for (let i = 0; i < values.length; i += 1) total += Math.abs(values[i]);
  const n = rows ? rows.length : values.length;
  return n ? total / n : 0;
}

/** 95% interval of a share, k of n (Wilson, Journal of the American Statistical Association 22, 1927). */
export function wilson(k, n, z = 1.959964) {
  if (!n) return [0, 1];
  const middle = k + (z * z) / 2;
  const half = z * Math.sqrt((k * (n - k)) / n + (z * z) / 4);
  return [Math.max(0, (middle - half) / (n + z * z)), Math.min(1, (middle + half) / (n + z * z))];
}

/** Least and greatest finite value, [0, 1] when there is none. */
export function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/**
 * Features by importance in some rows or in all, for one output or the mean over all (output -1).
 * @returns {{order: number[], size: Float64Array, total: number}}
 */
export function rank(level, output, nOutputs, rows = null) {
  const outputs = output >= 0 ? [output] : Array.from({ length: nOutputs }, (_, k) => k);
  const size = new Float64Array(level.n);
  for (const k of outputs) {
    const of = level.importances(k);
    for (let f = 0; f < level.n; f += 1) size[f] += meanAbs(of(f), rows) / outputs.length;
  }
  const order = Array.from(size.keys()).sort((a, b) => size[b] - size[a] || a - b);
  return { order, size, total: size.reduce((a, b) => a + b, 0) };
}

/** The same of sizes that are known already, one list an output. */
export function rankOf(sizes, output) {
  const chosen = output >= 0 ? [sizes[output]] : sizes;
  const size = Float64Array.from(sizes[0], (_, f) => chosen.reduce((sum, of) => sum + of[f], 0) / chosen.length);
  const order = Array.from(size.keys()).sort((a, b) => size[b] - size[a] || a - b);
  return { order, size, total: size.reduce((a, b) => a + b, 0) };
}

/** Position 0..1 of each value among the others, ties alike, NaN for missing. */
export function quantiles(values) {
  const known = Array.from(values.keys()).filter((i) => Number.isFinite(values[i]));
  known.sort((a, b) => values[a] - values[b]);
  const out = new Float32Array(values.length).fill(NaN);
  for (let i = 0; i < known.length;) {
    let j = i;
    while (j + 1 < known.length && values[known[j + 1]] === values[known[i]]) j += 1;
    const share = known.length > 1 ? (i + j) / 2 / (known.length - 1) : 0.5;
    for (; i <= j; i += 1) out[known[i]] = share;
  }
  return out;
}

/**
 * Groups of rows by a column: its categories, or up to `most` quantile bins; -1 is missing.
 * @returns {{of: Int16Array, n: number}}
 */
export function groups(column, most) {
  const { values } = column;
  if (isSpread(column)) return { of: new Int16Array(values.length), n: 1 };
  if (column.kind === "category") return { of: Int16Array.from(values, missing), n: column.levels.length };
  const distinct = new Set(values.filter((v) => Number.isFinite(v)));
  if (distinct.size <= most) {
    const place = new Map([...distinct].sort((a, b) => a - b).map((v, i) => [v, i]));
    return { of: Int16Array.from(values, (v) => place.get(v) ?? -1), n: distinct.size };
  }
  const of = Int16Array.from(quantiles(values),
    (q) => (Number.isNaN(q) ? -1 : Math.min(most - 1, Math.floor(q * most))));
  return { of, n: most };
}

/** Whether nearly every row has a category of its own, as in free text. */
export function isSpread(column) {
  return column.kind === "category" && column.levels.length > 12 && column.levels.length > column.values.length / 3;
}

function missing(code) {
  return Number.isNaN(code) ? -1 : code;
}

/**
 * How much more the importance of one feature varies when another is known too: the share of its
 * variance within bins of its own value that groups of the other explain, less what chance would.
 */
export function interaction(importances, own, other) {
  const cells = new Map();
  const bins = new Map();
  for (let i = 0; i < importances.length; i += 1) {
    add(bins, own.of[i], importances[i]);
    add(cells, own.of[i] * 4096 + other.of[i], importances[i]);
  }
  let within = 0;
  let inner = 0;
  let rows = 0;
  for (const bin of bins.values()) within += bin.ss;
  for (const cell of cells.values()) {
    inner += cell.ss;
    rows += cell.n;
  }
  if (!(within > 0)) return 0;
  const chance = (cells.size - bins.size) / Math.max(1, rows - bins.size);
  return (within - inner) / within - chance;
}

/** Welford's running mean and sum of squares. */
function add(map, key, value) {
  let cell = map.get(key);
  if (!cell) map.set(key, cell = { n: 0, mean: 0, ss: 0 });
  cell.n += 1;
  const step = value - cell.mean;
  cell.mean += step / cell.n;
  cell.ss += step * (value - cell.mean);
}

/** The features that a feature's importance depends on most, strongest first. */
export function interactions(level, output, feature) {
  const importances = level.importances(output)(feature);
  const own = groups(level.column(feature), 10);
  const fine = once((f) => groups(level.column(f), 4));
  const scores = [];
  for (let f = 0; f < level.n; f += 1) {
    if (f !== feature) scores.push({ feature: f, score: interaction(importances, own, fine(f)) });
  }
  return scores.sort((a, b) => b.score - a.score);
}
