// Curves over a feature by the model in the page; `pellucid.view.responding` says the same in Python.

import { breath } from "./breath.js";
import { cellsOf } from "./rows.js";

/**
 * @param {import("./model.js").CarriedModel} model
 * @param {Object} explained
 * @param {{level: string, feature: number, output: number, row: number, at: number[]}} asked
 * @param {AbortSignal} [signal]
 * @returns {Promise<{mean: number[], row: number[], n: number, background: boolean}>}
 */
export async function curvesOf(model, explained, { level, feature, output, row, at }, signal) {
  const { background, base, encode, facts, margins } = model;
  const engineered = (i) => encode(cellsOf(model, explained, i));
  const own = Array.from(facts.raw_of.keys()).filter((j) => (level === "raw" ? facts.raw_of[j] : j) === feature);
  const rest = breath(signal);
  const mine = engineered(row);
  const found = { mean: [], row: [], n: background.length, background: true };
  for (const i of at) {
    const values = engineered(i);
    const answer = (before) => {
      const now = Float32Array.from(before);
      for (const j of own) now[j] = values[j];
      return margins(now)[output];
    };
    let sum = 0;
    for (const before of background) {
      sum += answer(before);
      await rest();
    }
    found.mean.push(sum / background.length - base[output]);
    found.row.push(answer(mine));
  }
  return found;
}
