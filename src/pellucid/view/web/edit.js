// A row as a form: the prediction and its reasons follow from whatever answers for the model.

import { control } from "./control.js";
import { h, name, swap } from "./dom.js";
import { num, percent, signed } from "./format.js";
import { sentence, verdict } from "./row.js";
import { drawWaterfall, steps } from "./waterfall.js";

const PAUSE = 60; // milliseconds without typing before the model is asked
const MOST = 10;

/**
 * @param {Object} given
 * @param {Object[]} given.fields what `control` must know of each column
 * @param {Object<string, any>} given.original the row's own cells
 * @param {Object<string, any>} given.cells those to start with
 * @param {Object} given.before the subject of the row as it is
 * @param {Object} given.state "level" and "output" of the page
 * @param {(cells: Object, signal: AbortSignal) => Promise<Object>} given.answer the subject of a row
 * @param {(changed: Object<string, any>) => void} [given.onedit]
 * @param {(feature: number) => void} [given.onpick] a feature of the waterfall
 * @returns {{form: Node[], view: Node, show: () => void, leave: () => void}}
 */
export function editor({ fields, original, cells, before, state, answer, onedit, onpick }) {
  let now = before;
  let pending = null;
  let timer = 0;
  const said = h("div", { class: "answer" });
  const told = h("p", { class: "sentence", "aria-live": "polite" });
  const picture = h("div", { class: "waterfall", role: "group", "aria-label": "Waterfall of the edited row" });
  const moved = h("div", { class: "moved" });
  const wrong = h("p", { class: "note warning problem", role: "alert", hidden: true });
  const took = h("p", { class: "muted small" });
  const changes = () => Object.fromEntries(fields.map((f) => f.name).filter((n) => cells[n] !== original[n]).map((n) => [n, cells[n]]));
  const controls = fields.map((field) => control(field, cells[field.name], original[field.name], (value) => {
    cells[field.name] = value;
    clearTimeout(timer);
    timer = setTimeout(follow, PAUSE);
  }));

  async function follow() {
    pending?.abort();
    const mine = new AbortController();
    pending = mine;
    const changed = changes();
    onedit?.(changed);
    const started = performance.now();
    try {
      const found = Object.keys(changed).length ? await answer(cells, mine.signal) : before;
      if (pending !== mine || mine.signal.aborted) return;
      now = found;
      wrong.hidden = true;
      took.textContent = `Answered by the model in ${num(performance.now() - started, 2)} ms`;
      show();
    } catch (error) {
      if (error.name === "AbortError") return;
      wrong.textContent = error.message;
      wrong.hidden = false;
    }
  }

  function show() {
    const { level: key, output } = { level: state.get("level"), output: Math.max(0, state.get("output")) };
    const { explained, task } = now;
    const fall = steps(explained, key, output, 0, MOST);
    const level = explained.levels[key];
    swap(said, verdict(now, 0, output), was(before, now, output));
    swap(told, sentence(now, fall, level, 0, output));
    drawWaterfall(picture, explained, fall, level, { row: 0, chances: task === "binary" && explained.scale === "log-odds", unit: explained.unit(output), onpick });
    swap(moved, moves(before.explained.levels[key], level, output));
  }

  if (Object.keys(changes()).length) follow();
  return {
    form: [
      h("form", { class: "fields", onsubmit: (event) => event.preventDefault() }, controls.map((c) => c.node)),
      h("button", { type: "button", class: "quiet", onclick: () => controls.forEach((c) => c.reset()) }, "Reset all"),
    ],
    view: h("div", { class: "row-view" }, said, wrong, told, picture, moved, took),
    show,
    leave: () => { pending?.abort(); clearTimeout(timer); },
  };
}

/** What was predicted before, where it was something else. */
export function was(before, now, output) {
  if (before === now) return h("p", { class: "muted" }, "The row as it is in the table.");
  const share = (p) => percent(p, p > 0.99 || p < 0.01 ? 2 : 1);
  const of = ({ explained, task }) => (task === "regression" ? explained.predicted(0) : share(explained.chance(0, output)));
  return h("p", { class: "was" }, h("span", { class: "muted" }, "as it is "), of(before), h("span", { class: "muted" }, " → now "), h("strong", {}, of(now)));
}

/** Features whose part changed most; both rows stand before one background, so parts subtract. */
function moves(before, after, output) {
  const [a, b] = [before.importances(output), after.importances(output)];
  const all = after.names.map((n, f) => ({ n, by: b(f)[0] - a(f)[0], old: before.column(f).text(0), now: after.column(f).text(0) }))
    .filter((m) => Math.abs(m.by) > 1e-9).sort((x, y) => Math.abs(y.by) - Math.abs(x.by)).slice(0, 6);
  if (!all.length) return null;
  return [h("h3", {}, "What moved"), h("ul", { class: "moves" }, all.map((m) => h("li", {}, h("b", {}, name(m.n)), " ",
    m.old !== m.now && h("span", { class: "muted" }, name(m.old), " → ", name(m.now)),
    h("span", { class: m.by > 0 ? "n up" : "n down" }, signed(m.by)))))];
}
