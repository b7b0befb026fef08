// Partial dependence and the chosen row's own curve (ICE), drawn over the dots of a dependence plot.

import { colors } from "./color.js";
import { h, name, swap } from "./dom.js";
import { num, percent, signed } from "./format.js";
import { sigmoid } from "./model.js";
import { whenNear } from "./near.js";
import { pointsOf } from "./points.js";
import { table } from "./table.js";

const PAUSE = 80; // milliseconds that a choice must last before the model is asked
const DASH = [7, 5];

/**
 * @param {Object} subject
 * @param {Object} state
 * @param {import("./carried/asker.js").Asker} asker
 * @param {() => void} redraw
 * @returns {{node: Node, heights: () => number[], draw: (place: Object) => boolean}}
 */
export function responseCurves({ explained, task }, state, asker, redraw) {
  const keys = h("div", { class: "legend lines" });
  const status = h("p", { class: "muted small", role: "status" });
  const numbers = h("div", {});
  const node = h("div", { class: "response" }, keys, status, numbers);
  let found = null;
  let pending = null;
  let timer = 0;

  const choice = () => ({
    level: state.get("level"), output: Math.max(0, state.get("output")), feature: state.get("feature"), row: Math.max(0, state.get("row")),
  });
  const columnOf = ({ level, feature }) => explained.levels[level].column(feature);

  function show() {
    const asked = choice();
    const kind = columnOf(asked).kind;
    swap(keys, found ? [
      key("line", `Partial dependence: the mean of ${num(found.n, 6)} ${found.background ? "background rows" : "rows"} with each value`),
      key(kind === "category" ? "diamond" : "line dashed", ["Row ", name(explained.rows.ids[asked.row]), " with each value (ICE), through its dot"]),
    ] : key("line", kind === "category" ? "Mean of the category’s rows" : "Mean of neighbouring rows"));
    swap(numbers, found && inNumbers(found, columnOf(asked), asked));
  }

  async function follow() {
    const asked = choice();
    const column = columnOf(asked);
    const points = pointsOf(column, asked.row);
    if (!points || points.rows.length < 2) {
      status.textContent = points ? "All rows have one value of it: there is no curve." : "Nearly every row has a value of its own: there is no curve over them.";
      return;
    }
    const mine = new AbortController();
    pending = mine;
    status.textContent = "The model is asked for its curves…";
    try {
      const said = await asker.curves({ ...asked, at: points.rows }, mine.signal);
      if (mine.signal.aborted) return;
      const own = explained.levels[asked.level].importances(asked.output)(asked.feature)[asked.row];
      found = { ...said, points, values: points.rows.map((i) => column.values[i]), row: said.row.map((x) => x - said.row[points.own] + own), answers: said.row };
      status.textContent = "";
      show();
      redraw();
    } catch (error) {
      if (error.name !== "AbortError") status.textContent = `There are no curves: ${error.message}`;
    }
  }

  /** What is drawn belongs to one choice; another is asked for once it lasts. */
  function changed() {
    pending?.abort();
    clearTimeout(timer);
    found = null;
    show();
    if (asker.why === null) timer = setTimeout(follow, PAUSE);
  }

  function inNumbers({ values, mean, answers }, column, { row, output }) {
    const rows = values.map((value, i) => ({ value, mean: mean[i], answer: answers[i] }));
    const chances = task === "binary" && explained.scale === "log-odds";
    const said = (x) => (chances ? percent(sigmoid(x)) : num(explained.isLog ? Math.exp(x) : x, 4));
    return h("details", {}, h("summary", {}, "The curves in numbers"), table("The curves in numbers", [
      { label: "Value", show: (r) => name(column.shown(r.value)), class: "grow" },
      { label: "Partial dependence", number: true, show: (r) => signed(r.mean) },
      { label: chances ? `Chance of ${explained.outcome(output)}` : `${explained.unit(output)} of row ${explained.rows.ids[row]}`, number: true, show: (r) => said(r.answer) },
    ], rows, { first: 30 }));
  }

  if (asker.why) status.textContent = `${asker.why} So there is no partial dependence, and no curve of a row.`;
  show();
  whenNear(node, () => state.on(["level", "output", "feature", "row"], changed));

  return {
    node,
    /** What the curves need of the plot's height. */
    heights: () => (found ? [...found.mean, ...found.row] : []),
    /** Draw them where there are some. */
    draw({ ctx, spread, y, column }) {
      if (!found) return false;
      const { values, mean, row } = found;
      const at = (value) => (column.kind === "category" ? placed(spread, value) : Number.isFinite(value) ? spread.x(value) : spread.missingAt);
      const known = values.map((value, i) => [at(value), i]).filter(([x]) => x !== null);
      if (column.kind === "category") {
        const half = Math.min(24, Math.abs(spread.x(1) - spread.x(0)) * 0.36);
        for (const [x, i] of known) bar(ctx, x, y(mean[i]), half);
        for (const [x, i] of known) diamond(ctx, x, y(row[i]));
        return true;
      }
      const line = known.filter(([, i]) => Number.isFinite(values[i]));
      stroke(ctx, line.map(([x, i]) => [x, y(mean[i])]));
      stroke(ctx, line.map(([x, i]) => [x, y(row[i])]), DASH);
      for (const [x, i] of known.filter(([, k]) => !Number.isFinite(values[k]))) {
        bar(ctx, x, y(mean[i]), 14);
        stroke(ctx, [[x - 14, y(row[i])], [x + 14, y(row[i])]], [5, 4]);
      }
      return true;
    },
  };
}

/** Where a category's strip is; null among the others that share one, the missing have their own. */
function placed({ x, place }, value) {
  const at = place(value);
  return at === undefined ? null : x(at);
}

function key(look, text) {
  return h("span", { class: "key" }, h("i", { class: look, "aria-hidden": "true" }), h("span", {}, text));
}

/** A line in ink with a halo, over the dots. */
export function stroke(ctx, points, dash = []) {
  const { ink, paper } = colors();
  ctx.lineJoin = "round";
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  for (const [style, width, pattern] of [[paper, 5, []], [ink, 2, dash]]) {
    ctx.strokeStyle = style;
    ctx.lineWidth = width;
    ctx.setLineDash(pattern);
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

function bar(ctx, x, y, half) {
  stroke(ctx, [[x - half, y], [x + half, y]]);
}

function diamond(ctx, x, y) {
  const { ink, paper } = colors();
  ctx.beginPath();
  for (const [dx, dy] of [[0, -6], [6, 0], [0, 6], [-6, 0]]) ctx.lineTo(x + dx, y + dy);
  ctx.closePath();
  ctx.fillStyle = paper;
  ctx.strokeStyle = ink;
  ctx.lineWidth = 2;
  ctx.fill();
  ctx.stroke();
}
