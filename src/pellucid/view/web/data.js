// The data: every column, what it is and what was done with it, and what to be careful about.

import { h, name, section } from "./dom.js";
import { count, num, percent } from "./format.js";
import { table } from "./table.js";

export function dataSection({ training, explained }, state) {
  const columns = training.columns ?? [];
  const nRows = training.n_rows || 1;
  const weight = weights(explained, state);
  const unused = columns.filter((c) => c.used === false).length;
  const rows = columns.map((c, i) => ({ ...c, i, weight: weight(c.name), class: c.used === false ? "unused" : null }));
  const fields = [
    { label: "Column", show: (c) => name(c.name), sort: (c) => String(c.name), class: "grow" },
    { label: "Kind", show: (c) => c.kind, sort: (c) => String(c.kind) },
    { label: "Missing", number: true, sort: (c) => c.missing ?? 0, show: (c) => (c.missing ? `${num(c.missing, 6)} (${percent(c.missing / nRows)})` : "–") },
    { label: "Distinct", number: true, sort: (c) => c.n_unique ?? null, show: (c) => num(c.n_unique ?? null, 8) },
    { label: "What was done", show: (c) => (c.used === false ? `not used: ${c.reason || "no reason recorded"}` : c.action || c.reason || "used as it is"), class: "wide" },
    { label: "Columns made", number: true, sort: (c) => c.n_engineered ?? 0, show: (c) => (c.used === false ? "–" : num(c.n_engineered ?? null, 6)) },
    explained && { label: "Importance", number: true, sort: (c) => c.weight ?? 0, show: (c) => (c.weight === null ? "–" : h("span", { class: "inline-bar" },
      h("span", { "aria-hidden": "true", class: "bar-box" }, h("i", { style: { width: `${100 * c.weight}%` } })), percent(c.weight))) },
  ].filter(Boolean);
  return section("data", "The data", `${count(training.n_rows ?? 0, "row")}, ${count(columns.length || training.n_columns || 0, "column")}${unused ? `, ${unused} of them not used` : ""}.`,
    guardrails(training), columns.length > 0 && table("Columns", fields, rows, { first: 20 }));
}

/** Share of the whole importance that a raw column has. */
function weights(explained, state) {
  if (!explained) return () => null;
  const { size, total } = explained.rank("raw", state.get("output"));
  const place = new Map(explained.levels.raw.names.map((n, i) => [n, i]));
  return (column) => (place.has(column) && total ? size[place.get(column)] / total : null);
}

function guardrails({ guardrails: all = [] }) {
  if (!all.length) return h("p", { class: "note" }, "Nothing in the data calls for care.");
  const sorted = [...all].sort((a, b) => (b.level === "warning") - (a.level === "warning"));
  const item = (g) => h("li", { class: g.level === "warning" ? "note warning" : "remark" },
    g.level === "warning" && [h("strong", {}, "Take care"), " "],
    g.column && [h("b", {}, name(g.column)), ": "], g.message);
  const first = sorted.slice(0, 8);
  const rest = sorted.slice(8);
  return [h("ul", { class: "notes" }, first.map(item)),
    rest.length > 0 && h("details", { class: "more-notes" }, h("summary", {}, `${rest.length} more notes`), h("ul", { class: "notes" }, rest.map(item)))];
}
