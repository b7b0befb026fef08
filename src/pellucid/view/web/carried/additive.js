// Linear members and those with curves: each column adds what it gives beyond its mean over the
// background.

/** A member as functions of the row that it sees. */
export function additiveMember({ coef, intercept, fill, low, high, curves }, background) {
  const nOutputs = intercept.length;
  const nColumns = fill.length;
  const nCurves = curves ? curves.column.length : 0;

  /** What each column, then each curve, adds to each output. */
  function parts(row) {
    const out = new Float64Array((nColumns + nCurves) * nOutputs);
    for (let j = 0; j < nColumns; j += 1) {
      const x = Math.min(Math.max(Number.isNaN(row[j]) ? fill[j] : row[j], low[j]), high[j]);
      for (let k = 0; k < nOutputs; k += 1) out[j * nOutputs + k] = coef[k * nColumns + j] * x;
    }
    for (let c = 0; c < nCurves; c += 1) curve(c, row[curves.column[c]], out, (nColumns + c) * nOutputs);
    return out;
  }

  function curve(c, x, out, at) {
    if (Number.isNaN(x)) return;
    const { start, knot, height } = curves;
    const [first, last] = [start[c], start[c + 1] - 1];
    const inside = Math.min(Math.max(x, knot[first]), knot[last]);
    let i = first;
    while (i < last - 1 && knot[i + 1] <= inside) i += 1;
    const share = (inside - knot[i]) / (knot[i + 1] - knot[i]);
    for (let k = 0; k < nOutputs; k += 1) {
      out[at + k] = (1 - share) * height[i * nOutputs + k] + share * height[(i + 1) * nOutputs + k];
    }
  }

  const mean = new Float64Array((nColumns + nCurves) * nOutputs);
  for (const row of background) parts(row).forEach((x, i) => { mean[i] += x / background.length; });

  return {
    margins(row) {
      const out = Float64Array.from(intercept);
      parts(row).forEach((x, i) => { out[i % nOutputs] += x; });
      return out;
    },
    addValues(row, players, weight, sums) {
      parts(row).forEach((x, i) => {
        const part = Math.floor(i / nOutputs);
        const player = players[part < nColumns ? part : curves.column[part - nColumns]];
        sums[player * nOutputs + (i % nOutputs)] += weight * (x - mean[i]);
      });
    },
  };
}
