// A dialog that makes a cohort: conditions that are picked or typed, with a name.

import { h, name, select, swap, uid } from "../dom.js";
import { count, num } from "../format.js";
import { conditionFields } from "./fields.js";
import { namesOf } from "./named.js";
import { QueryError, reader } from "./query.js";

/**
 * @typedef {Object} Keeper stores cohorts with the run
 * @property {(own: import("./own.js").Own) => Promise<Object[]>} save gives all that are kept
 * @property {(name: string) => Promise<Object[]>} drop
 * @property {(cohort: import("../cohorts.js").Cohort, output: number, others?: boolean) => Promise<Object>} totals
 *   sums and counts over all rows, as the payload's `whole`, and `figures`; of all other rows at wish
 */

/**
 * @param {Object} subject
 * @param {Object} state
 * @param {Keeper|null} keeper
 * @param {{where?: string, rows?: number[], from?: string}} [start] a query, or rows drawn around
 */
export function openBuilder(subject, state, keeper, start = {}) {
  const { n } = subject.explained;
  const { rows } = start;
  const output = Math.max(0, state.get("output"));
  const { names, lookup } = namesOf(subject, output);
  const [titleId, helpId] = [uid("title"), uid("help")];
  const query = h("textarea", { id: uid("query"), rows: 3, spellcheck: "false", "aria-describedby": helpId, placeholder: "age < 30 and job in ['cook', 'clerk']", oninput: check });
  query.value = start.where ?? "";
  const called = h("input", { type: "text", id: uid("name"), maxlength: 80, autocomplete: "off", oninput: check });
  const said = h("p", { class: "small", role: "status" });
  const save = h("button", { type: "submit", class: "quiet strong" }, keeper ? "Save with the run" : "Use it");
  const mine = h("ul", { class: "own-cohorts" });
  let fits = null;

  function check() {
    called.placeholder = suggested();
    if (rows) {
      fits = rows;
      said.textContent = `${count(rows.length, "row")} drawn around${start.from ? ` in ${start.from}` : ""}.`;
    } else {
      try {
        fits = query.value.trim() ? Array.from({ length: n }, (_, i) => i).filter(reader(query.value, lookup)) : null;
        said.textContent = fits ? `${num(fits.length, 7)} of ${subject.explained.whole ? "a sample of " : ""}${count(n, "row")}${fits.length ? "" : ": none to look at"}` : "Add a condition, or type one.";
        said.className = "small";
      } catch (error) {
        if (!(error instanceof QueryError)) throw error;
        fits = null;
        said.textContent = error.message;
        said.className = "small wrong";
      }
    }
    save.disabled = !fits?.length;
  }

  function suggested() {
    if (rows) return free(`drawn ${rows.length}`);
    return query.value.trim().slice(0, 60) || "Name";
  }

  function free(wanted) {
    const taken = new Set(state.get("own").map((own) => own.name));
    let found = wanted;
    for (let i = 2; taken.has(found); i += 1) found = `${wanted} ${i}`;
    return found;
  }

  async function keep(event) {
    event.preventDefault();
    const { positions } = subject.explained;
    const title = called.value.trim() || suggested();
    const own = { name: title, ...(rows ? { rows: rows.map((i) => positions?.[i] ?? i) } : { where: query.value.trim() }) };
    await done(() => (keeper ? keeper.save(own) : [...others(title), own]), `own:${title}`);
  }

  /** All of the reader's cohorts but one. */
  const others = (title) => state.get("own").filter((own) => own.name !== title);

  async function done(change, cohort) {
    save.disabled = true;
    try {
      const own = await change();
      state.set({ own: keeper ? [...own, ...state.get("own").filter((each) => !each.kept && !own.some((k) => k.name === each.name))] : own, cohort });
      dialog.close();
    } catch (error) {
      said.textContent = error.message;
      said.className = "small wrong";
      save.disabled = false;
    }
  }

  function listed() {
    swap(mine, state.get("own").map((own) => h("li", {}, h("span", {}, h("b", {}, name(own.name)), h("span", { class: "muted small" }, " ", own.rows ? count(own.rows.length, "row") : own.where === own.name ? "" : name(own.where))),
      own.where !== undefined && !rows && h("button", { type: "button", class: "quiet chip", onclick: () => { query.value = own.where; called.value = own.name; check(); } }, "Edit"),
      h("button", { type: "button", class: "quiet chip", "aria-label": `Delete ${own.name}`, onclick: () => done(() => (own.kept ? keeper.drop(own.name) : others(own.name)), state.get("cohort") === `own:${own.name}` ? "" : state.get("cohort")) }, "Delete"))));
  }

  const cancel = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel");
  const dialog = h("dialog", { class: "builder", "aria-labelledby": titleId },
    h("form", { onsubmit: keep },
      h("h2", { id: titleId }, "A cohort of rows"),
      !rows && conditionFields(subject, names, lookup, (condition) => {
        const before = query.value.trim();
        query.value = before ? `${/\bor\b/.test(before) ? `(${before})` : before} and ${condition}` : condition;
        check();
        called.focus();
      }),
      !rows && h("div", { class: "stacked" }, h("label", { for: query.id }, "Conditions"), query,
        h("p", { class: "muted small", id: helpId }, "Join by and, or, not and brackets. Also prediction, probability, truth, error, row and `importance of age` can be asked.")),
      said,
      h("div", { class: "stacked" }, h("label", { for: called.id }, "Name"), called),
      h("div", { class: "choices" }, save, cancel),
      state.get("own").length > 0 && h("div", {}, h("h3", {}, "Your cohorts"), mine)));
  listed();
  check();
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
