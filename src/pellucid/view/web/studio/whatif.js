// What if: a row as a form; the prediction and its reasons follow from the model itself.

import { h, name, swap } from "../dom.js";
import { num, percent, signed } from "../format.js";
import { createSubject } from "../model.js";
import { sentence, verdict } from "../row.js";
import { createState } from "../state.js";
import { controls } from "../topbar.js";
import { drawWaterfall, steps } from "../waterfall.js";
import { ask } from "./api.js";
import { control } from "./control.js";
import { note, to } from "./link.js";
import { load, place } from "./run.js";

const PAUSE = 60; // milliseconds without typing before the model is asked
const MOST = 10;

export async function whatIfPage(id, query) {
  const { run, subject } = await load(id);
  const position = query.get("row") ?? (subject.explained?.n ? "0" : null);
  const path = `/api/runs/${encodeURIComponent(run.id)}`;
  const form = await ask(`${path}/form${position === null ? "" : `?row=${encodeURIComponent(position)}`}`);
  const cells = { ...form.cells, ...changesIn(query, form.fields) };
  const before = await answer(form.cells);
  const state = createState({ level: "raw", output: likeliest(before), row: 0 });
  let now = before;
  let pending = null;
  let timer = 0;
  const said = h("div", { class: "answer" });
  const told = h("p", { class: "sentence", "aria-live": "polite" });
  const picture = h("div", { class: "waterfall", role: "group", "aria-label": "Waterfall of the edited row" });
  const moved = h("div", { class: "moved" });
  const wrong = h("p", { class: "note warning problem", role: "alert", hidden: true });
  const took = h("p", { class: "muted small" });
  const fields = form.fields.map((field) => control(field, cells[field.name], form.cells[field.name], (value) => {
    cells[field.name] = value;
    clearTimeout(timer);
    timer = setTimeout(follow, PAUSE);
  }));

  async function answer(row, signal) {
    const { explanation } = await ask(`${path}/explain`, { body: { cells: row }, signal });
    explanation.rows.ids = [form.row ?? "of examples"];
    return createSubject({ run, training: run.training, explanation });
  }

  async function follow() {
    pending?.abort();
    const mine = new AbortController();
    pending = mine;
    const changed = Object.fromEntries(form.fields.map((f) => f.name).filter((n) => cells[n] !== form.cells[n]).map((n) => [n, cells[n]]));
    note({ row: position, cells: Object.keys(changed).length ? JSON.stringify(changed) : null });
    const started = performance.now();
    try {
      now = await answer(cells, mine.signal);
      if (pending !== mine) return;
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
    const { level: key, output } = { level: state.get("level"), output: state.get("output") };
    const { explained, task } = now;
    const fall = steps(explained, key, output, 0, MOST);
    const level = explained.levels[key];
    swap(said, verdict(now, 0, output), was(before, now, output));
    swap(told, sentence(now, fall, level, 0, output));
    drawWaterfall(picture, explained, fall, level, { row: 0, chances: task === "binary" && explained.scale === "log-odds", unit: explained.unit(output) });
    swap(moved, moves(before.explained.levels[key], level, output));
  }

  state.on(["level", "output"], () => picture.isConnected && show());
  queueMicrotask(() => requestAnimationFrame(show));
  if (Object.keys(cells).some((n) => cells[n] !== form.cells[n])) follow();
  return {
    ...place(run, "What if"),
    controls: controls(now.explained, state),
    leave: () => { pending?.abort(); clearTimeout(timer); },
    node: h("section", { class: "headline" }, h("h1", {}, "What if"),
      h("p", { class: "lede" }, "Change a cell: the prediction and its reasons follow from the model itself. It says what the model would answer, not what would happen."),
      h("div", { class: "row-grid what-if" },
        h("div", { class: "form" }, picker(run, form, position),
          h("form", { class: "fields", onsubmit: (event) => event.preventDefault() }, fields.map((f) => f.node)),
          h("button", { type: "button", class: "quiet", onclick: () => fields.forEach((f) => f.reset()) }, "Reset all")),
        h("div", { class: "row-view" }, said, wrong, told, picture, moved, took))),
  };
}

/** Cells in the address, of columns that there are. */
function changesIn(query, fields) {
  try {
    const given = JSON.parse(query.get("cells") ?? "{}");
    return Object.fromEntries(fields.filter((f) => Object.hasOwn(given, f.name)).map((f) => [f.name, given[f.name]]));
  } catch {
    return {};
  }
}

function likeliest({ explained }) {
  if (explained.nOutputs === 1) return 0;
  const chances = explained.rows.probability[0];
  return chances.indexOf(Math.max(...chances));
}

/** What was predicted before, where it was something else. */
function was(before, now, output) {
  if (before === now) return h("p", { class: "muted" }, "The row as it is in the table.");
  const of = ({ explained, task }) => (task === "regression" ? explained.predicted(0) : percent(explained.chance(0, output), 1));
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

function picker(run, form, position) {
  if (position === null) return h("p", { class: "muted small" }, "A row of each column’s commonest cells.");
  const at = Number(position);
  const link = (text, row, label) => (row < 0 || row >= form.n_rows ? h("span", { class: "quiet off", "aria-hidden": "true" }, text)
    : h("a", { class: "quiet", href: to(["run", run.id, "what-if"], { row }), "aria-label": label }, text));
  return h("div", { class: "picker" }, link("‹", at - 1, "Row before"), h("span", {}, "Row ", h("b", {}, name(form.row))), link("›", at + 1, "Next row"),
    h("a", { class: "small", href: to(["run", run.id, "explanation"], { row: form.row }) }, "find another"));
}
