// A control for one cell, by what its column holds.

import { h, name, uid } from "./dom.js";

const GONE = "\u0000missing"; // no cell spells this

/**
 * @param {{name: string, control: string}} field
 * @param {any} value the cell now, null for missing
 * @param {any} original
 * @param {(value: any) => void} onchange
 * @returns {{node: Node, reset: () => void}}
 */
export function control(field, value, original, onchange) {
  const id = uid("cell");
  const node = h("div", { class: "cell-field" });
  const make = { number, choice, boolean, date, text }[field.control];
  const parts = make(field, id, (next) => { mark(next); onchange(next); });
  const back = h("button", { type: "button", class: "back", title: "As it was", "aria-label": `Reset ${field.name}`, onclick: reset }, "↺");
  const mark = (next) => node.classList.toggle("changed", next !== original);
  function reset() {
    parts.set(original);
    mark(original);
    onchange(original);
  }
  parts.set(value);
  mark(value);
  node.append(h("label", { for: id }, name(field.name)), h("div", { class: "cell-inputs" }, parts.nodes), back);
  return { node, reset };
}

function number({ low, high, whole }, id, tell) {
  const read = () => (box.value === "" ? null : Number(box.value));
  const box = h("input", { id, type: "number", step: "any", placeholder: "missing", oninput: () => { slide(); tell(read()); } });
  const spans = low < high;
  const range = spans && h("input", {
    type: "range", min: low, max: high, step: whole ? 1 : (high - low) / 200, "aria-hidden": "true", tabindex: "-1",
    oninput: () => { box.value = whole ? range.value : String(Number(Number(range.value).toPrecision(4))); tell(read()); },
  });
  const slide = () => { if (range && box.value !== "") range.value = box.value; };
  return { nodes: [box, range], set: (v) => { box.value = v ?? ""; slide(); } };
}

function choice({ choices }, id, tell) {
  const box = h("select", { id, onchange: () => tell(box.value === GONE ? null : box.value) },
    h("option", { value: GONE }, "(missing)"), choices.map((c) => h("option", { value: c }, c.length > 60 ? `${c.slice(0, 59)}…` : c || "(empty)")));
  return {
    nodes: [box],
    set(v) {
      const wanted = v === null ? GONE : String(v);
      if (![...box.options].some((o) => o.value === wanted)) box.append(h("option", { value: wanted }, wanted));
      box.value = wanted;
    },
  };
}

function boolean(field, id, tell) {
  const read = () => ({ true: true, false: false })[box.value] ?? null;
  const box = h("select", { id, onchange: () => tell(read()) },
    h("option", { value: GONE }, "(missing)"), h("option", { value: "true" }, "yes"), h("option", { value: "false" }, "no"));
  return { nodes: [box], set: (v) => { box.value = v === null ? GONE : String(truth(v)); } };
}

function truth(v) {
  return typeof v === "string" ? /^(true|yes|y|1|t)$/i.test(v) : Boolean(v);
}

function date({ time }, id, tell) {
  const box = h("input", { id, type: time ? "datetime-local" : "date", step: time ? "1" : null, oninput: () => tell(box.value || null) });
  return { nodes: [box], set: (v) => { box.value = v === null ? "" : String(v).slice(0, time ? 19 : 10); } };
}

function text(field, id, tell) {
  const box = h("textarea", { id, rows: 3, placeholder: "missing", oninput: () => tell(box.value || null) });
  return { nodes: [box], set: (v) => { box.value = v ?? ""; } };
}
