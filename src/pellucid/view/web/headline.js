// The first thing that one reads: what was trained, on what, how good, how exact.

import { h, name } from "./dom.js";
import { count, duration, familyName, listed, lowerIsBetter, metricName, metricValue, moment, num, percent } from "./format.js";

const TASKS = { binary: "Binary classifier", multiclass: "Multi-class classifier", regression: "Regressor" };

export function headline(subject) {
  const { run, training, target } = subject;
  return h("section", { id: "overview", class: "headline", "aria-labelledby": "overview-title" },
    h("p", { class: "eyebrow" }, [training.horizon ? "Forecaster" : TASKS[subject.task] ?? "Model", run.name, moment(run.started)]
      .filter(Boolean).map((text, i) => [i ? " · " : null, name(text)])),
    h("h1", { id: "overview-title" }, "What predicts ", name(target, { class: "target" })),
    h("p", { class: "lede" }, ...story(subject), training.horizon && forecasts(training)),
    run.status && !/^(finished|completed)$/i.test(run.status)
      && h("p", { class: "note warning" }, `This run is “${run.status}”: its figures may not be final.`),
    h("div", { class: "scores" }, primary(training), others(training)),
    exactness(subject));
}

function story({ training }) {
  const members = training.ensemble ?? [];
  const families = new Map();
  for (const { family } of members) families.set(family, (families.get(family) ?? 0) + 1);
  const parts = [...families].map(([family, n]) => `${num(n)} ${familyName(family)}`);
  const model = members.length > 1
    ? `An ensemble of ${count(members.length, "model")} (${listed(parts)})`
    : members.length ? `One ${familyName(members[0].family)} model` : "A model";
  const seen = training.columns?.filter((c) => c.used !== false).length ?? training.n_columns;
  const tried = training.leaderboard?.filter((t) => t.family !== "ensemble").length;
  const took = training.seconds?.total;
  const on = training.horizon
    ? `${count(training.n_values, "value")} of ${training.n_series > 1 ? `${num(training.n_series, 6)} series` : "one series"}`
    : `${count(training.n_rows ?? 0, "row")} and ${count(seen ?? 0, "column")}`;
  return [
    `${model}, trained on ${on}`,
    took ? ` in ${duration(took)}` : "",
    tried ? `, the best that ${count(tried, "trial")} found` : "",
    training.interrupted ? " before it was interrupted." : ".",
  ];
}

/** What a forecaster is asked for, and how much better it is than a forecast that learns nothing. */
function forecasts({ horizon, frequency, season, baselines, metrics, primary_metric: id }) {
  const step = /^\d/.test(frequency) ? frequency : `one ${frequency}`;
  const [said, scores] = Object.entries(baselines ?? {})[0] ?? [];
  const better = (part) => {
    const [ours, theirs] = [metrics?.[part]?.[id], scores?.[part]?.[id]];
    return lowerIsBetter(id) && theirs > 0 && typeof ours === "number" ? 1 - ours / theirs : null;
  };
  const told = [["test", "on the test rows"], ["cv", "in cross-validation"]]
    .map(([part, where]) => [better(part), where]).filter(([by]) => by !== null)
    .map(([by, where]) => `${percent(Math.abs(by))} ${by >= 0 ? "below" : "above"} ${where}`);
  return ` It forecasts up to ${count(horizon, "step")} of ${step} ahead.${told.length
    ? ` Beside the ${said.toLowerCase()} forecast, the value ${count(season, "step")} before, its ${metricName(id)} is ${listed(told)}.` : ""}`;
}

function primary(training) {
  const id = training.primary_metric;
  const { cv = {}, test } = training.metrics ?? {};
  const onTest = test?.[id] !== undefined && test?.[id] !== null;
  const value = onTest ? test[id] : cv?.[id];
  return h("div", { class: "primary" },
    h("div", { class: "primary-name" }, metricName(id ?? "score"), h("span", { class: "where" }, onTest ? "test" : "cross-validated")),
    h("div", { class: "primary-value" }, metricValue(value)),
    h("div", { class: "primary-note" },
      onTest && interval(training, id),
      onTest && cv?.[id] !== undefined ? `${metricValue(cv[id])} cross-validated · ` : "",
      lowerIsBetter(id ?? "") ? "lower is better" : "higher is better"));
}

/** What other test rows would have made of a metric, where that is known. */
function interval({ test_intervals: known }, id) {
  const [low, high] = known?.[id] ?? [];
  return low === undefined ? null : h("span", {
    class: "interval", title: "95% interval for other rows like the test rows, drawn independently; another training is another matter",
  }, `95%: ${metricValue(low)} to ${metricValue(high)}`);
}

const FIRST = ["log_loss", "accuracy", "balanced_accuracy", "f1_score_macro", "matthews_correlation", "AUC_weighted",
  "average_precision_score_weighted", "r2_score", "root_mean_squared_error", "mean_absolute_error",
  "spearman_correlation", "mean_absolute_percentage_error"];

function others(training) {
  const { cv = {}, test } = training.metrics ?? {};
  const known = Object.keys({ ...cv, ...test }).filter((id) => id !== training.primary_metric);
  const place = (id) => (FIRST.includes(id) ? FIRST.indexOf(id) : FIRST.length);
  known.sort((a, b) => place(a) - place(b));
  if (!known.length) return null;
  const row = (id) => h("tr", {},
    h("th", { scope: "row", title: id }, metricName(id)),
    test && h("td", {}, metricValue(test[id]), interval(training, id)),
    h("td", { class: test ? "muted" : null }, metricValue(cv?.[id])));
  const table = (ids) => h("table", { class: "metrics" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Metric"),
      test && h("th", { scope: "col" }, "Test"), h("th", { scope: "col" }, "Cross-validation"))),
    h("tbody", {}, ids.map(row)));
  const rest = known.slice(5);
  return h("div", { class: "others" }, table(known.slice(0, 5)),
    rest.length > 0 && h("details", {}, h("summary", {}, `${rest.length} more metrics`), table(rest)));
}

/** How exact the importances are, and what they are of. */
export function exactness({ explained }) {
  if (!explained) {
    return h("p", { class: "note" }, "This model was trained without explanations; train with model_explainability=True to see the reasons.");
  }
  const error = explained.additivity_error;
  const shown = explained.n < explained.n_explained
    ? `${num(explained.n, 6)} of ${count(explained.n_explained, "explained row")}` : `${count(explained.n, "row")}`;
  const from = { train: "training ", test: "test " }[explained.rows_from] ?? "";
  const exact = explained.method === "exact"
    ? [h("strong", {}, "Exact Shapley values of the model that answers"), ", not of a stand-in: "]
    : [h("strong", {}, `Shapley values, ${explained.method}`), ": "];
  return h("p", { class: "note exact" }, exact,
    typeof error === "number" && ["importances add up to each prediction’s ", explained.nOutputs > 1 ? "scores" : "margin",
      " to within ", scientific(error), ". "],
    `${shown.replace(/ (rows?|explained rows?)$/, ` ${from}$1`)}${explained.background_size > 0 ? ` against a background of ${count(explained.background_size, "training row")}` : ""}.`);
}

function scientific(value) {
  if (value === 0) return "nothing at all";
  const power = Math.ceil(Math.log10(value));
  return h("span", { class: "nowrap" }, "10", h("sup", {}, String(power).replace("-", "−")));
}
