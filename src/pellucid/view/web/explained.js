// What is explained of a model: importance, dependence and single rows, about one choice.

import { againstSection } from "./cohort/against.js";
import { followCohort } from "./cohort/own.js";
import { dependenceSection } from "./dependence.js";
import { FIRST, importanceSection } from "./importance.js";
import { rowSection } from "./row.js";
import { scatterSection } from "./scatter.js";
import { createState } from "./state.js";
import { START } from "./threshold.js";

/** What the reader looks at first. */
export function startState(subject) {
  const { explained } = subject;
  const state = createState({
    level: "raw", output: firstOutput(explained), feature: 0, color: "auto", open: null, row: -1, rows: null, edits: null,
    view: "", search: "", shown: FIRST, over: "one", find: "", sort: "high",
    own: [], cohort: "", totals: null, x: "", y: "", by: "", one: "", with: "", threshold: START,
  });
  if (!explained?.n) return state;
  state.set({ feature: explained.rank("raw", state.get("output")).order[0] });
  followLevel(explained, state);
  followCohort(subject, state);
  return state;
}

/**
 * Sections as id, title and node; none for a run without explained rows.
 * @param {import("./carried/asker.js").Asker} asker who answers what else is asked of the model
 * @param {import("./cohort/builder.js").Keeper|null} [keeper] stores cohorts with the run
 */
export function explainedSections(subject, state, asker, keeper = null) {
  if (!subject.explained?.n) return [];
  return [
    ["importance", "Importance", importanceSection(subject, state)],
    ["dependence", "Dependence", dependenceSection(subject, state, asker)],
    ["row", "One row", rowSection(subject, state, asker)],
    ["scatter", "Scatter", scatterSection(subject, state, keeper)],
    ...(subject.explained.n > 1 ? [["cohorts", "Cohorts", againstSection(subject, state, keeper)]] : []),
  ];
}

/** The class that the model predicts most often; its reasons have most to tell. */
function firstOutput(explained) {
  if (!explained || explained.nOutputs === 1) return 0;
  const counts = new Array(explained.nOutputs).fill(0);
  for (const label of explained.rows.predicted ?? []) counts[label] += 1;
  return counts.indexOf(Math.max(...counts));
}

/** Raw and engineered features have numbers of their own: keep to the same column across. */
function followLevel(explained, state) {
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
