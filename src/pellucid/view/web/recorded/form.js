// One change at a time, of those that were recorded: a control for each column, and beside it what
// each column alone could do.

import { short } from "../axes.js";
import { h, name, swap, uid } from "../dom.js";
import { was } from "../edit.js";
import { num, percent } from "../format.js";
import { verdict } from "../row.js";
import { linear, padded, tickText, ticks } from "../scale.js";
import { chanceTicks } from "../waterfall.js";

/**
 * @param {Object} subject
 * @param {Object} state
 * @param {import("./answers.js").Record} record
 * @param {Node} picker of the row
 */
export function recordedForm(subject, state, record, picker) {
  const { names } = subject.explained.levels.raw;
  const kind = (feature) => subject.explained.levels.raw.kinds[feature];
  const fields = h("form", { class: "fields", onsubmit: (event) => event.preventDefault() });
  const aside = h("p", { class: "muted small", role: "status" });
  const said = h("div", { class: "answer" });
  const told = h("p", { class: "sentence", "aria-live": "polite" });
  const reach = h("div", { class: "reach", role: "group", "aria-label": "What each column alone could do" });
  const reset = h("button", { type: "button", class: "quiet", onclick: () => change(null) }, "As it was");
  let row = -1;
  let columns = []; // of this row: feature, choices and control
  let changed = null; // {feature, choice}, or null

  function begin() {
    const wanted = Math.max(0, state.get("row"));
    const next = record.nearest(wanted);
    const id = (i) => subject.explained.rows.ids[i];
    aside.textContent = next === wanted ? "" : `Row ${short(id(wanted), 40)} was not asked about; this is row ${short(id(next), 40)}.`;
    if (next === row) return;
    row = next;
    changed = null;
    columns = record.features.map((feature) => {
      const choices = record.choices(row, feature);
      const make = kind(feature) === "category" ? pick : slide;
      return { feature, choices, control: make(names[feature], choices, (choice) => change(choice.own ? null : { feature, choice })) };
    });
    swap(fields, columns.map(({ control }) => control.node));
  }

  function change(to) {
    const before = changed;
    changed = to;
    show(before && to && before.feature !== to.feature ? before.feature : -1);
  }

  function show(undone = -1) {
    const output = Math.max(0, state.get("output"));
    const [before, now] = [record.subject(row, null), changed && record.subject(row, changed.choice.margins)];
    swap(said, verdict(now ?? before, 0, output), was(before, now ?? before, output));
    swap(told, changed && ["Recorded, with only ", h("b", {}, name(names[changed.feature])), " changed from ", name(text(changed.feature)), " to ", h("b", {}, name(changed.choice.text)),
      undone >= 0 && [". ", h("b", {}, name(names[undone])), " is back as it was"], "."]);
    for (const { feature, choices, control } of columns) control.set(feature === changed?.feature ? changed.choice : choices.find((each) => each.own));
    reset.disabled = !changed;
    swap(reach, ...drawReach(output));
  }

  const text = (feature) => columns.find((each) => each.feature === feature).choices.find((each) => each.own).text;

  /** Every recorded answer of the row as a dot, a line a column. */
  function drawReach(output) {
    const value = (choice) => record.value(choice.margins, output);
    const regression = subject.task === "regression";
    const odds = subject.task === "binary" && subject.explained.scale === "log-odds"; // small chances stay apart
    const at = odds ? (choice) => choice.margins[0] : value;
    const answers = columns.map(({ choices }) => choices.map(value));
    const places = columns.map(({ choices }) => choices.map(at));
    const now = at(columns[0].choices.find((each) => each.own));
    const domain = padded([Math.min(now, ...places.flat()), Math.max(now, ...places.flat())], 0.06);
    const x = linear(domain, [0, 100]);
    const marks = odds ? chanceTicks(domain, matchMedia("(max-width: 720px)").matches ? 0.24 : 0.1) : axisMarks(domain, regression);
    const word = (v) => (regression ? num(v, 4) : percent(v));
    return [
      h("h3", {}, "What each column alone could do"),
      h("p", { class: "muted small" }, "Each dot is a recorded answer; the line is the row as it is. Click a dot to choose it."),
      h("div", { class: "reach-body" },
        h("div", { class: "reach-grid", "aria-hidden": "true" }, h("i", { style: { left: `${x(now)}%` } })),
        columns.map(({ feature, choices }, i) => {
          const [low, high] = [Math.min(...answers[i]), Math.max(...answers[i])];
          const [left, right] = [x(Math.min(...places[i])), x(Math.max(...places[i]))];
          return h("div", { class: feature === changed?.feature ? "reach-row chosen" : "reach-row" },
            h("span", { class: "reach-name" }, name(names[feature])),
            h("span", { class: "reach-plot", "aria-hidden": "true" },
              h("i", { class: "reach-bar", style: { left: `${left}%`, width: `${right - left}%` } }),
              choices.map((choice, k) => h("i", {
                class: choice === changed?.choice ? "reach-dot on" : choice.own ? "reach-dot own" : "reach-dot", style: { left: `${x(places[i][k])}%` },
                title: `${choice.text}: ${word(answers[i][k])}`, onclick: () => change(choice.own ? null : { feature, choice }),
              }))),
            h("span", { class: "reach-ends n" }, word(low) === word(high) ? word(low) : `${word(low)} to ${word(high)}`));
        }),
        h("div", { class: "reach-row reach-axis", "aria-hidden": "true" }, h("span", {}), h("span", { class: "reach-plot" }, marks.map(([v, place]) => h("span", { style: { left: `${x(place)}%` } }, regression ? v : percent(v)))), h("span", {}))),
      h("p", { class: "muted small reach-unit" }, regression ? ["predicted ", name(subject.target)] : ["chance of ", name(subject.explained.outcome(output))])];
  }

  state.on(["row"], () => { const before = row; begin(); if (row !== before) show(); });
  state.on(["output"], () => show());
  return h("div", { class: "row-grid what-if" }, h("div", { class: "form" }, picker, aside, fields, reset), h("div", { class: "row-view" }, said, told, reach));
}

/** Round values with their places; of a value as text. */
function axisMarks([low, high], regression) {
  const marks = ticks(low, high, 4);
  const text = tickText(marks);
  return marks.map((v, i) => [regression ? text[i] : v || 0, v]);
}

/** Numbers and times: a slider that rests on what was recorded. */
function slide(label, choices, onpick) {
  const id = uid("recorded");
  const shown = h("output", { for: id });
  const slider = h("input", { type: "range", id, min: 0, max: choices.length - 1, step: 1, oninput: () => onpick(choices[Number(slider.value)]) });
  const node = h("div", { class: "cell-field recorded" }, h("label", { for: id }, name(label)), shown, slider);
  return {
    node,
    set(choice) {
      slider.value = String(choices.indexOf(choice));
      slider.setAttribute("aria-valuetext", choice.own ? `${choice.text}, as it is` : choice.text);
      swap(shown, name(choice.text));
      node.classList.toggle("changed", !choice.own);
    },
  };
}

/** Categories: those that were recorded. */
function pick(label, choices, onpick) {
  const id = uid("recorded");
  const box = h("select", { id, onchange: () => onpick(choices[Number(box.value)]) },
    choices.map((choice, i) => h("option", { value: i }, `${short(choice.text || "(empty)", 60)}${choice.own ? " (as it is)" : ""}`)));
  const node = h("div", { class: "cell-field recorded" }, h("label", { for: id }, name(label)), h("div", { class: "cell-inputs" }, box));
  return {
    node,
    set(choice) {
      box.value = String(choices.indexOf(choice));
      node.classList.toggle("changed", !choice.own);
    },
  };
}
