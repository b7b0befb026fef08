// The report, from the payload in the page.

import { dataSection } from "./data.js";
import { dependenceSection } from "./dependence.js";
import { footer } from "./footer.js";
import { h, swap } from "./dom.js";
import { headline } from "./headline.js";
import { hideTip } from "./tooltip.js";
import { importanceSection } from "./importance.js";
import { qualitySection } from "./quality.js";
import { rowSection } from "./row.js";
import { createState } from "./state.js";
import { createSubject } from "./model.js";
import { topbar } from "./topbar.js";
import { watchTheme } from "./color.js";

const started = performance.now();
const subject = createSubject(JSON.parse(document.getElementById("payload").textContent));
const { explained } = subject;
const state = createState({
  level: "raw", output: firstOutput(), feature: 0, color: "auto", open: null, row: -1,
});

watchTheme();
const main = h("main", { id: "top" }, headline(subject));
const sections = [["overview", "Overview"]];

function add(id, title, node) {
  sections.push([id, title]);
  main.append(node);
}

if (explained?.n) {
  state.set({ feature: explained.rank("raw", state.get("output")).order[0] });
  followLevel();
  add("importance", "Importance", importanceSection(subject, state));
  add("dependence", "Dependence", dependenceSection(subject, state));
  add("row", "One row", rowSection(subject, state));
}
add("model", "Model", qualitySection(subject, state));
add("data", "Data", dataSection(subject, state));
swap(document.getElementById("app"), h("a", { class: "skip", href: "#overview" }, "Skip to the report"),
  topbar(subject, state, sections), main, footer(subject));
addEventListener("scroll", hideTip, { passive: true });
addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
document.documentElement.dataset.ready = String(Math.round(performance.now() - started));

/** The class that the model predicts most often; its reasons have most to tell. */
function firstOutput() {
  if (!explained || explained.nOutputs === 1) return 0;
  const counts = new Array(explained.nOutputs).fill(0);
  for (const label of explained.rows.predicted ?? []) counts[label] += 1;
  return counts.indexOf(Math.max(...counts));
}

/** Raw and engineered features have numbers of their own: keep to the same column across. */
function followLevel() {
  let before = state.get("level");
  state.on(["level"], ({ level }) => {
    if (level === before) return;
    const feature = state.get("feature");
    const output = state.get("output");
    const other = level === "raw" ? explained.rawOf(feature) : explained.madeOf(feature, output)[0];
    before = level;
    state.set({ feature: other >= 0 ? other : explained.rank(level, output).order[0], color: "auto", open: null });
  });
}
