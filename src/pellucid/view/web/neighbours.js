// The rows nearest to the chosen one, by their cells or by their importances; a click goes there.

import { once } from "./decode.js";
import { h, name, swap } from "./dom.js";
import { num, percent, signed } from "./format.js";
import { measureOf } from "./measure.js";
import { whenNear } from "./near.js";
import { isSpread } from "./stats.js";
import { table } from "./table.js";

const PAUSE = 60; // milliseconds that a row must be looked at
const MOST = 5;
const NAMED = 2; // features that differ most

export function neighbours(subject, state) {
  const { explained } = subject;
  const { raw } = explained.levels;
  const measure = measureOf(raw);
  const compared = once(() => Array.from({ length: raw.n }, (_, f) => f).filter((f) => !isSpread(raw.column(f))));
  const place = h("div", {});
  const told = h("p", { class: "muted small" });
  let by = "cells";
  const button = (key, text) => h("button", { type: "button", "data-by": key, onclick: () => { by = key; show(); } }, text);
  const group = h("div", { class: "segmented", role: "group", "aria-label": "Nearness" }, button("cells", "By values"), button("importances", "By reasons"));

  /** What is compared, and by how much: feature -> the distance of each row from one in it. */
  const ways = {
    cells: (row) => [compared(), (f) => {
      const { values } = raw.column(f);
      const far = measure(f);
      return (i) => far(values[row], values[i]);
    }],
    importances(row) {
      const level = explained.levels[state.get("level")];
      const of = level.importances(Math.max(0, state.get("output")));
      return [Array.from({ length: level.n }, (_, f) => f), (f) => {
        const values = of(f);
        return (i) => Math.abs(values[row] - values[i]);
      }];
    },
  };

  function show() {
    const row = state.get("row");
    for (const node of group.children) node.setAttribute("aria-pressed", String(node.dataset.by === by));
    if (row < 0) return;
    const [features, farIn] = ways[by](row);
    const total = new Float64Array(explained.n);
    for (const f of features) {
      const far = farIn(f);
      for (let i = 0; i < total.length; i += 1) total[i] += far(i);
    }
    const others = Array.from(total, (far, i) => ({ i, far })).filter(({ i }) => i !== row)
      .sort((a, b) => a.far - b.far || a.i - b.i).slice(0, MOST);
    for (const each of others) {
      each.parts = features.map((feature) => ({ feature, far: farIn(feature)(each.i) })).filter((p) => p.far > 0)
        .sort((a, b) => b.far - a.far).slice(0, NAMED);
    }
    told.textContent = by === "cells" ? CELLS(raw.n - compared().length) : REASONS(explained.unit(Math.max(0, state.get("output"))));
    const held = [...place.querySelectorAll(".to-row")].indexOf(document.activeElement);
    swap(place, others.length ? table("Nearest rows", fields(subject, state, by, row, go), others, { first: MOST }) : h("p", { class: "muted" }, "There is no other row."));
    if (held >= 0) place.querySelectorAll(".to-row")[held]?.focus({ preventScroll: true });
  }

  /** To another row, whose own nearest rows then stand here; the keyboard stays on the table. */
  function go(i) {
    state.set({ row: i });
    document.getElementById("row")?.scrollIntoView();
  }

  const node = h("div", { class: "below" }, h("div", { class: "below-head" }, h("h3", {}, "Nearest rows"), group), place, told);
  let timer = 0;
  whenNear(node, () => state.on(["row", "level", "output"], () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  }));
  return node;
}

const CELLS = (n) => `Distance adds up over raw columns: numbers in typical spreads (median absolute deviations), 1 for another category or a missing cell${n ? `. ${n === 1 ? "A column" : `${num(n)} columns`} of texts ${n === 1 ? "is" : "are"} left out` : ""}.`;
const REASONS = (unit) => `Distance adds up how far importances lie apart, in the ${unit}: rows near by have the same reasons.`;

function fields({ explained, task }, state, by, row, go) {
  const output = Math.max(0, state.get("output"));
  const level = explained.levels[by === "cells" ? "raw" : state.get("level")];
  const of = level.importances(output);
  const truth = (i) => explained.truth(i) ?? "–";
  const wrong = (i) => task !== "regression" && explained.truth(i) !== null && explained.truth(i) !== explained.predicted(i);
  const differs = ({ i, parts }) => (parts.length ? parts.map(({ feature: f }, k) => [k ? ", " : "", name(level.names[f]), " ", h("b", {}, by === "cells" ? name(level.column(f).text(i)) : signed(of(f)[i])),
    h("span", { class: "muted" }, " (here ", by === "cells" ? name(level.column(f).text(row)) : signed(of(f)[row]), ")")]) : "in nothing");
  return [
    { label: "Row", show: ({ i }) => h("button", { type: "button", class: "to-row", onclick: () => go(i) }, h("span", { class: "sr" }, "Go to row "), name(explained.rows.ids[i])) },
    { label: task === "regression" ? "Predicted" : `P(${explained.nOutputs === 1 ? explained.classes?.[1] ?? "" : explained.classes?.[output] ?? output})`, number: true,
      show: ({ i }) => (task === "regression" ? explained.predicted(i) : percent(explained.chance(i, output))) },
    explained.rows.true && { label: "True", number: task === "regression", show: ({ i }) => h("span", { class: [wrong(i) && "wrong", String(truth(i)).length < 12 && "nowrap"].filter(Boolean).join(" ") }, name(truth(i)), wrong(i) && h("span", { class: "sr" }, " (predicted otherwise)")) },
    { label: "Distance", number: true, show: ({ far }) => num(far, 3) },
    { label: "Differs most in", class: "grow", show: differs },
  ].filter(Boolean);
}
