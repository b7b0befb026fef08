// What if: a row as a form, answered by the live model.

import { h, name } from "../dom.js";
import { editor } from "../edit.js";
import { createSubject } from "../model.js";
import { createState } from "../state.js";
import { controls } from "../topbar.js";
import { ask } from "./api.js";
import { note, to } from "./link.js";
import { load, place } from "./run.js";

export async function whatIfPage(id, query) {
  const { run, subject } = await load(id);
  const position = query.get("row") ?? (subject.explained?.n ? "0" : null);
  const path = `/api/runs/${encodeURIComponent(run.id)}`;
  const form = await ask(`${path}/form${position === null ? "" : `?row=${encodeURIComponent(position)}`}`);
  const before = await answer(form.cells);
  const state = createState({ level: "raw", output: likeliest(before), row: 0 });

  async function answer(row, signal) {
    const { explanation } = await ask(`${path}/explain`, { body: { cells: row }, signal });
    explanation.rows.ids = [form.row ?? "of examples"];
    return createSubject({ run, training: run.training, explanation });
  }

  const edit = editor({
    fields: form.fields, original: form.cells, cells: { ...form.cells, ...changesIn(query, form.fields) }, before, state, answer,
    onedit: (changed) => note({ row: position, cells: Object.keys(changed).length ? JSON.stringify(changed) : null }),
  });
  state.on(["level", "output"], () => edit.view.isConnected && edit.show());
  queueMicrotask(() => requestAnimationFrame(edit.show));
  return {
    ...place(run, "What if"),
    controls: controls(before, state),
    leave: edit.leave,
    node: h("section", { class: "headline" }, h("h1", {}, "What if"),
      h("p", { class: "lede" }, "Change a cell: the prediction and its reasons follow from the model itself. It says what the model would answer, not what would happen."),
      h("div", { class: "row-grid what-if" },
        h("div", { class: "form" }, picker(run, form, position), edit.form), edit.view)),
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

function picker(run, form, position) {
  if (position === null) return h("p", { class: "muted small" }, "A row of each column’s commonest cells.");
  const at = Number(position);
  const link = (text, row, label) => (row < 0 || row >= form.n_rows ? h("span", { class: "quiet off", "aria-hidden": "true" }, text)
    : h("a", { class: "quiet", href: to(["run", run.id, "what-if"], { row }), "aria-label": label }, text));
  return h("div", { class: "picker" }, link("‹", at - 1, "Row before"), h("span", {}, "Row ", h("b", {}, name(form.row))), link("›", at + 1, "Next row"),
    h("a", { class: "small", href: to(["run", run.id, "explanation"], { row: form.row }) }, "find another"));
}
