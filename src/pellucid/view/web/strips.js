// Where dots stand along the x axis: on a scale for numbers, in strips for categories.

import { short } from "./axes.js";
import { linear, padded } from "./scale.js";
import { extent, isSpread } from "./stats.js";

const MOST = 24; // strips that can be told apart

/** The same row is always thrown to the same side, so that nothing jumps when one looks again. */
function jitter(row) {
  return ((Math.imul(row + 1, 2654435761) >>> 0) / 4294967296) - 0.5;
}

/** Numbers on a linear scale; rows without one stand in a strip of their own at the right. */
export function byValue(column, plot) {
  const gone = column.values.some((v) => !Number.isFinite(v));
  const right = gone ? plot.right - 58 : plot.right;
  const x = linear(padded(extent(column.values), 0.02), [plot.left + 6, right]);
  const missingAt = gone ? plot.right - 22 : null;
  const distinct = new Set(column.values).size;
  const room = distinct <= 30 ? Math.min(26, ((right - plot.left) / distinct) * 0.5) : 0;
  const xs = Float32Array.from(column.values, (v, i) => (Number.isFinite(v)
    ? x(v) + jitter(i) * room : missingAt + jitter(i) * 30));
  return { x, xs, missingAt };
}

/** A strip per category, by mean importance; the rarest share the last when they are too many. */
export function byCategory(column, importances, plot) {
  const cells = new Map();
  const one = isSpread(column);
  const keyOf = (code) => (Number.isNaN(code) ? -1 : one ? -3 : code);
  column.values.forEach((code, i) => {
    const key = keyOf(code);
    const cell = cells.get(key) ?? { key, n: 0, sum: 0 };
    cell.n += 1;
    cell.sum += importances[i];
    cells.set(key, cell);
  });
  const most = Math.max(3, Math.min(MOST, Math.floor((plot.right - plot.left) / 34)));
  const common = [...cells.values()].sort((a, b) => b.n - a.n);
  const rest = common.splice(cells.size > most ? most - 1 : most);
  common.sort((a, b) => a.sum / a.n - b.sum / b.n);
  if (rest.length) {
    common.push({ key: -2, n: rest.reduce((t, c) => t + c.n, 0), sum: rest.reduce((t, c) => t + c.sum, 0) });
  }
  const place = new Map(common.map((cell, i) => [cell.key, i]));
  const last = common.length - 1;
  const x = linear([-0.5, common.length - 0.5], [plot.left, plot.right]);
  const wide = (plot.right - plot.left) / common.length;
  const at = (code) => place.get(keyOf(code)) ?? last;
  const xs = Float32Array.from(column.values, (code, i) => x(at(code)) + jitter(i) * (one ? wide * 0.8 : Math.min(wide * 0.7, 60)));
  const label = ({ key }) => (key === -2 ? `${rest.length} others` : key === -1 ? "missing" : key === -3 ? "all values" : column.levels[key]);
  const means = common.map((cell, i) => ({
    mean: cell.sum / cell.n, left: x(i) - Math.min(wide * 0.38, 34), right: x(i) + Math.min(wide * 0.38, 34),
  }));
  const fits = Math.max(3, Math.floor(wide / 6.6));
  return { x, xs, means, place: (code) => place.get(keyOf(code)), ticks: common.map((cell, i) => [i, short(label(cell), fits)]) };
}

/** Mean importance in bins of equal row counts along the values: [value, mean] pairs. */
export function trend(values, importances) {
  const known = Array.from(values.keys()).filter((i) => Number.isFinite(values[i]));
  known.sort((a, b) => values[a] - values[b]);
  const size = Math.max(8, Math.ceil(known.length / 28));
  const out = [];
  for (let start = 0; start < known.length;) {
    let end = Math.min(known.length, start + size);
    while (end < known.length && values[known[end]] === values[known[end - 1]]) end += 1;
    let x = 0;
    let y = 0;
    for (let k = start; k < end; k += 1) {
      x += values[known[k]];
      y += importances[known[k]];
    }
    out.push([x / (end - start), y / (end - start)]);
    start = end;
  }
  return out;
}
