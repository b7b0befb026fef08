// Axes and grid lines.

import { s } from "./dom.js";
import { tickText, ticks } from "./scale.js";

/** Ticks of a linear scale with their text. */
export function linearTicks(scale, about) {
  const [low, high] = [Math.min(...scale.domain), Math.max(...scale.domain)];
  const values = ticks(low, high, about);
  const text = tickText(values);
  return values.map((value, i) => [value, text[i]]);
}

/** The axis below a plot, with faint lines up into it. */
export function axisBelow(svg, scale, marks, { top, bottom, label, grid = true }) {
  const [left, right] = scale.range;
  let end = -Infinity;
  for (const [value, text] of marks) {
    const x = scale(value);
    if (grid) svg.append(s("line", { class: "grid", x1: x, x2: x, y1: top, y2: bottom }));
    const half = text.length * 3.4;
    const at = Math.min(Math.max(x, half), right + 8 - Math.min(half, 8));
    if (at - half < end + 6) continue;
    end = at + half;
    svg.append(s("text", { class: "tick", x: at, y: bottom + 16, "text-anchor": "middle" }, text));
  }
  svg.append(s("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
  if (label) {
    svg.append(s("text", { class: "axis-label", x: (left + right) / 2, y: bottom + 35, "text-anchor": "middle" },
      short(label, Math.floor((right - left) / 6.4))));
  }
}

/** The axis left of a plot, with faint lines across it. */
export function axisLeft(svg, scale, marks, { left, right, label }) {
  for (const [value, text] of marks) {
    const y = scale(value);
    svg.append(s("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }));
    svg.append(s("text", { class: "tick", x: left - 8, y: y + 4, "text-anchor": "end" }, text));
  }
  if (label) {
    svg.append(s("text", { class: "axis-label", x: left - 8, y: Math.min(...scale.range) - 10, "text-anchor": "start",
      dx: 8 - left + 2 }, label));
  }
}

/** A name cut to what fits an axis. */
export function short(text, most) {
  const full = String(text);
  return full.length > most ? `${full.slice(0, Math.max(1, most - 1))}…` : full;
}
