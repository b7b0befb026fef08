// The model that travels in the page: cells in, margins and exact Shapley values out.

import { additiveMember } from "./additive.js";
import { featurizer } from "./featurize.js";
import { treeMember } from "./trees.js";
import { unzip } from "./unpack.js";

const MEMBERS = { trees: treeMember, linear: additiveMember };

/**
 * @param {string} text what `pellucid.view.carried.carried_model` calls "gzip"
 * @returns {Promise<CarriedModel>}
 *
 * @typedef {Object} CarriedModel
 * @property {Object} facts as they were packed
 * @property {Float64Array} base margins of the average row
 * @property {Float32Array[]} background engineered rows
 * @property {(cells: Object<string, any>) => Float32Array} encode a row's cells as engineered columns
 * @property {(row: Float32Array) => Float64Array} margins of an engineered row
 * @property {(cells: Object<string, any>) => {engineered: Float32Array, margins: Float64Array,
 *   raw: Float64Array, fine: Float64Array}} explain values of raw and of engineered features, the
 *   outputs of each side by side
 */
export async function openModel(text) {
  const facts = await unzip(text);
  const width = facts.engineered_names.length;
  const encode = featurizer(facts.encoders, width);
  const background = rowsOf(facts.background, width);
  const members = facts.members.map((member, i) => seen(member, background, facts.weights[i]));
  const alone = Int32Array.from({ length: width }, (_, j) => j);
  const nOutputs = facts.intercept.length;

  const margins = (row) => {
    const out = Float64Array.from(facts.intercept);
    for (const member of members) member.margins(row).forEach((x, k) => { out[k] += member.weight * x; });
    return out;
  };
  const values = (row, players, n) => {
    const sums = new Float64Array(n * nOutputs);
    for (const member of members) member.addValues(row, players, sums);
    return sums;
  };
  const base = new Float64Array(nOutputs);
  for (const row of background) margins(row).forEach((x, k) => { base[k] += x / background.length; });
  return {
    facts,
    base,
    background,
    encode,
    margins,
    explain(cells) {
      const engineered = encode(cells);
      return {
        engineered,
        margins: margins(engineered),
        raw: values(engineered, facts.raw_of, facts.raw_names.length),
        fine: values(engineered, alone, width),
      };
    },
  };
}

/** A member behind the view that it has of the engineered columns. */
function seen({ kind, view, ...member }, background, weight) {
  const see = view ? (row) => viewed(view, row) : (row) => row;
  const inner = MEMBERS[kind](member, background.map(see));
  const own = (players) => {
    if (!view) return players;
    const widths = view.widths.map((width, i) => new Array(width).fill(players[view.encoded[i]]));
    return Int32Array.from([...Array.from(view.columns, (j) => players[j]), ...widths.flat()]);
  };
  return {
    weight,
    margins: (row) => inner.margins(see(row)),
    addValues: (row, players, sums) => inner.addValues(see(row), own(players), weight, sums),
  };
}

/** Kept columns, then the statistics that stand for codes: rows of codes, of an unseen, a missing one. */
function viewed(view, row) {
  const out = Array.from(view.columns, (j) => row[j]);
  view.tables.forEach((table, i) => {
    const width = view.widths[i];
    const last = table.length / width - 1;
    const code = row[view.encoded[i]];
    const whole = Math.trunc(code);
    const at = Number.isNaN(code) ? last : whole < 0 || whole >= last - 1 ? last - 1 : whole;
    out.push(...table.subarray(at * width, (at + 1) * width));
  });
  return Float32Array.from(out);
}

function rowsOf(flat, width) {
  return Array.from({ length: flat.length / width }, (_, i) => flat.subarray(i * width, (i + 1) * width));
}
