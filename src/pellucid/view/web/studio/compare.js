// Two runs side by side: how good they are, and what they base their predictions on.

import { h, name, section, select } from "../dom.js";
import { lowerIsBetter, metricName, metricValue, percent } from "../format.js";
import { table } from "../table.js";
import { ask } from "./api.js";
import { to } from "./link.js";

export async function comparePage(first, second) {
  if (!first || !second) throw new Error("Choose two runs to compare.");
  const [found, { runs }] = await Promise.all([
    ask(`/api/compare?${new URLSearchParams({ first, second })}`), ask("/api/runs")]);
  const [one, other] = found.runs;
  const done = runs.filter((r) => r.status === "FINISHED").map((r) => [r.id, `${r.name} (${r.target})`]);
  const go = (a, b) => { location.hash = to(["compare", a, b]); };
  return {
    title: `${one.name} and ${other.name}`,
    path: [{ text: "Compare", href: to(["compare", one.id, other.id]) }],
    node: h("div", {},
      h("section", { class: "headline" }, h("h1", {}, name(one.name), " and ", name(other.name)),
        h("p", { class: "lede" }, words(found)),
        h("div", { class: "choices pickers" }, select("First", done, one.id, (id) => go(id, other.id)),
          select("Second", done, other.id, (id) => go(one.id, id)),
          h("button", { type: "button", class: "quiet", onclick: () => go(other.id, one.id) }, "Swap"))),
      scores(found), importances(found)),
  };
}

function words({ same_data: same, same_target: target, shift, importances }) {
  const about = same ? "Both learned from the same table." : target
    ? "They learned from different tables, so their scores are of other rows." : "They predict different targets.";
  return importances.length ? `${about} ${percent(shift)} of the importance went to other features.` : about;
}

function scores({ metrics, runs }) {
  const rows = [];
  for (const [part, where] of [["test", "test"], ["cv", "cross-validation"]]) {
    const [a, b] = metrics.map((m) => m?.[part] ?? {});
    for (const id of Object.keys({ ...a, ...b })) rows.push({ id, where, a: a[id] ?? null, b: b[id] ?? null });
  }
  const primary = runs[0].metric;
  const change = (r) => (r.a === null || r.b === null ? null : r.b - r.a);
  // what both have comes first: one of them may have no test rows
  rows.sort((x, y) => (change(x) === null) - (change(y) === null) || (y.id === primary) - (x.id === primary));
  const better = (r) => (change(r) === null || change(r) === 0 ? "" : (change(r) < 0) === lowerIsBetter(r.id) ? "better" : "worse");
  return section("scores", "Scores", null, table("Scores of both runs", [
    { label: "Metric", sort: (r) => metricName(r.id), show: (r) => metricName(r.id), class: "grow" },
    { label: "On", sort: (r) => r.where, show: (r) => h("span", { class: "muted nowrap" }, r.where) },
    { label: runs[0].name, number: true, sort: (r) => r.a, show: (r) => metricValue(r.a) },
    { label: runs[1].name, number: true, sort: (r) => r.b, show: (r) => metricValue(r.b) },
    { label: "Difference", number: true, sort: change, show: (r) => h("span", { class: better(r) === "worse" ? "up" : better(r) ? "down" : null },
      change(r) === null ? "–" : `${change(r) > 0 ? "+" : ""}${metricValue(change(r))}${better(r) ? `, ${better(r)}` : ""}`) },
  ], rows, { first: 14 }));
}

function importances({ importances: all, runs }) {
  if (!all.length) return section("shares", "What they base it on", "Neither run holds an explanation.");
  const most = Math.max(...all.flatMap((r) => r.shares.map((s) => s ?? 0)), 1e-12);
  const share = (r, i) => (r.shares[i] === null ? h("span", { class: "muted" }, "–")
    : h("span", { class: "inline-bar" }, h("span", { class: "bar-box", "aria-hidden": "true" },
      h("i", { class: `side-${i}`, style: { width: `${(100 * r.shares[i]) / most}%` } })), percent(r.shares[i])));
  const shift = (r) => (r.shares[1] ?? 0) - (r.shares[0] ?? 0);
  const rows = all.map((r, i) => ({ ...r, i }));
  return section("shares", "What they base it on", "Each raw feature’s share of all importance, and its place in the ranking.", table("Importance", [
    { label: "Feature", sort: (r) => r.feature, show: (r) => name(r.feature), class: "grow" },
    { label: runs[0].name, number: true, sort: (r) => r.shares[0], show: (r) => share(r, 0) },
    { label: runs[1].name, number: true, sort: (r) => r.shares[1], show: (r) => share(r, 1) },
    { label: "Shift", number: true, sort: (r) => Math.abs(shift(r)), show: (r) => points(shift(r)) },
    { label: "Rank", number: true, sort: (r) => r.ranks[1], show: rank },
  ], rows, { first: 30 }));
}

/** A difference of shares in percentage points. */
function points(share) {
  const text = (100 * Math.abs(share)).toFixed(1);
  return text === "0.0" ? "0" : `${share > 0 ? "+" : "−"}${text} pp`;
}

function rank({ ranks: [a, b] }) {
  if (a === null) return h("span", {}, `new at ${b}`);
  if (b === null) return h("span", { class: "muted" }, `gone from ${a}`);
  const by = a - b;
  return h("span", {}, `${a} → ${b}`, h("span", { class: "move" }, by === 0 ? "" : by > 0 ? ` ▲${by}` : ` ▼${-by}`));
}
