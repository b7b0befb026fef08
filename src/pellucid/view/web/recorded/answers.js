// What the model said of some rows with one cell changed, as `pellucid.view.recorded` wrote it.

import { oneRow, responseOf } from "../carried/rows.js";
import { decodeColumn } from "../decode.js";
import { subjectOf } from "../model.js";

/**
 * @typedef {Object} Choice a value of a column, and the model's answer with it
 * @property {string} text
 * @property {number[]} margins
 * @property {boolean} own whether the row has it
 *
 * @typedef {Object} Record
 * @property {number[]} rows that were asked about, ascending
 * @property {number[]} features those that were changed, the weightiest first
 * @property {(row: number) => number} nearest the asked row that stands for one in the table's order
 * @property {(row: number, feature: number) => Choice[]} choices numbers in ascending order
 * @property {(row: number, margins: number[]|null) => Object} subject of a row with other margins; its own for null
 * @property {(margins: number[], output: number) => number} value a probability, or what is predicted
 */

/**
 * @param {Object} subject
 * @param {{rows: number[], features: {feature: number, at: number[]}[], margins: Object}} recorded
 * @returns {Record}
 */
export function openRecord(subject, { rows, features, margins: packed }) {
  const { explained, task, training } = subject;
  const facts = { task, link: training.link };
  const all = decodeColumn({ kind: "numeric", ...packed }).values;
  const [place, wide] = [new Map(rows.map((row, i) => [row, i])), explained.nOutputs];
  const grids = new Map();
  let points = 0;
  for (const { feature, at } of features) {
    grids.set(feature, { at, from: points });
    points += at.length;
  }
  const own = (row) => explained.rows.margins[row];
  const margins = (row, point) => {
    const start = (point * rows.length + place.get(row)) * wide;
    return Array.from(all.subarray(start, start + wide));
  };

  return {
    rows,
    features: features.map(({ feature }) => feature),
    nearest: (row) => rows[Math.max(0, rows.findLastIndex((each) => each <= row))],
    choices(row, feature) {
      const { kind, values, text } = explained.levels.raw.column(feature);
      const { at, from } = grids.get(feature);
      const here = values[row];
      const found = at.map((source, i) => ({ value: values[source], text: text(source), margins: margins(row, from + i), own: Object.is(values[source], here) }));
      if (!found.some((each) => each.own)) found.push({ value: here, text: text(row), margins: own(row), own: true });
      return kind === "category" ? found : found.sort((a, b) => ahead(a.value, b.value));
    },
    subject(row, said) {
      const id = explained.rows.ids[row];
      const one = { ...explained.rows, ...oneRow(facts, id, said ?? own(row)), true: said ? null : explained.rows.true && [explained.rows.true[row]] };
      return subjectOf(subject, { ...explained, rows: one }, explained.levels);
    },
    value(said, output) {
      const response = responseOf(facts, said);
      return response.length === 1 ? response[0] : response[wide === 1 ? 1 : output];
    },
  };
}

/** Ascending, what is missing at the end. */
function ahead(a, b) {
  return Number.isNaN(a) - Number.isNaN(b) || (Number.isNaN(a) ? 0 : a - b);
}
