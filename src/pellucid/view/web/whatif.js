// What if, without a server: a row as a form, answered by the model that travels in the page.

import { answerOf, cellsOf } from "./carried/rows.js";
import { h, section, select, swap } from "./dom.js";
import { editor } from "./edit.js";
import { whenNear } from "./near.js";

const NEAR = "600px"; // the model is opened when the section is this close

/**
 * @param {{gzip: string}|{why: string}|null} carried the payload's model; null leaves the section out
 * @param {() => Promise<import("./carried/model.js").CarriedModel>} open opens it, once
 */
export function whatIfSection(subject, state, carried, open) {
  if (!carried || !subject.explained?.n) return null;
  const body = h("div", {});
  const node = section("what-if", "What if", "Change a cell: the prediction and its reasons follow from the model itself, which is in this page. It says what the model would answer, not what would happen.", body);
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

/** The row by its name, the one before and the next. */
function rowPicker({ n, rows }, state) {
  const step = (text, by, label) => h("button", {
    type: "button", class: "quiet", "aria-label": label,
    onclick: () => state.set({ row: Math.min(n - 1, Math.max(0, state.get("row") + by)) }),
  }, text);
  const choice = select("Row", rows.ids.map((id, i) => [i, String(id)]), Math.max(0, state.get("row")), (i) => state.set({ row: Number(i) }));
  const [back, on] = [step("‹", -1, "Row before"), step("›", 1, "Next row")];
  state.on(["row"], ({ row }) => {
    choice.querySelector("select").value = String(Math.max(0, row));
    back.disabled = row <= 0;
    on.disabled = row >= n - 1;
  });
  return h("div", { class: "picker" }, back, choice, on);
}
