// What was made of each raw column, and how much of all importance went through it.

import { short } from "./axes.js";
import { chart } from "./chart.js";
import { h, s, section } from "./dom.js";
import { count, percent } from "./format.js";
import { table } from "./table.js";

const RAWS = 10;
const EACH = 5; // engineered columns of one raw column that have a line of their own
const LINE = 22;

/** The section, or null for a run that has no engineered features. */
export function lineageSection({ explained, training }, state) {
  if (!explained?.n || !explained.levels.engineered || !explained.raw_of?.some((r) => r >= 0)) return null;
  const output = () => Math.max(0, state.get("output"));
  const actions = new Map((training.columns ?? []).map((c) => [c.name, c.action ?? ""]));
  const view = chart({
    label: "From raw columns to engineered columns, by share of importance; the table below says the same",
    height: () => LINE * groups(explained, output()).reduce((n, g) => n + g.rows.length + 0.6, 0.6),
    draw: ({ svg, width }) => draw(svg, width, groups(explained, output()), actions),
  });
  const twin = h("details", {}, h("summary", {}, "As a table"));
  state.on(["output"], () => {
    view.redraw();
    twin.replaceChildren(twin.firstChild, rowsOf(explained, output()));
  });
  const shown = Math.min(RAWS, explained.levels.raw.n);
  return section("lineage", "From your columns to the model’s",
    `The ${count(shown, "raw column")} that matter most, what was made of ${shown === 1 ? "it" : "each"}, and the share of all importance that each engineered column carries.`,
    view.node, twin);
}

/** Raw columns, largest first, each with its engineered ones; small ones together. */
export function groups(explained, output) {
  const { size, total } = explained.rank("engineered", output);
  const { raw, engineered } = explained.levels;
  const made = raw.names.map((label, r) => ({ label, r, share: 0, rows: [] }));
  explained.rank("engineered", output).order.forEach((e) => {
    const owner = made[explained.rawOf(e)];
    if (!owner) return;
    const share = total ? size[e] / total : 0;
    owner.share += share;
    owner.rows.push({ label: engineered.names[e], share });
  });
  const kept = made.filter((g) => g.rows.length).sort((a, b) => b.share - a.share).slice(0, RAWS);
  return kept.map((g) => {
    if (g.rows.length <= EACH + 1) return g;
    const rest = g.rows.slice(EACH);
    return { ...g, rows: [...g.rows.slice(0, EACH), { label: `${rest.length} others`, share: rest.reduce((a, b) => a + b.share, 0), rest: true }] };
  });
}

function draw(svg, width, all, actions) {
  const narrow = width < 560;
  const left = narrow ? width * 0.3 : width * 0.26;
  const right = narrow ? width * 0.44 : width * 0.46;
  const bars = narrow ? width * 0.76 : width * 0.76;
  const most = Math.max(...all.flatMap((g) => g.rows.map((row) => row.share)), 1e-12);
  const letters = (room) => Math.max(4, Math.floor(room / 7));
  let y = LINE * 0.6;
  for (const group of all) {
    const middle = y + (group.rows.length * LINE) / 2;
    const action = group.rows.length > 1 && !narrow ? actions.get(group.label) : "";
    svg.append(s("text", { class: "axis-label", x: left - 12, y: middle + (action ? -2 : 4), "text-anchor": "end" },
      s("title", {}, group.label), s("tspan", { class: "strong" }, short(group.label, letters(left - 52))), ` ${percent(group.share)}`));
    if (action) svg.append(s("text", { x: left - 12, y: middle + 13, "text-anchor": "end" }, short(action, letters(left - 12))));
    group.rows.forEach((row, i) => {
      const at = y + (i + 0.5) * LINE;
      const bend = (left + right) / 2;
      svg.append(
        s("path", { class: "flow", d: `M${left},${middle} C${bend},${middle} ${bend},${at} ${right - 8},${at}`, "stroke-width": Math.max(1, (14 * row.share) / most) }),
        s("text", { class: row.rest ? null : "axis-label", x: right, y: at + 4 }, s("title", {}, row.label), short(row.label, letters(bars - right - 8))),
        s("rect", { class: "share", x: bars, y: at - 5, height: 10, rx: 2, width: Math.max(1, (width - bars - 52) * (row.share / most)) }),
        s("text", { x: bars + 6 + Math.max(1, (width - bars - 52) * (row.share / most)), y: at + 4 }, percent(row.share)));
    });
    y += (group.rows.length + 0.6) * LINE;
  }
}

function rowsOf(explained, output) {
  const rows = groups(explained, output).flatMap((g) => g.rows.map((row) => ({ raw: g.label, ...row })));
  return table("Raw and engineered columns", [
    { label: "Raw column", show: (r) => r.raw, sort: (r) => r.raw, class: "grow" },
    { label: "Engineered column", show: (r) => r.label, sort: (r) => r.label, class: "grow" },
    { label: "Share of importance", number: true, sort: (r) => r.share, show: (r) => percent(r.share) },
  ], rows, { first: 20 });
}
