// One condition by its parts: a column, how it compares, and with what.

import { h, select, swap, uid } from "../dom.js";
import { quantile } from "../cohorts.js";
import { spellName, spellText } from "./query.js";

const MOST_LEVELS = 200;
const WAYS = {
  numeric: [["between", "is between"], [">=", "is at least"], ["<", "is below"], ["==", "is"], ["!=", "is not"], ["known", "is known"], ["gone", "is missing"]],
  time: [["between", "is from … until before"], [">=", "is from"], ["<", "is before"], ["known", "is known"], ["gone", "is missing"]],
  category: [["==", "is"], ["!=", "is not"], ["known", "is known"], ["gone", "is missing"]],
};

/** @param {(condition: string) => void} add takes the condition as a query spells it */
export function conditionFields({ explained }, names, lookup, add) {
  const box = h("div", { class: "condition" });
  let column = names[0];
  let way = null;
  let inputs = [];

  function draw() {
    const { kind } = lookup(column);
    if (!WAYS[kind].some(([key]) => key === way)) way = WAYS[kind][0][0];
    inputs = way === "known" || way === "gone" ? [] : way === "between" ? [cell(kind, 0.25, "From"), cell(kind, 0.75, "To")] : [cell(kind, 0.5, "Value")];
    swap(box, select("Column", names.map((n) => [n, n]), column, (v) => { column = v; draw(); box.querySelector("select").focus(); }),
      select("Comparison", WAYS[kind], way, (v) => { way = v; draw(); box.querySelectorAll("select")[1].focus(); }),
      inputs, h("button", { type: "button", class: "quiet", onclick: () => add(spelled(kind)) }, "Add"));
  }

  /** A control for one cell, with a value that is there. */
  function cell(kind, share, label) {
    const { value } = lookup(column);
    if (kind === "category") {
      const cells = [...new Set(Array.from({ length: explained.n }, (_, i) => value(i)).filter((v) => v !== null))].sort().slice(0, MOST_LEVELS);
      return h("select", { "aria-label": label }, cells.map((c) => h("option", { value: c }, c.length > 60 ? `${c.slice(0, 59)}…` : c || "(empty)")));
    }
    const at = quantile(Array.from({ length: explained.n }, (_, i) => value(i) ?? NaN), share);
    const id = uid("cell");
    const input = h("input", kind === "time" ? { id, type: "date", "aria-label": label } : { id, type: "number", step: "any", "aria-label": label });
    if (Number.isFinite(at)) input.value = kind === "time" ? new Date(at).toISOString().slice(0, 10) : String(Number(at.toPrecision(4)));
    return input;
  }

  function spelled(kind) {
    const said = (input) => (kind === "numeric" ? String(Number(input.value) || 0) : spellText(input.value));
    const subject = spellName(column);
    if (way === "known") return `${subject} != None`;
    if (way === "gone") return `${subject} == None`;
    if (way === "between") return `${said(inputs[0])} <= ${subject} ${kind === "time" ? "<" : "<="} ${said(inputs[1])}`;
    return `${subject} ${way} ${said(inputs[0])}`;
  }

  draw();
  return box;
}
