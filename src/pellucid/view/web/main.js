// The report, from the payload in the page.

import { carriedAsker } from "./carried/asker.js";
import { dataSection } from "./data.js";
import { explainedSections, startState } from "./explained.js";
import { distributionSection } from "./distributions.js";
import { footer } from "./footer.js";
import { h, swap } from "./dom.js";
import { headline } from "./headline.js";
import { lineageSection } from "./lineage.js";
import { qualitySection } from "./quality.js";
import { createSubject } from "./model.js";
import { ready } from "./ready.js";
import { sectionAddress } from "./sections.js";
import { topbar } from "./topbar.js";
import { whatIfSection } from "./whatif.js";

const started = performance.now();
const payload = JSON.parse(document.getElementById("payload").textContent);
const subject = createSubject(payload);
const state = startState(subject);
const address = sectionAddress(subject, state);
const asker = { ...carriedAsker(subject, payload.model, "This report was written without its model."), edit };

const all = [
  ["overview", "Overview", headline(subject)],
  ...explainedSections(subject, state, asker),
  ["what-if", "What if", whatIfSection(subject, state, payload.model, asker.open)],
  ["model", "Model", qualitySection(subject, state)],
  ["lineage", "Lineage", lineageSection(subject, state)],
  ["columns", "Columns", distributionSection(subject, state)],
  ["data", "Data", dataSection(subject, state)],
].filter(([, , node]) => node);
swap(document.getElementById("app"), h("a", { class: "skip", href: "#overview" }, "Skip to the report"),
  topbar(subject, state, all), h("main", { id: "top" }, all.map(([, , node]) => node)), footer(subject));
address.begin();
ready(started);

/** A row with other cells, in the form of this page. */
function edit(row, cells) {
  state.set({ row, edits: { row, cells } });
  document.getElementById("what-if")?.scrollIntoView();
}
