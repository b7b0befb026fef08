// An explanation on its own, from the payload in the page.

import { carriedAsker } from "./carried/asker.js";
import { explainedSections, startState } from "./explained.js";
import { distributionSection } from "./distributions.js";
import { h, swap } from "./dom.js";
import { exactness } from "./headline.js";
import { lineageSection } from "./lineage.js";
import { createSubject } from "./model.js";
import { count } from "./format.js";
import { sectionAddress } from "./sections.js";
import { topbar } from "./topbar.js";
import { notebookAsker } from "./notebook.js";
import { ready } from "./ready.js";

const started = performance.now();
const payload = JSON.parse(document.getElementById("payload").textContent);
const subject = createSubject(payload);
const { explained } = subject;
const state = startState(subject);
const address = sectionAddress(subject, state);
const asker = payload.live ? notebookAsker() : carriedAsker(subject, payload.model, "This page holds an explanation without its model; explanation.show(model=...) brings one of Pellucid’s along.");

const opening = h("section", { id: "overview", class: "headline", "aria-labelledby": "overview-title" },
  h("p", { class: "eyebrow" }, `${count(explained.n_explained, "row")}, ${count(explained.levels.raw.n, "feature")}`),
  h("h1", { id: "overview-title" }, "What the model goes by"),
  h("div", { class: "opening" }, exactness(subject),
    payload.certificate && h("details", {}, h("summary", {}, "The certificate"), h("pre", { tabindex: "0" }, payload.certificate))));

const all = [
  ["overview", "Overview", opening],
  ...explainedSections(subject, state, asker),
  ["lineage", "Lineage", lineageSection(subject, state)],
  ["columns", "Columns", distributionSection(subject, state)],
].filter(([, , node]) => node);
swap(document.getElementById("app"), topbar(subject, state, all), h("main", { id: "top" }, all.map(([, , node]) => node)));
address.begin();
ready(started);

// a widget's frame: Python may read what is selected
let first = true;
if (parent !== window) {
  state.on(["row", "rows"], ({ row, rows }) => {
    if (!first) parent.postMessage({ pellucidRows: rows ?? [row] }, "*");
    first = false;
  });
}
