// The cells of each raw column, by class, with what is missing.

import { axisBelow, linearTicks, short } from "./axes.js";
import { chart } from "./chart.js";
import { OWN_COLORS } from "./color.js";
import { quantile } from "./cohorts.js";
import { h, name, s, section, swap } from "./dom.js";
import { count, date, num, percent } from "./format.js";
import { linear, timeTicks } from "./scale.js";
import { extent, isSpread } from "./stats.js";

const FIRST = 9;
const MORE = 30;
const BINS = 24;
const LEVELS = 8;

/** The section, or null where the page holds no rows. */
export function distributionSection(subject, state) {
  const { explained, target } = subject;
  if (!explained?.n) return null;
  const whole = partition(subject);
  const lede = h("span", {});
  const grid = h("div", { class: "small-charts" });
  const foot = h("div", { class: "imp-foot" });
  let shown = FIRST;
  function render() {
    const rows = state.get("rows");
    const all = rows ? state.get("totals") : explained.whole;
    const parts = within(whole, rows);
    swap(lede, `The cells of ${count(all?.n ?? rows?.length ?? explained.n, "explained row")}${rows ? ` of ${all ? num(explained.whole.n, 9) : explained.whole ? `a sample of ${num(explained.n, 6)}` : num(explained.n, 6)}` : ""}, most important columns first`,
      parts.labels.length > 1 && [", by ", parts.of, " ", name(target)], ".");
    const { order } = explained.rank("raw", Math.max(0, state.get("output")));
    swap(grid, order.slice(0, shown).map((f) => one(explained, f, parts, all)));
    swap(foot, order.length > shown && h("button", { type: "button", class: "quiet", onclick: () => { shown += MORE; render(); } },
      `Show ${Math.min(MORE, order.length - shown)} more columns of ${order.length}`));
  }
  state.on(["output", "rows", "totals"], render);
  return section("columns", "How the columns look",
    lede, h("div", { class: "toolbar" }, legend(whole)), grid, foot);
}

/** Rows by class, or by thirds of a value; classes beyond the palette share its last colour. */
function partition({ explained, task }) {
  const { rows, classes, n, whole } = explained;
  const labels = rows.true ?? rows.predicted;
  const of = rows.true ? "true" : "predicted";
  if (!labels) return { of, labels: ["rows"], part: new Int16Array(n) };
  if (task === "regression") {
    const cuts = whole?.parts.cuts ?? [quantile(labels, 1 / 3), quantile(labels, 2 / 3)];
    const words = [`below ${num(cuts[0], 3)}`, "between", `from ${num(cuts[1], 3)}`];
    return { of, labels: words, part: Int16Array.from(labels, (v) => (v < cuts[0] ? 0 : v < cuts[1] ? 1 : 2)) };
  }
  const counts = new Map();
  for (const k of labels) counts.set(k, (counts.get(k) ?? 0) + 1);
  const common = whole?.parts.classes ?? [...counts].filter(([k]) => k >= 0).sort((a, b) => b[1] - a[1]).slice(0, OWN_COLORS).map(([k]) => k).sort((a, b) => a - b);
  const place = new Map(common.map((k, i) => [k, i]));
  const words = common.map((k) => classes?.[k] ?? k);
  const rest = counts.size > common.length;
  if (rest) words.push("others");
  return { of, labels: words, part: Int16Array.from(labels, (k) => place.get(k) ?? common.length) };
}

/** Parts of a cohort's rows alone; the others are in none. */
function within(parts, rows) {
  if (!rows) return parts;
  const part = new Int16Array(parts.part.length).fill(-1);
  for (const i of rows) part[i] = parts.part[i];
  return { ...parts, part };
}

function legend({ labels }) {
  const swatch = (i) => s("svg", { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" }, s("rect", { class: `part-${Math.min(i, 7)}`, width: 10, height: 10, rx: 2 }));
  return h("div", { class: "legend" }, labels.length > 1 && labels.map((label, i) => h("span", { class: "key" }, swatch(i), name(label))));
}

function one(explained, f, parts, all) {
  const known = all?.columns[f];
  const column = explained.levels.raw.column(f);
  const label = explained.levels.raw.names[f];
  const here = column.values.filter((_, i) => parts.part[i] >= 0);
  const n = known ? all.n : here.length;
  const missing = known?.missing ?? here.reduce((sum, v) => sum + Number.isNaN(v), 0);
  const odd = known?.odd ?? here.reduce((sum, v) => sum + (v === Infinity || v === -Infinity), 0);
  const bins = known ? binned(namesOf(known, column), known.counts, known.edges ?? null, parts) : binsOf(column, parts);
  const said = [missing && `${percent(missing / n)} missing`, odd && count(odd, "infinite value")].filter(Boolean).join(", ");
  const view = chart({
    label: `${label}: ${bins.words()}${said ? `; ${said}` : ""}`,
    height: () => 132,
    draw: ({ svg, width, height }) => draw(svg, width, height, column, bins),
    hover: (x) => bins.hover(x),
  });
  return h("figure", { class: "figure" }, h("figcaption", {}, h("h3", {}, name(label)), h("p", { class: "muted small" }, said || "none missing")), view.node);
}

/** Counts by bin and part: the commonest levels of a category, else equal steps. */
function binsOf(column, { part, labels }) {
  const { values } = column;
  const nParts = labels.length;
  let at;
  let names;
  let edges = null;
  if (column.kind === "category") {
    const counts = new Map();
    for (const v of values) if (!Number.isNaN(v)) counts.set(v, (counts.get(v) ?? 0) + 1);
    const common = isSpread(column) ? [] : [...counts].sort((a, b) => b[1] - a[1]).slice(0, LEVELS).map(([v]) => v);
    const place = new Map(common.map((v, i) => [v, i]));
    names = common.map((v) => column.levels[v]);
    if (counts.size > common.length) names.push(common.length ? `${counts.size - common.length} others` : `${counts.size} different`);
    at = (v) => (Number.isNaN(v) ? -1 : place.get(v) ?? common.length);
  } else {
    const [low, high] = extent(values);
    const distinct = new Set(values.filter(Number.isFinite)).size;
    const n = Math.max(1, Math.min(BINS, distinct));
    edges = [low, high];
    names = stepNames(column, edges, n);
    at = (v) => (Number.isFinite(v) ? Math.min(n - 1, Math.floor(((v - low) / (high - low || 1)) * n)) : -1);
  }
  const counts = names.map(() => new Array(nParts).fill(0));
  values.forEach((v, i) => {
    const bin = at(v);
    if (bin >= 0 && part[i] >= 0) counts[bin][part[i]] += 1;
  });
  return binned(names, counts, edges, { labels });
}

/** Names of equal steps. */
function stepNames(column, [low, high], n) {
  const text = (v) => (column.kind === "time" ? date(v) : num(v, 4));
  return Array.from({ length: n }, (_, i) => `${text(low + ((high - low) * i) / n)} to ${text(low + ((high - low) * (i + 1)) / n)}`);
}

/** Names of the bins of a histogram of all rows. */
function namesOf({ edges, levels, others, counts }, column) {
  if (edges) return stepNames(column, edges, counts.length);
  return [...levels, ...(others ? [levels.length ? `${others} others` : `${others} different`] : [])];
}

function binned(names, counts, edges, { labels }) {
  const totals = counts.map((c) => c.reduce((a, b) => a + b, 0));
  const bins = {
    names, counts, totals, edges, x: null,
    most: Math.max(...totals, 1),
    words: () => names.map((text, i) => `${short(text, 40)} ${totals[i]}`).slice(0, 12).join(", "),
    hover(x) {
      const i = bins.x ? bins.x(x) : -1;
      if (totals[i] === undefined) return null;
      const told = labels.length > 1 ? labels.map((text, k) => [text, counts[i][k]]).filter(([, n]) => n) : [];
      return { lines: [h("span", {}, name(names[i])), count(totals[i], "row"), ...told.map(([text, n]) => h("span", {}, name(text), ` ${num(n)} (${percent(n / totals[i])})`))] };
    },
  };
  return bins;
}

function draw(svg, width, height, column, bins) {
  if (!bins.totals.some((n) => n > 0)) {
    svg.append(s("text", { x: 2, y: height / 2 }, "no cells to draw"));
    return;
  }
  const plot = { left: 2, right: width - 2, top: 4, bottom: height - 22 };
  const wide = (plot.right - plot.left) / Math.max(1, bins.names.length);
  bins.x = (x) => Math.floor((x - plot.left) / wide);
  const y = linear([0, bins.most], [plot.bottom, plot.top]);
  bins.counts.forEach((parts, i) => {
    let from = 0;
    parts.forEach((n, k) => {
      if (!n) return;
      const [top, foot] = [y(from + n), y(from)];
      svg.append(s("rect", { class: `part-${Math.min(k, 7)}`, x: plot.left + i * wide + 0.5, width: Math.max(1, wide - 1), y: top, height: foot - top }));
      from += n;
    });
  });
  if (bins.edges) {
    const x = linear(bins.edges, [plot.left, plot.right]);
    const about = Math.max(2, Math.floor(width / 80));
    axisBelow(svg, x, column.kind === "time" ? timeTicks(...bins.edges, about) : linearTicks(x, about), { ...plot, grid: false });
  } else {
    bins.names.forEach((text, i) => svg.append(s("text", { class: "tick", x: plot.left + (i + 0.5) * wide, y: plot.bottom + 16, "text-anchor": "middle" }, short(text, Math.max(1, Math.floor(wide / 7) - 1)))));
    svg.append(s("line", { class: "axis", x1: plot.left, x2: plot.right, y1: plot.bottom, y2: plot.bottom }));
  }
}
