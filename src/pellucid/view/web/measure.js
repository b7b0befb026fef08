// How far apart rows are by their cells: numbers in spreads of their column, 1 for another category.
//
// The units of `pellucid.explain.moves`: the median absolute deviation, where that is zero the
// standard deviation, or one (Wachter, Mittelstadt and Russell 2018, section 3).

import { once } from "./decode.js";

/** @param {import("./decode.js").Level} level of raw features */
export function measureOf(level) {
  return once((feature) => {
    const column = level.column(feature);
    const spread = column.kind === "category" ? 1 : spreadOf(column.values);
    return (a, b) => {
      if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
      const far = column.kind === "category" ? 1 : Math.abs(a - b) / spread;
      return Number.isFinite(far) ? far : 1; // one of them is missing
    };
  });
}

function spreadOf(values) {
  const known = Array.from(values).filter(Number.isFinite);
  if (!known.length) return 1;
  const centre = median(known);
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / known.length);
  return median(known.map((x) => Math.abs(x - centre))) || deviation || 1;
}

/** The mean of the two middle values where they are even in number. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}
