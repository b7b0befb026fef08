// Any two columns against each other, coloured by what the model makes of a row; dots drawn around
// become a cohort.

import { axisBelow, axisLeft, linearTicks, short } from "./axes.js";
import { chart, nearest } from "./chart.js";
import { openBuilder } from "./cohort/builder.js";
import { drawing } from "./cohort/drawing.js";
import { namesOf } from "./cohort/named.js";
import { spellName, spellText } from "./cohort/query.js";
import { category, colors, OWN_COLORS, ramp } from "./color.js";
import { h, name, s, section, select, swap } from "./dom.js";
import { date, num } from "./format.js";
import { linear, padded, timeTicks } from "./scale.js";
import { extent, quantiles } from "./stats.js";
import { dots, ring } from "./swarm.js";

const MARGIN = { top: 28, right: 18, bottom: 46, left: 64 };
const MOST_LEVELS = 12; // categories that an axis tells apart

export function scatterSection(subject, state, keeper) {
  const { explained } = subject;
  const controls = h("div", { class: "choices" });
  const legend = h("div", { class: "legend" });
  const status = h("p", { class: "muted small", role: "status" });
  const act = h("div", { class: "choices" });
  let axes = null;
  let marks = null;
  let scales = null;
  let drawn = null; // what was drawn around: rows, and a query where it is a box

  const view = chart({
    label: "Scatter of two columns", height: (width) => Math.max(300, Math.min(460, width * 0.5)), draw,
    hover(x, y) {
      const row = marks && !draft.active() ? nearest(marks.xs, marks.ys, x, y) : -1;
      if (row < 0) return null;
      return {
        lines: [`Row ${explained.rows.ids[row]}`, ...[axes.x, axes.y, axes.c].filter(Boolean).map((a) => h("span", {}, name(a.name), " = ", name(a.text(row))))],
        pick: () => draft.mode() === "look" && state.set({ row }),
      };
    },
  });
  const draft = drawing(view.node, ({ shape, mode }) => {
    if (!marks) return;
    const rows = Array.from(marks.xs.keys()).filter((i) => shape.holds(marks.xs[i], marks.ys[i]) && inCohort(i));
    drawn = rows.length ? { rows, where: mode === "box" ? boxed(shape.box) : null } : null;
    offer(rows.length);
  });
  const inCohort = (i) => !state.get("rows") || state.get("rows").includes(i);

  function offer(n) {
    status.textContent = drawn ? `${num(n, 6)} rows inside.` : n === 0 ? "No row is inside." : "";
    swap(act, drawn && h("button", { type: "button", class: "quiet", onclick: () => openBuilder(subject, state, keeper, drawn.where
      ? { where: drawn.where } : { rows: drawn.rows, from: `${axes.x.name} against ${axes.y.name}` }) }, "Make a cohort of them"),
    drawn && h("button", { type: "button", class: "quiet", onclick: clear }, "Clear"));
  }

  function clear() {
    drawn = null;
    draft.clear();
    offer();
  }

  /** A box as a query where both axes are numbers or dates. */
  function boxed([[x0, y0], [x1, y1]]) {
    if (!scales || [axes.x, axes.y].some((a) => a.kind === "category")) return null;
    const range = (axis, scale, from, to) => {
      const value = (pixel) => scale.domain[0] + ((pixel - scale.range[0]) / (scale.range[1] - scale.range[0])) * (scale.domain[1] - scale.domain[0]);
      const [low, high] = [value(from), value(to)].sort((a, b) => a - b);
      const said = axis.kind === "time" ? (v) => spellText(new Date(v).toISOString().slice(0, 16)) : (v) => String(Number(v.toPrecision(6)));
      return `${said(low)} <= ${spellName(axis.name)} <= ${said(high)}`;
    };
    return `${range(axes.x, scales.x, x0, x1)} and ${range(axes.y, scales.y, y1, y0)}`;
  }

  state.on(["output", "x", "y", "by"], ({ x, y, by }) => {
    const output = Math.max(0, state.get("output"));
    const { names, lookup } = namesOf(subject, output);
    const offered = [...names.filter((n) => n !== "row"), ...explained.rank("raw", output).order.slice(0, 30).map((f) => `importance of ${explained.levels.raw.names[f]}`)];
    const first = explained.rank("raw", output).order.map((f) => explained.levels.raw.names[f]);
    const wide = first.filter((n) => lookup(n).kind !== "category");
    const pick = (asked, otherwise) => (asked && lookup(asked) ? asked : otherwise);
    const [left, under] = [pick(y, wide[1] ?? first[1] ?? first[0]), pick(x, wide[0] ?? first[0])];
    const colour = pick(by, by === "-" ? null : lookup("error") ? "error" : "prediction");
    axes = { x: axisOf(under, lookup, explained.n), y: axisOf(left, lookup, explained.n), c: colour && axisOf(colour, lookup, explained.n) };
    const pairs = offered.map((n) => [n, n]);
    swap(controls, select("Across", pairs, under, (v) => state.set({ x: v })), select("Up", pairs, left, (v) => state.set({ y: v })),
      select("Colour", [["-", "nothing"], ...pairs], colour ?? "-", (v) => state.set({ by: v })));
    swap(legend, key(axes.c));
    view.node.querySelector("svg").setAttribute("aria-label", `Scatter of ${short(under, 60)} against ${short(left, 60)}`);
    clear();
    view.redraw();
  });
  state.on(["row", "rows"], () => view.redraw());

  function draw({ ctx, svg, width, height }) {
    const plot = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    const x = linear(padded(axes.x.domain), [plot.left, plot.right]);
    const y = linear(padded(axes.y.domain), [plot.bottom, plot.top]);
    scales = { x, y };
    axisLeft(svg, y, axes.y.ticks(y, 6, 8), { ...plot, label: axes.y.name });
    axisBelow(svg, x, axes.x.ticks(x, width / 110, Math.max(3, Math.floor(width / 90))), { ...plot, label: axes.x.name });
    marks = { xs: Float32Array.from(axes.x.values, (v) => x(v)), ys: Float32Array.from(axes.y.values, (v) => y(v)) };
    const paint = axes.c ? axes.c.paint() : () => colors().accent;
    dots(ctx, marks, state.get("rows"), 0.8, paint);
    const row = state.get("row");
    if (row >= 0 && Number.isFinite(marks.xs[row]) && Number.isFinite(marks.ys[row])) ring(ctx, marks.xs[row], marks.ys[row], colors());
    draft.redraw();
  }

  return section("scatter", "Any two columns", h("span", {}, "Each dot is a row. Draw a box or a line around some of them to make a cohort of rows that all charts can be held to."),
    h("div", { class: "toolbar" }, controls, legend), h("div", { class: "toolbar draw" }, draft.switch, status, act), view.node);
}

/** What an axis or a colour shows: a number per row, spread a little where it is a category. */
function axisOf(title, lookup, n) {
  const named = lookup(title);
  const cells = Array.from({ length: n }, (_, i) => named.value(i));
  if (named.kind !== "category") {
    const values = cells.map((v) => (v === null ? NaN : v));
    const shown = named.kind === "time" ? date : (v) => num(v, 4);
    return {
      name: title, kind: named.kind, values, domain: extent(values), text: (i) => (cells[i] === null ? "missing" : shown(cells[i])), shown,
      ticks: (scale, about) => (named.kind === "time" ? timeTicks(...scale.domain, about) : linearTicks(scale, about)),
      paint() {
        const shares = quantiles(values);
        return (i) => ramp(shares[i]);
      },
    };
  }
  const counts = new Map();
  for (const v of cells) counts.set(v, (counts.get(v) ?? 0) + 1);
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_LEVELS).map(([v]) => v);
  const place = new Map(common.map((v, i) => [v, i]));
  const label = (v) => (v === null ? "missing" : v || "(empty)");
  const throwOf = (i) => ((Math.imul(i + 1, 2654435761) >>> 0) / 4294967296 - 0.5) * 0.5;
  const rest = counts.size > common.length;
  const levels = [...common.map(label), ...(rest ? [`${counts.size - common.length} others`] : [])];
  return {
    name: title, kind: "category", levels, domain: [-0.5, levels.length - 0.5], text: (i) => label(cells[i]),
    values: cells.map((v, i) => (place.get(v) ?? common.length) + throwOf(i)),
    ticks: (_, about, fits) => levels.map((text, i) => [i, short(text, Math.max(4, fits))]),
    paint: () => (i) => category(cells[i] === null ? NaN : place.get(cells[i]) ?? 99),
  };
}

function key(axis) {
  if (!axis) return null;
  const title = h("strong", {}, name(axis.name));
  if (axis.kind === "category") {
    return [title, axis.levels.slice(0, OWN_COLORS).map((text, i) => h("span", { class: "key" }, s("svg", { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" },
      s("circle", { cx: 5, cy: 5, r: 5, style: { fill: category(i) } })), name(text)))];
  }
  return [title, h("span", {}, axis.shown(axis.domain[0])), h("span", { class: "ramp", "aria-hidden": "true" }), h("span", {}, axis.shown(axis.domain[1]))];
}
