// How good the model is on some rows, from what the page knows of each.

import { wilson } from "../stats.js";

const LEAST_CHANCE = 1e-15;

/**
 * @typedef {Object} Figure
 * @property {string} label
 * @property {number|null} value null where it cannot be had of these rows
 * @property {boolean} [share] shown as a percentage
 * @property {number[]} [interval] of 95 %
 * @property {-1|0|1} better which way is better, 0 for neither
 */

/** @returns {Figure[]} */
export function figuresOf({ explained, task, target }, rows, output) {
  return task === "regression" ? ofValues(explained.rows, rows, target) : ofClasses(explained, rows, output);
}

function ofClasses(explained, all, output) {
  const { rows } = explained;
  const place = explained.nOutputs === 1 ? 1 : output;
  const truths = all.filter((i) => (rows.true?.[i] ?? -1) >= 0);
  const right = truths.filter((i) => rows.predicted?.[i] === rows.true[i]).length;
  const chance = (i) => rows.probability?.[i]?.[place] ?? NaN;
  const known = rows.probability ? truths : [];
  return [
    { label: `Mean chance of ${explained.outcome(output)}`, value: mean(all.map(chance)), share: true, better: 0 },
    { label: `Truly ${explained.outcome(output)}`, value: mean(truths.map((i) => Number(rows.true[i] === place))), share: true, better: 0 },
    { label: "Accuracy", value: truths.length && rows.predicted ? right / truths.length : null, share: true, interval: truths.length ? wilson(right, truths.length) : null, better: 1 },
    { label: "AUC", value: auc(known.map(chance), known.map((i) => rows.true[i] === place)), better: 1 },
    { label: "Log loss", value: mean(known.map((i) => -Math.log(Math.max(LEAST_CHANCE, rows.probability[i][rows.true[i]] ?? 0)))), better: -1 },
  ];
}

function ofValues({ predicted, margins, true: truth }, all, target) {
  const said = (i) => predicted?.[i] ?? margins[i][0];
  const known = all.filter((i) => Number.isFinite(truth?.[i] ?? NaN));
  const off = known.map((i) => said(i) - truth[i]);
  const squares = mean(off.map((d) => d * d));
  const level = mean(known.map((i) => truth[i]));
  const spread = mean(known.map((i) => (truth[i] - level) ** 2));
  return [
    { label: `Mean predicted ${target}`, value: mean(all.map(said)), better: 0 },
    { label: `Mean true ${target}`, value: level, better: 0 },
    { label: "Mean error (predicted − true)", value: mean(off), better: 0 },
    { label: "Mean absolute error", value: mean(off.map(Math.abs)), better: -1 },
    { label: "Root mean squared error", value: squares === null ? null : Math.sqrt(squares), better: -1 },
    { label: "R²", value: spread > 0 ? 1 - squares / spread : null, better: 1 },
  ];
}

function mean(values) {
  const known = values.filter((v) => !Number.isNaN(v));
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

/** The chance that a row of the class gets a higher score than one of another, ties for half. */
export function auc(scores, inside) {
  const order = Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b]);
  let ranks = 0;
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j + 1 < order.length && scores[order[j + 1]] === scores[order[i]]) j += 1;
    for (let k = i; k <= j; k += 1) if (inside[order[k]]) ranks += (i + j) / 2 + 1;
    i = j + 1;
  }
  const n = inside.filter(Boolean).length;
  const others = inside.length - n;
  return n && others ? (ranks - (n * (n + 1)) / 2) / (n * others) : null;
}
