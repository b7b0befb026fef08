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

/**
 * What is counted of rows that the page holds; `pellucid.view.studio.measures` says it of all rows.
 * @returns {Object<string, number|null>}
 */
export function measuresOf({ explained, task }, rows, output) {
  return task === "regression" ? ofValues(explained.rows, rows) : ofClasses(explained, rows, output);
}

/** @returns {Figure[]} of what was counted */
export function figuresOf({ explained, task, target }, found, output) {
  if (task === "regression") {
    return [
      { label: `Mean predicted ${target}`, value: found.predicted, better: 0 },
      { label: `Mean true ${target}`, value: found.true, better: 0 },
      { label: "Mean error (predicted − true)", value: found.error, better: 0 },
      { label: "Mean absolute error", value: found.absolute, better: -1 },
      { label: "Root mean squared error", value: found.root, better: -1 },
      { label: "R²", value: found.r2, better: 1 },
    ];
  }
  const judged = found.known > 0 && found.right !== null;
  return [
    { label: `Mean chance of ${explained.outcome(output)}`, value: found.chance, share: true, better: 0 },
    { label: `Truly ${explained.outcome(output)}`, value: found.truly, share: true, better: 0 },
    { label: "Accuracy", value: judged ? found.right / found.known : null, share: true, interval: judged ? wilson(found.right, found.known) : null, better: 1 },
    { label: "AUC", value: found.auc, better: 1 },
    { label: "Log loss", value: found.loss, better: -1 },
  ];
}

function ofClasses(explained, all, output) {
  const { rows } = explained;
  const place = explained.nOutputs === 1 ? 1 : output;
  const truths = all.filter((i) => (rows.true?.[i] ?? -1) >= 0);
  const chance = (i) => rows.probability?.[i]?.[place] ?? NaN;
  const known = rows.probability ? truths : [];
  return {
    chance: mean(all.map(chance)),
    truly: mean(truths.map((i) => Number(rows.true[i] === place))),
    known: truths.length,
    right: rows.predicted ? truths.filter((i) => rows.predicted[i] === rows.true[i]).length : null,
    auc: auc(known.map(chance), known.map((i) => rows.true[i] === place)),
    loss: mean(known.map((i) => -Math.log(Math.max(LEAST_CHANCE, rows.probability[i][rows.true[i]] ?? 0)))),
  };
}

function ofValues({ predicted, margins, true: truth }, all) {
  const said = (i) => predicted?.[i] ?? margins[i][0];
  const known = all.filter((i) => Number.isFinite(truth?.[i] ?? NaN));
  const off = known.map((i) => said(i) - truth[i]);
  const squares = mean(off.map((d) => d * d));
  const level = mean(known.map((i) => truth[i]));
  const spread = mean(known.map((i) => (truth[i] - level) ** 2));
  return {
    predicted: mean(all.map(said)),
    true: level,
    error: mean(off),
    absolute: mean(off.map(Math.abs)),
    root: squares === null ? null : Math.sqrt(squares),
    r2: spread > 0 ? 1 - squares / spread : null,
  };
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
