// Which rows the page speaks of: all, a cohort by what is known of them, or one of the reader's own.

import { h, select, swap } from "../dom.js";
import { num } from "../format.js";
import { openBuilder } from "./builder.js";
import { allCohorts } from "./own.js";

/**
 * @param {Object} subject
 * @param {Object} state
 * @param {import("./builder.js").Keeper|null} [keeper] stores cohorts with the run
 */
export function cohortPicker(subject, state, keeper = null) {
  const box = h("div", { class: "cohort-pick" });
  const add = h("button", { type: "button", class: "quiet icon", "aria-label": "New cohort", title: "New cohort", onclick: () => openBuilder(subject, state, keeper) }, "+");
  state.on(["output", "own"], () => swap(box, cohortSelect("Cohort", subject, state, state.get("cohort"), (cohort) => state.set({ cohort })), add));
  state.on(["cohort"], ({ cohort }) => { box.querySelector("select").value = cohort; });
  return box;
}

/** A select of all cohorts; `without` names the first choice. */
export function cohortSelect(label, subject, state, chosen, onchange, without = "all rows") {
  const offered = allCohorts(subject, state);
  return select(label, [["", without], ...offered.map((c) => [c.id, `${c.label} (${num(c.rows.length)}${subject.explained.whole ? " of the sample" : ""})`])],
    offered.some((c) => c.id === chosen) ? chosen : "", onchange);
}
