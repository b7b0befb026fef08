// A row's waterfall: from the base value to the row's margin, one feature a step.

import { h, name, swap } from "./dom.js";
import { num, percent, signed } from "./format.js";
import { sigmoid } from "./model.js";
import { linear, padded, tickText, ticks } from "./scale.js";

/**
 * @typedef {Object} Step
 * @property {number} feature -1 for all the small ones together
 * @property {number} value what it adds
 * @property {number} from
 * @property {number} to
 */

/**
 * The steps of one row, largest first, the small ones together at the end.
 * @returns {{base: number, end: number, steps: Step[]}}
 */
export function steps(explained, key, output, row, most) {
  const level = explained.levels[key];
  const of = level.importances(output);
  const parts = Array.from({ length: level.n }, (_, f) => ({ feature: f, value: of(f)[row] }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = parts.length <= most + 1 ? parts : parts.slice(0, most);
  const rest = parts.slice(shown.length);
  const base = explained.base_values[output];
  const end = explained.rows.margins[row][output];
  let at = base;
  const out = shown.map(({ feature, value }) => ({ feature, value, from: at, to: at += value }));
  if (rest.length) out.push({ feature: -1, n: rest.length, value: end - at, from: at, to: end });
  return { base, end, steps: out };
}

/**
 * Draw it into `node`. `chances` adds a second axis in probabilities, for log-odds; `unit` names
 * the first.
 */
export function drawWaterfall(node, explained, { base, end, steps: all }, level, { row, chances, unit, onpick }) {
  const values = all.flatMap((s) => [s.from, s.to]).concat(base, end);
  const domain = padded([Math.min(...values), Math.max(...values)], 0.12);
  const scale = linear(domain, [0, 100]);
  const wide = Math.max(120, node.clientWidth - (node.clientWidth < 560 ? 136 : 246)); // of the plot, in pixels
  const marks = ticks(domain[0], domain[1], 5);
  const text = tickText(marks);
  const lines = h("div", { class: "wf-grid", "aria-hidden": "true" },
    marks.map((t) => h("i", { style: { left: `${scale(t)}%` } })));
  swap(node,
    chances && h("div", { class: "wf-axis top", "aria-hidden": "true" }, h("span", { class: "wf-name" }, "probability"),
      h("div", { class: "wf-plot" }, chanceTicks(domain).map(([p, x]) => h("span", { style: { left: `${scale(x)}%` } }, percent(p, p < 0.01 || p > 0.99 ? 1 : 0))))),
    h("div", { class: "wf-body", role: "list" }, lines,
      h("div", { class: "wf-row edge", role: "listitem" }, h("span", { class: "wf-name" }, "Average row"),
        h("div", { class: "wf-plot" }, point(scale(base), num(base, 4), wide))),
      all.map((s, i) => step(s, scale, wide, level, row, onpick)),
      h("div", { class: "wf-row edge end", role: "listitem" }, h("span", { class: "wf-name" }, "This row"),
        h("div", { class: "wf-plot" }, point(scale(end), num(end, 4), wide)))),
    h("div", { class: "wf-axis", "aria-hidden": "true" }, h("span", { class: "wf-name" }, unit),
      h("div", { class: "wf-plot" }, marks.map((t, i) => h("span", { style: { left: `${scale(t)}%` } }, text[i])))));
}

function point(left, text, wide) {
  return [h("i", { class: "wf-point", style: { left: `${left}%` } }), value(left, left, text, wide)];
}

/** A value beside what stands from left to right: after it, before it, or else on it. */
function value(left, right, text, wide) {
  const needs = (100 * (text.length * 7.6 + 14)) / wide;
  if (100 - right >= needs) return h("span", { class: "wf-value", style: { left: `${right}%` } }, text);
  const on = left < needs && right - left > needs;
  return h("span", { class: on ? "wf-value before on" : "wf-value before", style: { left: `${on ? right : left}%` } }, text);
}

function step({ feature, n, value: size, from, to }, scale, wide, level, row, onpick) {
  const [left, right] = [scale(Math.min(from, to)), scale(Math.max(from, to))];
  const label = feature < 0 ? h("span", { class: "wf-name muted" }, `${n} other features`)
    : h("button", { type: "button", class: "wf-name", title: onpick ? "Show how this feature works" : null, onclick: () => onpick?.(feature) },
      name(level.names[feature]), h("span", { class: "eq" }, " = "), name(level.column(feature).text(row), { class: "cell" }));
  return h("div", { class: size >= 0 ? "wf-row up" : "wf-row down", role: "listitem" }, label,
    h("div", { class: "wf-plot" },
      h("i", { class: "wf-link", style: { left: `${scale(to)}%` } }),
      h("i", { class: "wf-bar", style: { left: `${left}%`, width: `max(2px, ${right - left}%)` } }),
      value(left, right, signed(size), wide)));
}

/** Round probabilities within a range of log-odds, each with its place, such a share of it apart. */
export function chanceTicks([low, high], apart = 0.09) {
  const out = [];
  for (const p of [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]) {
    const x = Math.log(p / (1 - p));
    if (x < low || x > high) continue;
    if (!out.length || x - out.at(-1)[1] > (high - low) * apart) out.push([p, x]);
  }
  return out.length ? out : [[sigmoid((low + high) / 2), (low + high) / 2]];
}
