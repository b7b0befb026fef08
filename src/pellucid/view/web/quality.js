// The model: what was tried, what the ensemble is made of, how good it is, where the time went.

import { calibration, curves, residuals, scatter } from "./curves.js";
import { confusion } from "./confusion.js";
import { h, name, section, swap } from "./dom.js";
import { count, duration, familyName, fixed, lowerIsBetter, metricName, metricValue, percent } from "./format.js";
import { extent } from "./stats.js";
import { table } from "./table.js";
import { threshold } from "./threshold.js";

export function qualitySection({ training }, state) {
  const drawn = training.curves ?? {};
  const where = { test: "On the test rows.", cv: "On out-of-fold predictions of the training rows." }[training.curves_from];
  const figures = h("div", { class: "figures" });
  const sliding = drawn.thresholds && threshold(drawn.confusion, drawn.thresholds, state);
  state.on(["output"], ({ output }) => {
    const label = drawn.confusion?.labels?.[output] ?? null;
    swap(figures,
      drawn.roc?.length && figure("ROC", curves(drawn.roc, label, { x: "false positive rate", y: "true positive rate", diagonal: true, score: "area" })),
      drawn.pr?.length && figure("Precision and recall", curves(drawn.pr, label, { x: "recall", y: "precision", score: "average precision" })),
      drawn.calibration?.predicted?.length && figure("Calibration", calibration(drawn.calibration)),
      sliding ? figure("Confusion by threshold", sliding, true)
        : drawn.confusion?.counts?.length && figure("Confusion", confusion(drawn.confusion), drawn.confusion.labels.length > 4),
      drawn.predicted_true?.true?.length && figure("Predicted and true", scatter(drawn.predicted_true)),
      drawn.predicted_true?.true?.length && figure("Residuals", residuals(drawn.predicted_true)));
  });
  return section("model", "How good, and what was tried", where ?? null,
    figures.children.length > 0 && figures,
    leaderboard(training), h("div", { class: "split" }, ensemble(training), time(training)));
}

function figure(title, content, wide = false) {
  return h("figure", { class: wide ? "figure wide" : "figure" }, h("figcaption", {}, h("h3", {}, title)), content);
}

function leaderboard(training) {
  const board = training.leaderboard ?? [];
  if (!board.length) return null;
  const id = training.primary_metric;
  const score = (t) => t.metrics?.[id] ?? null;
  const [low, high] = extent(board.map((t) => score(t) ?? NaN));
  const [worst, best] = lowerIsBetter(id) ? [high, low] : [low, high];
  const place = (v) => (high > low ? (100 * (v - worst)) / (best - worst) : 100);
  const rows = board.map((t, i) => ({ ...t, rank: i + 1, class: t.family === "ensemble" ? "best" : null }));
  return h("div", {}, h("h3", {}, "Leaderboard"),
    h("p", { class: "muted" }, `${metricName(id)} in cross-validation; the dot stands between the worst trial (${metricValue(worst)}) and the best (${metricValue(best)}).`),
    table("Leaderboard", [
      { label: "#", show: (t) => t.rank, sort: (t) => t.rank, class: "muted narrow" },
      { label: "Trial", show: (t) => [name(t.name ?? "–"), t.note && t.family !== "ensemble" && h("span", { class: "muted small" }, " ", name(t.note))], sort: (t) => String(t.name), class: "grow" },
      { label: "Family", show: (t) => familyName(t.family), sort: (t) => String(t.family) },
      { label: metricName(id), number: true, sort: score, show: (t) => (score(t) === null ? h("span", { class: "muted" }, t.status ?? "–")
        : h("span", { class: "dotplot" }, h("span", { class: "track", "aria-hidden": "true" }, h("i", { style: { left: `${place(score(t))}%` } })), metricValue(score(t)))) },
      { label: "Weight", number: true, sort: (t) => t.weight ?? 0, show: (t) => (t.weight ? fixed(t.weight, 3) : "") },
      { label: "Time", number: true, sort: (t) => t.seconds ?? null, show: (t) => duration(t.seconds) },
    ], rows, { first: 10 }));
}

function ensemble(training) {
  const members = [...(training.ensemble ?? [])].filter((m) => m.weight).sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  if (!members.length) return null;
  const largest = Math.abs(members[0].weight);
  return h("div", {}, h("h3", {}, "What the ensemble is made of"),
    h("p", { class: "muted" }, "Its margin is the weighted sum of its members’ margins."),
    h("ul", { class: "bars" }, members.map((m) => h("li", {},
      h("span", {}, name(m.name), !saysFamily(m) && h("span", { class: "muted" }, ` ${familyName(m.family)}`)),
      h("span", { class: "bar-box", "aria-hidden": "true" }, h("i", { style: { width: `${(100 * Math.abs(m.weight)) / largest}%` } })),
      h("span", { class: "n" }, fixed(m.weight, 3))))));
}

function saysFamily({ name: text, family }) {
  return String(text).toLowerCase().startsWith(String(family).toLowerCase());
}

const STAGES = [["featurize", "Featurize"], ["search", "Search"], ["refit", "Refit"], ["explain", "Explain"]];

function time(training) {
  const { seconds } = training;
  if (!seconds?.total) return null;
  const parts = STAGES.filter(([key]) => seconds[key] > 0).map(([key, label]) => ({ key, label, value: seconds[key] }));
  const rest = seconds.total - parts.reduce((sum, p) => sum + p.value, 0);
  if (rest > 0.005 * seconds.total) parts.push({ key: "rest", label: "Store", value: rest });
  return h("div", {}, h("h3", {}, "Where the time went"),
    h("p", { class: "muted" }, `${duration(seconds.total)} in all${training.time_budget ? `, of a budget of ${duration(training.time_budget)}` : ""}${board(training)}.`),
    h("div", { class: "stack", "aria-hidden": "true" }, parts.map((p) => h("i", { class: `stage-${p.key}`, style: { "flex-grow": p.value } }))),
    h("ul", { class: "stages" }, parts.map((p) => h("li", {}, h("i", { class: `stage-${p.key}`, "aria-hidden": "true" }), p.label,
      h("span", { class: "n" }, duration(p.value)), h("span", { class: "n muted" }, percent(p.value / seconds.total))))));
}

function board(training) {
  const tried = (training.leaderboard ?? []).filter((t) => t.family !== "ensemble").length;
  return tried ? `, ${count(tried, "trial")}` : "";
}
