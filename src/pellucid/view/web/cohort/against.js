// Two cohorts side by side: how good the model is on each, how it scores them, and why.

import { axisBelow, axisLeft, linearTicks, short } from "../axes.js";
import { chart } from "../chart.js";
import { once } from "../decode.js";
import { h, name, s, section, swap } from "../dom.js";
import { count, metricValue, num, percent, signed } from "../format.js";
import { whenNear } from "../near.js";
import { linear } from "../scale.js";
import { extent, rank, rankOf } from "../stats.js";
import { table } from "../table.js";
import { figuresOf, measuresOf } from "./metrics.js";
import { allCohorts } from "./own.js";
import { cohortSelect } from "./picker.js";

const MARGIN = { top: 30, right: 12, bottom: 44, left: 52 };
const BINS = 28;
const WHICH = ["First", "Second"];

/** @param {import("./builder.js").Keeper|null} [keeper] counts all rows where the page has a sample */
export function againstSection(subject, state, keeper = null) {
  const { explained } = subject;
  const pickers = h("div", { class: "choices pickers" });
  const body = h("div", { class: "against" });

  /** Both sides as they are chosen; what is not chosen is all other rows. */
  function sides() {
    const offered = allCohorts(subject, state);
    const found = (id) => offered.find((c) => c.id === id && c.rows.length);
    // cohorts made of errors or of the truth say by themselves how good the model is on them
    const telling = (c) => c.rows.length && !/^(error|true):/.test(c.id);
    const first = found(state.get("one")) ?? found(state.get("cohort")) ?? offered.find(telling) ?? offered.find((c) => c.rows.length);
    if (!first) return null;
    const inside = new Set(first.rows);
    const others = { id: "", label: "all other rows", rows: Array.from({ length: explained.n }, (_, i) => i).filter((i) => !inside.has(i)) };
    return [first, found(state.get("with")) ?? others];
  }

  let near = false;
  let asked = 0;
  const counted = once((sides_) => {
    const [a, b, output] = JSON.parse(sides_);
    return Promise.all([keeper.totals(a, output), b.id ? keeper.totals(b, output) : keeper.totals(a, output, true)]);
  });

  async function show() {
    asked += 1;
    const mine = asked;
    const both = sides();
    if (!both) {
      swap(pickers);
      swap(body, h("p", { class: "note" }, "The rows are all alike: there are no two cohorts to compare."));
      return;
    }
    const [a, b] = both;
    swap(pickers, cohortSelect(WHICH[0], subject, state, a.id, (one) => state.set({ one }), "choose"),
      cohortSelect(WHICH[1], subject, state, b.id, (other) => state.set({ with: other }), "all other rows"),
      b.id && h("button", { type: "button", class: "quiet", onclick: () => state.set({ one: b.id, with: a.id }) }, "Swap"));
    const sample = explained.whole && `a sample of ${num(explained.n, 6)} of ${count(explained.whole.n, "explained row")}`;
    if (!sample || !keeper) return draw(both, sample && `The figures are of ${sample}: this page does not hold the others.${subject.run?.id ? " The studio counts them all." : ""}`);
    draw(both, `The figures are of ${sample}; all rows are being counted…`);
    if (!near) return;
    try {
      const totals = await counted(JSON.stringify([a, b, Math.max(0, state.get("output"))]));
      if (mine === asked) draw(both.map((side, k) => ({ ...side, totals: totals[k] })), `The figures are of all ${count(explained.whole.n, "explained row")}.`);
    } catch (error) {
      if (mine === asked) draw(both, `The figures are of ${sample}: ${error.message}`);
    }
  }

  /** Both sides as they are counted; `of` says what of. */
  function draw(both, of) {
    const known = both.map((side) => ({ ...side, n: side.totals?.n ?? side.rows.length }));
    swap(body, h("div", {}, key(known, explained.whole && !known[0].totals), of && h("p", { class: "muted small", role: "status" }, of)),
      known[1].n === 0 ? h("p", { class: "note" }, "The second has no rows.")
        : [h("div", { class: "against-in" }, figures(subject, known, state), h("figure", {}, h("figcaption", {}, h("h3", {}, "How they score")), scores(subject, known, state))), shares(subject, known, state)]);
  }

  state.on(["one", "with", "cohort", "own", "output", "level"], show);
  whenNear(body, () => { near = true; if (explained.whole && keeper) show(); });
  return section("cohorts", "Two cohorts", h("span", {}, "Where the model is better, how it scores, and what it goes by, on one part of the rows and on another. Two times are two cohorts by a date."),
    h("div", { class: "toolbar" }, pickers), body);
}

function key(both, sampled) {
  return h("p", { class: "legend" }, both.map((side, i) => h("span", { class: "key" }, h("i", { class: `part-${i}`, "aria-hidden": "true" }), `${WHICH[i]}: `, h("b", {}, name(side.label)), ` ${count(side.n, "row")}${sampled ? " of the sample" : ""}`)));
}

function figures(subject, both, state) {
  const output = Math.max(0, state.get("output"));
  const [a, b] = both.map((side) => figuresOf(subject, side.totals?.figures ?? measuresOf(subject, side.rows, output), output));
  const value = (f) => (f.value === null ? "–" : f.share ? percent(f.value, 1) : metricValue(f.value));
  const shown = (f) => [value(f), f.interval && f.value !== null && h("span", { class: "interval" }, f.interval.map((v) => percent(v, 1)).join(" to "))];
  const change = (f, i) => (f.value === null || b[i].value === null ? "–" : f.share ? points(b[i].value - f.value) : `${b[i].value > f.value ? "+" : ""}${metricValue(b[i].value - f.value)}`);
  const worse = (f, i) => f.better !== 0 && f.value !== null && b[i].value !== null && b[i].value !== f.value && (b[i].value > f.value) !== (f.better > 0);
  return table("Figures of both cohorts", [
    { label: "Figure", unseen: true, show: (f) => name(f.label), class: "grow" },
    { label: WHICH[0], number: true, show: shown },
    { label: WHICH[1], number: true, show: (f) => shown(b[f.i]) },
    { label: "Difference", number: true, show: (f) => h("span", { class: worse(f, f.i) ? "up" : null }, change(f, f.i), worse(f, f.i) && h("span", { class: "small" }, " worse")) },
  ], a.map((f, i) => ({ ...f, i })), { first: 20 });
}

/** A difference of shares in percentage points. */
function points(share) {
  const text = (100 * Math.abs(share)).toFixed(1);
  return text === "0.0" ? "0" : `${share > 0 ? "+" : "−"}${text} pp`;
}

/** Shares of rows by score, one outline a cohort. */
function scores({ explained, task, target }, both, state) {
  const output = Math.max(0, state.get("output"));
  const chances = task !== "regression" && explained.rows.probability;
  const of = (i) => (chances ? explained.chance(i, output) : explained.rows.predicted && task === "regression" ? explained.rows.predicted[i] : explained.rows.margins[i][output]);
  const told = both.every((side) => side.totals) ? both.map((side) => side.totals.figures.scores) : null;
  const values = both.map((side) => side.rows.map(of).filter(Number.isFinite));
  const domain = told ? told[0].edges : chances ? [0, 1] : extent(values.flat());
  const wide = (domain[1] - domain[0]) / BINS || 1;
  const parts = told ? told.map(({ counts }) => sharesOf(counts)) : values.map((side) => {
    const bins = new Array(BINS).fill(0);
    for (const v of side) bins[Math.min(BINS - 1, Math.max(0, Math.floor((v - domain[0]) / wide)))] += 1;
    return sharesOf(bins);
  });
  const what = chances ? `chance of ${explained.outcome(output)}` : task === "regression" ? `predicted ${short(target, 40)}` : explained.unit(output);
  const middle = (side, k) => num(told ? told[k].median : [...side].sort((a, b) => a - b)[Math.floor(side.length / 2)] ?? NaN, 3);
  return chart({
    label: `Share of rows by ${what}; the median is ${middle(values[0], 0)} in ${short(both[0].label, 60)} and ${middle(values[1], 1)} in ${short(both[1].label, 60)}`,
    height: (width) => Math.max(220, Math.min(320, width * 0.6)),
    draw({ svg, width, height }) {
      const plot = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
      const x = linear(domain[0] < domain[1] ? domain : [domain[0] - 0.5, domain[0] + 0.5], [plot.left, plot.right]);
      const y = linear([0, Math.max(...parts.flat(), 1e-9)], [plot.bottom, plot.top]);
      axisLeft(svg, y, linearTicks(y, 4).map(([v]) => [v, percent(v || 0)]), { ...plot, label: "share of rows" });
      axisBelow(svg, x, linearTicks(x, width / 90), { ...plot, label: what, grid: false });
      parts.forEach((bins, k) => {
        const edge = (i) => plot.left + ((plot.right - plot.left) * i) / BINS;
        const line = bins.map((v, i) => `H${edge(i).toFixed(1)}V${y(v).toFixed(1)}H${edge(i + 1).toFixed(1)}`).join("");
        svg.append(s("path", { class: `outline outline-${k}`, d: `M${plot.left},${plot.bottom}${line}V${plot.bottom}Z` }));
      });
    },
    hover(at, _, width) {
      const i = Math.floor(((at - MARGIN.left) / (width - MARGIN.left - MARGIN.right)) * BINS);
      if (!(i >= 0 && i < BINS)) return null;
      const edge = (k) => num(domain[0] + k * wide, 3);
      return { lines: [`${edge(i)} to ${edge(i + 1)}`, ...both.map((side, k) => h("span", {}, name(short(side.label, 40)), `: ${percent(parts[k][i], 1)}`))] };
    },
  }).node;
}

/** Counts as shares of their sum. */
function sharesOf(counts) {
  const sum = counts.reduce((a, b) => a + b, 0) || 1;
  return counts.map((n) => n / sum);
}

function shares({ explained }, both, state) {
  const which = state.get("level");
  const level = explained.levels[which];
  const output = Math.max(0, state.get("output"));
  const ranks = both.map((side) => (side.totals ? rankOf(side.totals.size[which], output) : rank(level, output, explained.nOutputs, side.rows)));
  const most = Math.max(...ranks.flatMap((r) => r.size[r.order[0]] ?? 0), 1e-12);
  const places = ranks.map((r) => new Map(r.order.map((f, i) => [f, i + 1])));
  const rows = [...level.names.keys()].map((f) => ({ f, sizes: ranks.map((r) => r.size[f]), places: places.map((p) => p.get(f)) }))
    .sort((p, q) => Math.max(...q.sizes) - Math.max(...p.sizes));
  const bar = (r, k) => h("span", { class: "inline-bar" }, h("span", { class: "bar-box", "aria-hidden": "true" },
    h("i", { class: `part-${k}`, style: { width: `${(100 * r.sizes[k]) / most}%` } })), num(r.sizes[k], 3));
  return h("div", { class: "goes-by" }, h("h3", {}, "What the model goes by"), table("Importance in both cohorts", [
    { label: "Feature", sort: (r) => level.names[r.f], class: "grow", show: (r) => name(level.names[r.f]) },
    { label: WHICH[0], number: true, sort: (r) => r.sizes[0], show: (r) => bar(r, 0) },
    { label: WHICH[1], number: true, sort: (r) => r.sizes[1], show: (r) => bar(r, 1) },
    { label: "Difference", number: true, sort: (r) => Math.abs(r.sizes[1] - r.sizes[0]), show: (r) => signed(r.sizes[1] - r.sizes[0], 3) },
    { label: "Rank", number: true, sort: (r) => r.places[1], show: ({ places: [p, q] }) => h("span", {}, `${p} → ${q}`, h("span", { class: "move" }, p === q ? "" : p > q ? ` ▲${p - q}` : ` ▼${q - p}`)) },
  ], rows, { first: 12 }));
}
