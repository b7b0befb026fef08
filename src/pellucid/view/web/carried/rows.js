// Rows for the carried model: their cells out of the page's columns, and what it says of them as a
// subject that sections read.

import { columnOf } from "../decode.js";
import { sigmoid, subjectOf } from "../model.js";

/** A row's cells as the form and the model take them. */
export function cellsOf({ facts }, explained, row) {
  return Object.fromEntries(facts.fields.map((field) => [field.name, cell(facts, explained, field, row)]));
}

function cell({ whole }, { levels: { raw }, raw: packed }, { name, control }, row) {
  if (Object.hasOwn(whole, name)) return whole[name][row];
  const feature = raw.names.indexOf(name);
  const { kind, levels, values } = raw.column(feature);
  const value = values[row];
  if (Number.isNaN(value)) return null;
  if (kind === "time") return new Date(value).toISOString().slice(0, -1);
  if (kind === "category") return control === "boolean" ? levels[value] === "True" : levels[value];
  return packed.columns[feature].f32 ? Number(value.toPrecision(7)) : value;
}

/** What the model says of a row of cells. */
export function answerOf({ facts, base, explain }, subject, id, cells) {
  const { engineered, margins, raw, fine } = explain(cells);
  const explanation = { ...subject.explained, base_values: Array.from(base), rows: oneRow(facts, id, margins) };
  const byName = new Map(facts.fields.map((field) => [field.name, field.control]));
  return subjectOf(subject, explanation, {
    raw: level(facts.raw_names, raw, base.length, (f) => shown(byName.get(facts.raw_names[f]), cells[facts.raw_names[f]] ?? null)),
    engineered: subject.explained.levels.engineered
      && level(facts.engineered_names, fine, base.length, (f) => columnOf("numeric", [], [engineered[f]])),
  });
}

/** The rows of an explanation, where there is one: what margins mean, and no truth. */
export function oneRow(facts, id, margins) {
  const response = responseOf(facts, margins);
  const chances = facts.task === "regression" ? null : response;
  const said = chances ? chances.indexOf(Math.max(...chances)) : response[0];
  return { ids: [id], margins: [Array.from(margins)], predicted: [said], probability: chances && [chances], true: null };
}

/** Probabilities of all classes, or the value, that margins mean. */
export function responseOf({ task, link }, margins) {
  if (task === "regression") return [link === "log" ? Math.exp(Math.min(margins[0], 700)) : margins[0]];
  return task === "binary" ? twoChances(margins) : softmax(margins);
}

function level(names, values, nOutputs, column) {
  const importances = (output) => (feature) => [values[feature * nOutputs + output]];
  return { names, n: names.length, nRows: 1, column, importances };
}

function shown(control, cell) {
  if (cell === null) return columnOf("category", [], [NaN]);
  if (control === "number") return columnOf("numeric", [], [Number(cell)]);
  if (control === "date") return columnOf("time", [], [Date.parse(cell.length === 10 ? cell : `${cell}Z`)]);
  return columnOf("category", [control === "boolean" ? (cell ? "True" : "False") : String(cell)], [0]);
}

function twoChances([margin]) {
  return [sigmoid(-margin), sigmoid(margin)];
}

function softmax(margins) {
  const most = Math.max(...margins);
  const shares = Array.from(margins, (x) => Math.exp(x - most));
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((x) => x / sum);
}
