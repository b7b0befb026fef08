// A table that sorts by its headings and shows its first rows first.

import { csvOf } from "./csv.js";
import { h, swap } from "./dom.js";
import { saveAs } from "./save.js";

/**
 * @typedef {Object} Field
 * @property {string} label
 * @property {(row: Object) => any} show cell content
 * @property {(row: Object) => any} [sort] what to sort by; a heading without it is no button
 * @property {boolean} [number] right-aligned, sorted downwards first
 * @property {string} [class]
 * @property {boolean} [unseen] a heading for those who hear the page alone
 */

/**
 * @param {string} caption
 * @param {Field[]} fields
 * @param {Object[]} rows in their first order
 * @param {{first?: number}} [options]
 */
export function table(caption, fields, rows, options) {
  return tableOf(caption, fields, rows, options).node;
}

/** The same as a node and a function that puts other rows in, sorted as the reader has it. */
export function tableOf(caption, fields, rows, { first = 12 } = {}) {
  let shown = first;
  let by = -1;
  let down = false;
  const head = h("tr", {});
  const body = h("tbody", {});
  const foot = h("div", { class: "table-foot" });

  function ordered() {
    const field = fields[by];
    if (!field) return rows;
    const sign = down ? -1 : 1;
    return [...rows].sort((a, b) => compare(field.sort(a), field.sort(b), sign));
  }

  function render() {
    swap(head, fields.map((field, i) => h("th", {
      scope: "col", class: cls(field), "aria-sort": i === by ? (down ? "descending" : "ascending") : null,
    }, field.sort ? h("button", { type: "button", onclick: () => pick(i) }, field.label,
      h("span", { class: "arrow", "aria-hidden": "true" }, i === by ? (down ? " ↓" : " ↑") : "")) : field.unseen ? h("span", { class: "sr" }, field.label) : field.label)));
    swap(body, ordered().slice(0, shown).map((row) => h("tr", { class: row.class ?? null },
      fields.map((field) => h("td", { class: cls(field) }, field.show(row))))));
    swap(foot, rows.length > shown && h("button", { type: "button", class: "quiet",
      onclick: () => { shown = Infinity; render(); } }, `Show all ${rows.length}`),
    rows.length > 0 && h("button", { type: "button", class: "to-file", "aria-label": `${caption} as CSV`, onclick: () => saveAs(new Blob([csvOf(cells())], { type: "text/csv" }), `${caption.toLowerCase().replaceAll(" ", "-")}.csv`) }, "CSV"));
  }

  /** The whole table as the reader has it sorted: numbers in full, all else as it is shown. */
  function cells() {
    const said = fields.filter((field) => field.label !== "Compare");
    const cell = (field, row) => {
      const exact = field.number && field.sort ? field.sort(row) : null;
      return typeof exact === "number" ? exact : h("span", {}, field.show(row)).textContent;
    };
    return [said.map((field) => field.label), ...ordered().map((row) => said.map((field) => cell(field, row)))];
  }

  function pick(i) {
    down = i === by ? !down : Boolean(fields[i].number);
    by = i;
    render();
    head.children[i].querySelector("button")?.focus();
  }

  render();
  const node = h("div", { class: "table-box" }, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "data" }, h("caption", { class: "sr" }, caption), h("thead", {}, head), body)), foot);
  const show = (others) => {
    rows = others;
    render();
  };
  return { node, show };
}

function cls(field) {
  return [field.number ? "n" : "", field.class ?? ""].join(" ").trim() || null;
}

/** Missing values last, whichever way. */
function compare(a, b, sign) {
  const gone = (v) => v === null || v === undefined || Number.isNaN(v);
  if (gone(a) || gone(b)) return gone(a) - gone(b);
  return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
}
