// The payload's packed columns as typed arrays, decoded when they are first looked at.

import { date, num } from "./format.js";

/** @param {string} text base64 @returns {ArrayBuffer} */
function bytes(text) {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) out[i] = raw.charCodeAt(i);
  return out.buffer;
}

/** A function whose result is computed once per argument. */
export function once(compute) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key);
  };
}

/**
 * @typedef {Object} Column
 * @property {"numeric"|"time"|"category"} kind
 * @property {string[]} levels of a category
 * @property {Float64Array} values numbers, or positions in `levels`; NaN is missing
 * @property {(row: number) => string} text the cell for people
 */

/** @returns {Column} */
export function decodeColumn(packed) {
  return columnOf(packed.kind, packed.kind === "category" ? packed.levels : [], cells(packed));
}

/** @returns {Column} */
export function columnOf(kind, levels, values) {
  const shown = (value) => {
    if (Number.isNaN(value)) return "missing";
    if (kind === "category") return levels[value];
    return kind === "time" ? date(value) : num(value, 6);
  };
  return { kind, levels, values, shown, text: (row) => shown(values[row]) };
}

function cells(packed) {
  if (packed.f32) return Float64Array.from(new Float32Array(bytes(packed.f32)));
  if (packed.f64 !== undefined) return new Float64Array(bytes(packed.f64));
  if (packed.f32 !== undefined) return new Float64Array(0);
  const codes = packed.u8 !== undefined
    ? new Uint8Array(bytes(packed.u8)) : new Uint16Array(bytes(packed.u16));
  const missing = packed.u8 !== undefined ? 255 : 65535;
  const levels = packed.kind === "category" ? null : packed.levels;
  return Float64Array.from(codes, (c) => (c === missing ? NaN : levels ? levels[c] : c));
}

/**
 * @typedef {Object} Level features of one level, raw or engineered
 * @property {string[]} names
 * @property {string[]} kinds of the columns
 * @property {(feature: number) => Column} column
 * @property {(output: number) => (feature: number) => Float32Array} importances
 */

/** @returns {Level} */
export function decodeLevel(packed, nRows) {
  const steps = packed.importances.step;
  const nFeatures = packed.names.length;
  const all = once(() => new Int16Array(bytes(packed.importances.i16)));
  const importances = once((output) => once((feature) => {
    const start = (output * nFeatures + feature) * nRows;
    const step = steps[output][feature];
    return Float32Array.from(all(0).subarray(start, start + nRows), (v) => v * step);
  }));
  const column = once((feature) => decodeColumn(packed.columns[feature]));
  return { names: packed.names, n: nFeatures, nRows, kinds: packed.columns.map(({ kind }) => kind), column, importances };
}
