// Find a row: a list to search, sort and walk through with the keyboard.

import { short } from "./axes.js";
import { errorOf } from "./cohort/named.js";
import { h, name, select, swap, uid } from "./dom.js";
import { num, percent } from "./format.js";

const PAGE = 60;

export function finder(subject, state) {
  const { explained, task } = subject;
  const listId = uid("rows");
  const list = h("div", { class: "rows", role: "listbox", id: listId, tabindex: "0", "aria-label": "Choose a row" });
  const head = h("div", { class: "row-line row-head", "aria-hidden": "true" });
  const status = h("p", { class: "muted small", role: "status" });
  const sortBox = h("div", {});
  let order = [];
  let drawn = 0;
  let sorts = null;
  const output = () => Math.max(0, state.get("output"));
  const search = h("input", {
    type: "search", placeholder: `Row, or ${example()}`, "aria-label": "Find rows by number or by values",
    oninput: () => state.set({ find: search.value }),
    onkeydown: (event) => { if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); list.focus(); move(0); } },
  });
  function arrange() {
    const options = keys();
    const by = Object.hasOwn(options, state.get("sort")) ? options[state.get("sort")] : options.high;
    order = (state.get("rows") ?? Array.from({ length: explained.n }, (_, i) => i)).filter(matcher());
    if (by.value) {
      const values = new Map(order.map((i) => [i, by.value(i)]));
      order.sort((a, b) => (values.get(b) - values.get(a)) || a - b);
    }
    drawn = 0;
    list.replaceChildren();
    list.scrollTop = 0;
    more();
    mark();
    status.textContent = order.length === explained.n ? `${num(explained.n, 6)} rows`
      : `${num(order.length, 6)} of ${num(explained.n, 6)} rows`;
  }

  function keys() {
    const { rows } = explained;
    const margin = (i) => rows.margins[i][output()];
    const what = task === "regression" ? "prediction" : "probability";
    return {
      high: { label: `Highest ${what}`, value: margin },
      low: { label: `Lowest ${what}`, value: (i) => -margin(i) },
      ...(rows.true && { error: { label: "Largest error", value: (i) => errorOf(subject, i) ?? -Infinity } }),
      ...(task !== "regression" && rows.probability && {
        close: { label: "Closest call", value: (i) => -lead(rows.probability[i]) } }),
      table: { label: "Order of the table" },
    };
  }

  /** A search that finds something: the commonest way to ask, by a cell. */
  function example() {
    const { raw } = explained.levels;
    const fits = (f) => raw.names[f].length < 14 && !/\s/.test(raw.names[f]);
    const { order: ranked } = explained.rank("raw", output());
    const f = ranked.find((i) => fits(i) && raw.column(i).kind === "category" && raw.column(i).levels.length < 20)
      ?? ranked.find(fits);
    return f === undefined ? "name=value" : short(`${raw.names[f]}=${raw.column(f).text(0).replaceAll(",", "")}`, 28);
  }

  function matcher() {
    const query = state.get("find").trim().toLowerCase();
    if (!query) return () => true;
    const { raw } = explained.levels;
    const terms = query.split(/\s+/);
    const lower = raw.names.map((n) => n.toLowerCase());
    return (i) => terms.every((term) => {
      const [key, value] = term.split("=");
      if (value === undefined) return String(explained.rows.ids[i]).toLowerCase() === term;
      return lower.some((n, f) => n.includes(key) && raw.column(f).text(i).replaceAll(",", "").toLowerCase().startsWith(value));
    });
  }

  function more() {
    const next = order.slice(drawn, drawn + PAGE);
    list.append(...next.map(line));
    drawn += next.length;
    if (!order.length) list.append(h("p", { class: "muted empty" }, "No row fits."));
  }

  function line(i) {
    const truth = explained.truth(i);
    const chance = explained.chance(i, output());
    const said = explained.predicted(i);
    const wrong = task !== "regression" && truth !== null && truth !== said;
    return h("div", { class: "row-line", role: "option", id: `${listId}-${i}`, "data-row": i, "aria-selected": "false",
      onclick: () => { state.set({ row: i }); } },
    h("span", { class: "row-id" }, name(explained.rows.ids[i])),
    task === "regression" ? h("span", { class: "n" }, said)
      : h("span", { class: "n row-chance" }, h("span", { class: "mini", "aria-hidden": "true" },
        h("span", { style: { width: `${100 * (chance ?? 0)}%` } })), percent(chance)),
    explained.rows.true && h("span", { class: wrong ? "n wrong" : "n" }, task === "regression" ? truth ?? "–" : name(truth ?? "–"), wrong && h("span", { class: "sr" }, " (predicted otherwise)")));
  }

  function mark() {
    const row = state.get("row");
    list.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    const node = list.querySelector(`[data-row="${row}"]`);
    node?.setAttribute("aria-selected", "true");
    if (node) list.setAttribute("aria-activedescendant", node.id);
    else list.removeAttribute("aria-activedescendant");
    return node;
  }

  /** To the next row down or up the list; only the list scrolls. */
  function move(by) {
    const at = order.indexOf(state.get("row"));
    const next = Math.min(order.length - 1, Math.max(0, at < 0 ? 0 : at + by));
    while (drawn <= next && drawn < order.length) more();
    if (order[next] === undefined) return;
    state.set({ row: order[next] });
    const node = mark();
    if (!node) return;
    if (node.offsetTop < list.scrollTop) list.scrollTop = node.offsetTop;
    const over = node.offsetTop + node.offsetHeight - list.clientHeight;
    if (over > list.scrollTop) list.scrollTop = over;
  }

  list.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    move(by);
  });
  list.addEventListener("scroll", () => {
    if (list.scrollTop + list.clientHeight > list.scrollHeight - 200 && drawn < order.length) more();
  });

  state.on(["output"], () => {
    sorts = select("Sort by", Object.entries(keys()).map(([k, o]) => [k, o.label]), state.get("sort"), (v) => state.set({ sort: v }));
    swap(sortBox, sorts);
    swap(head, h("span", {}, "Row"),
      h("span", { class: "n" }, task === "regression" ? "Predicted" : h("span", {}, "P(", name(explained.classes[explained.nOutputs === 1 ? 1 : output()]), ")")),
      explained.rows.true && h("span", { class: "n" }, "True"));
  });
  state.on(["output", "find", "sort", "rows"], ({ find, sort }) => {
    if (search.value !== find) search.value = find;
    sorts.querySelector("select").value = sort;
    arrange();
  });
  state.on(["row"], mark);
  if (state.get("row") < 0 && order.length) state.set({ row: order[0] });
  return h("div", { class: "finder" }, sortBox, search, h("div", { class: "rows-box" }, head, list), status);
}

/** How far the likeliest class leads. */
function lead(chances) {
  const sorted = [...chances].sort((a, b) => b - a);
  return sorted[0] - (sorted[1] ?? 0);
}
