// Where this comes from, and what one can do next.

import { h, name } from "./dom.js";
import { moment } from "./format.js";

export function footer({ run, training }) {
  const versions = Object.entries(training.versions ?? {});
  const id = /^[\w.-]+$/.test(run.id) ? run.id.slice(0, 8) : "RUN"; // the start of an id is enough
  return h("footer", {},
    h("div", { class: "split" },
      h("div", {}, h("h3", {}, "Go on from here"),
        h("pre", { tabindex: "0", "aria-label": "Commands" }, [
          `pellucid show ${id}`,
          `pellucid explain ${id} new_rows.csv -o reasons.parquet`,
          "",
          "import pellucid",
          `run = pellucid.load_run("${id}")`,
          "run.explanation(raw=True).global_importance()",
          `run.model().${training.horizon ? "forecast" : "predict"}(new_rows)`,
        ].join("\n"))),
      h("div", {}, h("h3", {}, "Where this comes from"),
        h("dl", {},
          fact("Run", h("code", {}, name(run.id))),
          run.name && fact("Name", name(run.name)),
          run.started && fact("Started", moment(run.started)),
          fact("Seed", String(training.seed ?? "–")),
          versions.map(([key, value]) => fact(key === "python" ? "Python" : key, String(value)))))),
    h("p", { class: "muted small" }, "Made by Pellucid. This page holds its data and needs no network."));
}

function fact(term, value) {
  return h("div", {}, h("dt", {}, term), h("dd", {}, value));
}
