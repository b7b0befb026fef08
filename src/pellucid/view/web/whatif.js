// What if, without a server: a row as a form, answered by the model that travels in the page.

import { answerOf, cellsOf } from "./carried/rows.js";
import { h, section, select, swap } from "./dom.js";
import { editor } from "./edit.js";
import { count } from "./format.js";
import { whenNear } from "./near.js";
import { openRecord } from "./recorded/answers.js";
import { recordedForm } from "./recorded/form.js";

const NEAR = "600px"; // the model is opened when the section is this close

/**
 * @param {{gzip: string}|{why: string, recorded?: Object}|null} carried the payload's model; null leaves the section out
 * @param {() => Promise<import("./carried/model.js").CarriedModel>} open opens it, once
 */
export function whatIfSection(subject, state, carried, open) {
  if (!carried || !subject.explained?.n) return null;
  const body = h("div", {});
  const node = section("what-if", "What if", "Change a cell: the prediction and its reasons follow from the model itself, which is in this page. It says what the model would answer, not what would happen.", body);
  if (carried.recorded) return recordedSection(subject, state, carried);
  if (carried.why) {
    swap(body, h("p", { class: "note" }, `The model is not in this page: ${carried.why}.`));
    return node;
  }
  swap(body, h("p", { class: "muted ahead", role: "status" }, "The model opens when this section comes near."));
  whenNear(node, () => {
    open().then((model) => follow(model, subject, state, body), (error) => {
      swap(body, h("p", { class: "note warning", role: "alert" }, `This browser cannot open the model: ${error.message}`));
    });
  }, NEAR);
  return node;
}

/** Where the model is not in the page, what it was asked before. */
function recordedSection(subject, state, { why, recorded }) {
  const record = openRecord(subject, recorded);
  const [n, m] = [record.rows.length, record.features.length];
  const all = n === subject.explained.n;
  return section("what-if", "What if", "Change one cell: the model’s answer was recorded when this page was written. It says what the model would answer, not what would happen.",
    h("p", { class: "note" }, h("strong", {}, "Recorded answers, one change at a time. "), `The model is not in this page: ${why}. So it was asked beforehand about ${all ? count(n, "row") : `${n} of these rows, spread over its predictions`}, with one cell replaced by a value of the table, in ${m === 1 ? "one column" : `each of the ${m} weightiest columns`}. What it would say of other values, or of two changes together, is not known here; the studio asks the model itself.`),
    recordedForm(subject, state, record, rowPicker(subject.explained, state, record.rows)));
}

/** The form of the row that the page speaks of, anew for each row. */
function follow(model, subject, state, body) {
  const { explained } = subject;
  const form = h("div", { class: "form" }, rowPicker(explained, state));
  const grid = h("div", { class: "row-grid what-if" }, form);
  let edit = null;
  let edits = null; // cells that another section has put in
  swap(body, grid);
  state.on(["row", "edits"], (now) => {
    const row = Math.max(0, now.row);
    const original = cellsOf(model, explained, row);
    const given = now.edits !== edits && now.edits?.row === row ? now.edits.cells : {};
    edits = now.edits;
    const ask = (cells) => answerOf(model, subject, explained.rows.ids[row], { ...cells });
    edit?.leave();
    [...edit?.form ?? [], edit?.view].forEach((node) => node?.remove()); // the picker keeps the focus
    edit = editor({
      fields: model.facts.fields, original, cells: { ...original, ...given }, before: ask(original), state, answer: async (cells) => ask(cells),
      onpick(feature) {
        state.set({ feature, color: "auto" });
        document.getElementById("dependence")?.scrollIntoView();
      },
    });
    form.append(...edit.form);
    grid.append(edit.view);
    edit.show();
  });
  state.on(["level", "output"], () => edit.show());
}

/** The row by its name, the one before and the next, of all or of some. */
function rowPicker({ n, rows }, state, some = Array.from({ length: n }, (_, i) => i)) {
  const at = () => Math.max(0, some.findLastIndex((row) => row <= state.get("row")));
  const step = (text, by, label) => h("button", {
    type: "button", class: "quiet", "aria-label": label, onclick: () => state.set({ row: some[at() + by] }),
  }, text);
  const choice = select("Row", some.map((i) => [i, String(rows.ids[i])]), some[at()], (i) => state.set({ row: Number(i) }));
  const [back, on] = [step("‹", -1, "Row before"), step("›", 1, "Next row")];
  state.on(["row"], () => {
    choice.querySelector("select").value = String(some[at()]);
    back.disabled = at() === 0;
    on.disabled = at() === some.length - 1;
  });
  return h("div", { class: "picker" }, back, choice, on);
}
