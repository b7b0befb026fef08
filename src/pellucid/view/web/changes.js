// What would change the answer of the chosen row: the outcome that is wanted, the columns that may
// change, and the fewest changes after which the model says so.

import { short } from "./axes.js";
import { once } from "./decode.js";
import { h, name, select, swap, uid } from "./dom.js";
import { count, date, num, percent } from "./format.js";
import { whenNear } from "./near.js";
import { extent, isSpread } from "./stats.js";
import { table } from "./table.js";

/**
 * @param {Object} subject
 * @param {Object} state
 * @param {import("./carried/asker.js").Asker} asker
 */
export function changesView(subject, state, asker) {
  const { explained } = subject;
  const heading = h("h3", {}, "What would change the answer");
  if (asker.why) return h("div", { class: "below" }, heading, h("p", { class: "muted small" }, `${asker.why} So nobody can be asked what would change its answer.`));
  const goal = goalChoice(subject);
  const columns = columnChoice(explained.levels.raw);
  const said = h("div", { class: "changes", role: "status" });
  const go = h("button", { type: "button", class: "quiet", onclick: () => search() }, "Find the fewest changes");
  let pending = null;
  let row = -1;

  async function search() {
    pending?.abort();
    const mine = new AbortController();
    pending = mine;
    swap(said, h("p", { class: "muted" }, "The model is asked…"));
    try {
      const found = await asker.changes({ row, wanted: goal.wanted(), fixed: columns.fixed() }, mine.signal);
      if (!mine.signal.aborted) swap(said, answer(subject, row, found, asker.edit));
    } catch (error) {
      if (error.name !== "AbortError") swap(said, h("p", { class: "note warning problem" }, error.message));
    }
  }
  function clear() {
    pending?.abort();
    swap(said);
  }

  goal.onchange = clear;
  columns.onchange = clear;
  state.on(["row"], (now) => {
    if (now.row < 0 || now.row === row) return;
    row = now.row;
    clear();
    goal.show(row);
  });
  return h("div", { class: "below" }, heading,
    h("div", { class: "choices goal" }, goal.node, go), columns.node, said);
}

/** What is wanted: another class, or a value beyond a limit. */
function goalChoice({ explained, task, target }) {
  const node = h("div", { class: "choices" });
  const goal = { node, onchange: () => {}, wanted: () => null, show };
  return goal;

  function show(row) {
    if (task !== "regression") {
      const own = explained.rows.predicted?.[row];
      const others = explained.classes.map((c, k) => [k, c]).filter(([k]) => k !== own);
      let wanted = others.length === 1 ? String(others[0][0]) : "";
      swap(node, select(`Wanted ${short(target, 30)}`, others.length === 1 ? others : [["", "any other class"], ...others], wanted, (v) => { wanted = v; goal.onchange(); }));
      goal.wanted = () => (wanted === "" ? null : Number(wanted));
      return;
    }
    const now = explained.rows.predicted?.[row] ?? explained.rows.margins[row][0];
    const all = explained.rows.predicted ?? explained.rows.margins.map((m) => m[0]);
    const [low, high] = extent(all);
    let up = now <= (low + high) / 2;
    const id = uid("limit");
    const limit = h("input", { id, type: "number", step: "any", value: Number((now + (up ? 0.1 : -0.1) * (high - low)).toPrecision(3)), oninput: () => goal.onchange() });
    swap(node, select(`Wanted ${short(target, 30)}`, [["low", "at least"], ["high", "at most"]], up ? "low" : "high", (v) => { up = v === "low"; goal.onchange(); }),
      h("div", { class: "field" }, h("label", { for: id, class: "sr" }, "Limit of ", name(target)), limit, h("span", { class: "muted small" }, `now ${num(now, 4)}`)));
    goal.wanted = () => {
      if (limit.value === "") throw new Error("Give the value that is wanted.");
      return up ? [Number(limit.value), null] : [null, Number(limit.value)];
    };
  }
}

/** Columns that may change; texts may not, until somebody says so. */
function columnChoice(raw) {
  const may = new Set();
  const summary = h("summary", {}, "Which columns may change");
  const ticks = h("div", { class: "ticks" });
  const node = h("details", { class: "may-change" }, summary, h("fieldset", {},
    h("legend", {}, "Untick what cannot change, such as an age"), ticks, h("div", { class: "chips" }, all("All", true), all("None", false))));
  const choice = { node, onchange: () => {}, fixed };

  function fixed() {
    begin();
    return raw.names.map((_, f) => f).filter((f) => !may.has(f));
  }
  function all(text, to) {
    return h("button", { type: "button", class: "quiet chip", onclick() {
      for (const box of ticks.querySelectorAll("input")) if (box.checked !== to) box.click();
    } }, text);
  }
  function tick(label, feature) {
    return h("label", { class: "tick" }, h("input", { type: "checkbox", checked: may.has(feature), onchange(event) {
      if (event.target.checked) may.add(feature);
      else may.delete(feature);
      tell();
      choice.onchange();
    } }), name(label));
  }
  const tell = () => { summary.textContent = `${num(may.size, 6)} of ${count(raw.n, "column")} may change`; };

  const begin = once(() => {
    raw.names.forEach((_, f) => !isSpread(raw.column(f)) && may.add(f));
    tell();
  });
  whenNear(node, begin);
  node.addEventListener("toggle", () => {
    begin();
    if (!ticks.childElementCount) swap(ticks, raw.names.map(tick));
  });
  return choice;
}

function answer(subject, row, found, edit) {
  const many = found.found[0]?.changes.length;
  if (!many) {
    return [h("p", {}, "None was found. ", sentence(found.why)),
      found.nearest && h("p", {}, "Nearest came ", listed(subject, row, found.nearest.changes), "; the model then says ", outcome(subject, found.nearest.response), ".")];
  }
  const lead = many === 1 ? "One change is enough" : `${found.fewest ? "No fewer than" : ""} ${num(many)} changes together do it`.trim();
  return [
    h("p", {}, `${lead}, of the values seen in these rows (${count(found.asked, "row")} asked).`),
    table("Changes after which the model says otherwise", [
      { label: "Change", class: "grow", show: ({ changes }) => listed(subject, row, changes) },
      { label: "The model then says", show: ({ response }) => outcome(subject, response) },
      { label: "Distance", number: true, show: ({ distance }) => num(distance, 3) },
      edit && { label: "In the form", unseen: true, class: "n", show: ({ changes }) => h("button", { type: "button", class: "quiet chip", "aria-label": "Try it in the form", onclick: () => edit(row, cellsOf(subject, changes)) }, "Try it") },
    ].filter(Boolean), found.found, { first: 10 }),
    h("p", { class: "muted small" }, "Distance counts numbers in typical spreads (median absolute deviations), another category as 1. This is what the model would answer, not what would happen: whether a change can be made, and does anything, it does not know."),
  ];
}

/** Changes by the names of their columns. */
function cellsOf({ explained }, changes) {
  return Object.fromEntries(changes.map(({ feature, cell }) => [explained.levels.raw.names[feature], cell]));
}

function sentence(text) {
  const whole = String(text);
  return `${whole[0].toUpperCase()}${whole.slice(1)}.`;
}

function listed({ explained }, row, changes) {
  const { raw } = explained.levels;
  return changes.map(({ feature, cell }, i) => {
    const column = raw.column(feature);
    return [i ? ", " : "", h("span", { class: "move" }, name(raw.names[feature]), " ", h("span", { class: "muted" }, name(column.text(row)), " → "), h("b", {}, name(cellText(column, cell))))];
  });
}

/** A cell as JSON has it, as people read it. */
function cellText({ kind }, cell) {
  if (cell === null) return "missing";
  if (kind === "time") return date(Date.parse(/[zZ]$|[+-]\d\d:\d\d$/.test(cell) || cell.length === 10 ? cell : `${cell}Z`));
  if (typeof cell === "boolean") return cell ? "True" : "False";
  return kind === "numeric" ? num(Number(cell), 6) : String(cell);
}

/** What probabilities or a value say. */
function outcome({ explained, task }, response) {
  if (task === "regression") return num(response[0], 5);
  const chances = response.length === 1 ? [1 - response[0], response[0]] : response;
  const at = chances.indexOf(Math.max(...chances));
  return [h("b", {}, name(explained.classes[at])), " ", h("span", { class: "muted" }, percent(chances[at]))];
}
