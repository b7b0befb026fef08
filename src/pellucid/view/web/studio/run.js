// One run: what it found, and what it explained.

import { addressed } from "../address.js";
import { followTotals } from "../cohort/own.js";
import { dataSection } from "../data.js";
import { distributionSection } from "../distributions.js";
import { h, name, swap } from "../dom.js";
import { explainedSections, startState } from "../explained.js";
import { headline } from "../headline.js";
import { lineageSection } from "../lineage.js";
import { createSubject } from "../model.js";
import { qualitySection } from "../quality.js";
import { sectioned } from "../sections.js";
import { controls } from "../topbar.js";
import { ask, follow } from "./api.js";
import { studioAsker } from "./asker.js";
import { keeperOf } from "./keeper.js";
import { queried, to } from "./link.js";
import { progress } from "./runs.js";

/** A run as the server has it, and the subject that sections read. */
export async function load(id) {
  const run = await ask(`/api/runs/${encodeURIComponent(id)}`);
  if (!run.training) {
    const why = run.reason ? ` (${run.reason})` : "";
    throw new Error(`Run ${run.name} is ${run.status.toLowerCase()}${why} and has no results${run.status === "RUNNING" ? " yet" : ""}.`);
  }
  return { run, subject: createSubject(run) };
}

/** Where a run's pages are. */
export function place(run, current) {
  const tab = (text, ...parts) => ({ text, href: to(["run", run.id, ...parts]), here: text === current });
  return {
    title: `${run.name || run.id}, ${current.toLowerCase()}`,
    path: [{ text: run.name || run.id.slice(0, 8), href: to(["run", run.id]) }],
    tabs: [
      tab("Run"), run.explanation && tab("Explanation", "explanation"),
      !run.training.horizon && tab("What if", "what-if"),
    ].filter(Boolean),
  };
}

export async function runPage(id) {
  const line = await ask(`/api/runs/${encodeURIComponent(id)}`);
  if (line.status === "RUNNING") return underWay(line);
  const { run, subject } = await load(id);
  const state = startState(subject);
  const { own, keeper } = await keeperOf(run);
  state.set({ own });
  followTotals(subject, state, keeper);
  const address = sectioned(addressed(subject, state, queried(["run", id])), state);
  return {
    ...place(run, "Run"),
    ...address,
    controls: controls(subject, state, keeper),
    node: h("div", {}, headline(subject), files(run), qualitySection(subject, state), lineageSection(subject, state), distributionSection(subject, state), dataSection(subject, state)),
  };
}

/** A run that goes on: how far it is; once it has ended, what it found. */
function underWay(run) {
  const far = h("div", { role: "status" }, progress(run.progress));
  const leave = follow(({ runs }) => {
    const now = runs.find((each) => each.id === run.id);
    if (now?.progress) swap(far, progress(now.progress));
    else dispatchEvent(new HashChangeEvent("hashchange"));
  });
  return {
    title: run.name || run.id, path: [{ text: run.name || run.id.slice(0, 8), href: to(["run", run.id]) }], leave,
    node: h("section", { class: "headline" }, h("h1", {}, name(run.name || run.id)), h("p", { class: "lede" }, "The search goes on; what it found stands here once it has ended."), far),
  };
}

export async function explanationPage(id) {
  const { run, subject } = await load(id);
  if (!subject.explained?.n) throw new Error("This run was trained without an explanation.");
  const state = startState(subject);
  const { own, keeper } = await keeperOf(run);
  state.set({ own });
  followTotals(subject, state, keeper);
  const address = sectioned(addressed(subject, state, queried(["run", id, "explanation"])), state);
  const edit = h("div", { class: "files" });
  state.on(["row"], ({ row }) => {
    if (row < 0 || run.training.horizon) return;
    swap(edit, h("a", { class: "quiet", href: to(["run", run.id, "what-if"], { row }) }, "What if this row were different?"));
  });
  return {
    ...place(run, "Explanation"),
    ...address,
    controls: controls(subject, state, keeper),
    node: h("div", {}, h("h1", { class: "sr" }, "Explanation"), explainedSections(subject, state, studioAsker(run), keeper).map(([, , node]) => node), edit),
  };
}

function files(run) {
  const api = `/api/runs/${encodeURIComponent(run.id)}/explanation`;
  const link = (text, href) => h("a", { class: "quiet", href, download: "" }, text);
  return h("div", { class: "files" },
    h("a", { class: "quiet", href: `/runs/${encodeURIComponent(run.id)}/report`, target: "_blank", rel: "noopener" }, "Open the report"),
    link("Download it", `/runs/${encodeURIComponent(run.id)}/report?download`),
    run.explanation && [
      link("Explanation, CSV", `${api}.csv`), link("Parquet", `${api}.parquet`),
      run.explanation.engineered && [link("Engineered, CSV", `${api}.csv?level=engineered`), link("Parquet", `${api}.parquet?level=engineered`)],
    ]);
}
