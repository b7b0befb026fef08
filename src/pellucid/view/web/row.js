// One row: find it, see what the model says of it, and why, in a sentence and in a picture.

import { changesView } from "./changes.js";
import { finder } from "./finder.js";
import { h, name, section, swap } from "./dom.js";
import { num, percent, signed } from "./format.js";
import { saver } from "./save.js";
import { sigmoid } from "./model.js";
import { neighbours } from "./neighbours.js";
import { drawWaterfall, steps } from "./waterfall.js";

const MOST = 10;

export function rowSection(subject, state, asker) {
  const { explained, task } = subject;
  const answer = h("div", { class: "answer" });
  const picture = h("div", { class: "waterfall", role: "group", "aria-label": "Waterfall of this row" });
  const find = finder(subject, state);
  state.on(["level", "output", "row"], () => {
    const row = state.get("row");
    if (row < 0) return;
    const key = state.get("level");
    const output = Math.max(0, state.get("output"));
    const fall = steps(explained, key, output, row, MOST);
    const level = explained.levels[key];
    swap(answer, verdict(subject, row, output), h("p", { class: "sentence", "aria-live": "polite" },
      sentence(subject, fall, level, row, output)));
    drawWaterfall(picture, explained, fall, level, {
      row,
      chances: explained.scale === "log-odds" && task === "binary",
      unit: explained.unit(output),
      onpick(feature) {
        state.set({ feature, color: "auto" });
        document.getElementById("dependence")?.scrollIntoView();
      },
    });
  });
  const ahead = subject.training.horizon ? " Row 7 +2 is row 7, forecast from two steps before." : "";
  return section("row", "Why one row", `Find a row; the waterfall goes from what the model says of an average row to what it says of this one. The steps are exact: they end where the model does.${ahead}`,
    h("div", { class: "row-grid" }, find, h("div", { class: "row-view" }, answer, h("div", { class: "pictured" }, saver(() => picture, () => `row ${explained.rows.ids[state.get("row")]}`), picture), changesView(subject, state, asker), neighbours(subject, state))));
}

/** What the model says of a row, and the truth beside it. */
export function verdict({ explained, task, target }, row, output) {
  const truth = explained.truth(row);
  const chance = explained.chance(row, output);
  const said = explained.predicted(row);
  const head = task === "regression" ? said : percent(chance);
  const of = task === "regression" ? ["predicted ", name(target)] : ["chance of ", name(explained.outcome(output))];
  return h("div", { class: "verdict" },
    h("div", { class: "verdict-value" }, head),
    h("div", {}, h("div", {}, ...of, " for row ", name(explained.rows.ids[row])),
      h("div", { class: "muted" }, task !== "regression" && ["predicted ", name(`“${said}”`)],
        truth !== null && [task === "regression" ? "truly " : ", truly ", name(task === "regression" ? truth : `“${truth}”`),
          task === "regression" ? ` (off by ${num(Math.abs(explained.rows.predicted[row] - explained.rows.true[row]), 3)})`
            : said === truth ? " ✓" : h("strong", { class: "wrong" }, " ✗ wrong")])));
}

/** What a person would say of the row. */
export function sentence({ explained, task, target }, { base, end, steps: all }, level, row, output) {
  const known = all.filter((s) => s.feature >= 0);
  const up = end >= base;
  const along = known.filter((s) => (s.value > 0) === up && s.value !== 0).slice(0, 3);
  const whole = Math.abs(end - base);
  const against = known.filter((s) => (s.value > 0) !== up && Math.abs(s.value) > 0.1 * Math.max(whole, 1e-12)).slice(0, 2);
  const gap = [h("span", { class: "nowrap" }, num(end, 4)), ", ", h("span", { class: "nowrap" }, num(whole, 3)),
    up ? " above" : " below", " the average row’s ", num(base, 4)];
  const start = task === "regression"
    ? ["The model’s ", name(explained.isLog ? explained.unit(output) : target), " for this row is ", ...gap,
      explained.isLog && `: ${num(Math.exp(end - base), 3)} times as much`]
    : [`This row’s ${explained.scale} of `, name(explained.outcome(output)), ` ${explained.scale === "log-odds" ? "are" : "is"} `, ...gap,
      explained.scale === "log-odds" && ` (${percent(sigmoid(base))})`];
  if (!along.length) return [...start, "; no feature moves it that way."];
  return [...start, ", mostly because ", because(along, level, row), against.length
    ? ["; ", because(against, level, row), against.length > 1 ? " pull" : " pulls", up ? " it down." : " it up."] : "."];
}

function because(parts, level, row) {
  return parts.map((s, i) => [
    i === 0 ? "" : i === parts.length - 1 ? " and " : ", ",
    h("b", {}, name(level.names[s.feature])), " is ", name(level.column(s.feature).text(row)),
    h("span", { class: s.value >= 0 ? "up" : "down" }, ` (${signed(s.value)})`)]);
}
