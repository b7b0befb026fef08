// All runs: find one, follow one that is running, compare two.

import { h, name, swap } from "../dom.js";
import { count, duration, metricName, metricValue, moment, num } from "../format.js";
import { tableOf } from "../table.js";
import { ask, follow } from "./api.js";
import { note, to } from "./link.js";

/** The list; `query` holds what is searched for. */
export async function runsPage(asked) {
  let found = await ask("/api/runs");
  const title = h("h1", {}, "Runs");
  const lede = h("p", { class: "lede" });
  if (!found.runs.length) {
    const stop = follow(({ runs }) => runs.length && dispatchEvent(new HashChangeEvent("hashchange")));
    return { title: "Runs", path: [], leave: stop, node: h("section", { class: "headline" }, title, empty(found.store)) };
  }
  const chosen = new Set();
  let query = (asked.get("q") ?? "").trim().toLowerCase();
  const list = tableOf("Runs", fields(chosen, offer), [], { first: 50 });
  const status = h("p", { class: "muted small", role: "status" });
  const compare = h("a", { class: "quiet" });
  const search = h("input", {
    type: "search", placeholder: "Name, target, task or status", "aria-label": "Find runs", value: query,
    oninput: () => { query = search.value.trim().toLowerCase(); note({ q: query || null }); show(); },
  });

  function show() {
    swap(lede, `${count(found.runs.length, "run")} in `, name(found.store));
    const rows = found.runs.filter((r) => query.split(/\s+/).every((word) => text(r).includes(word)));
    list.show(rows);
    status.textContent = rows.length === found.runs.length ? "" : `${num(rows.length)} of ${count(found.runs.length, "run")}`;
  }

  function offer() {
    const [first, second] = chosen;
    compare.hidden = false;
    if (second) compare.setAttribute("href", to(["compare", first, second]));
    else compare.removeAttribute("href");
    compare.textContent = second ? "Compare the two" : `Tick ${first ? "one more" : "two runs"} to compare`;
  }

  offer();
  const stop = follow((now) => {
    if (JSON.stringify(now) === JSON.stringify(found)) return; // what is focused stays so
    found = now;
    show();
  });
  show();
  return {
    title: "Runs",
    path: [],
    leave: stop,
    node: h("section", { class: "headline" }, title, lede,
      h("div", { class: "toolbar runs-bar" }, search, compare), list.node, status),
  };
}

function text(r) {
  return [r.id, r.name, r.target, r.task, r.status].join(" ").toLowerCase();
}

function fields(chosen, offer) {
  const tick = (r) => h("input", {
    type: "checkbox", checked: chosen.has(r.id), disabled: r.status !== "FINISHED", "aria-label": `Compare ${r.name}`,
    onchange: (event) => {
      chosen.delete(r.id);
      if (event.target.checked) chosen.add(r.id);
      if (chosen.size > 2) {
        const [oldest] = chosen;
        chosen.delete(oldest);
        for (const box of document.querySelectorAll("td input")) box.checked = chosen.has(box.dataset.run);
      }
      offer();
    },
    "data-run": r.id,
  });
  return [
    { label: "Compare", unseen: true, show: tick, class: "narrow" },
    { label: "Run", sort: (r) => r.name, class: "grow", show: (r) => h("a", { href: to(["run", r.id]) }, name(r.name || r.id.slice(0, 8))) },
    { label: "Target", sort: (r) => r.target, show: (r) => name(r.target), class: "cell-name" },
    { label: "Task", sort: (r) => r.task, show: (r) => r.task },
    { label: "Rows", number: true, sort: (r) => Number(r.rows ?? NaN), show: (r) => num(r.rows ? Number(r.rows) : null, 8) },
    { label: "Score", number: true, sort: (r) => r.test_score ?? r.score ?? null, show: score },
    { label: "Took", number: true, sort: (r) => r.seconds, show: (r) => duration(r.seconds) },
    { label: "Started", sort: (r) => r.started, show: (r) => h("span", { class: "nowrap" }, moment(r.started)) },
    { label: "Status", sort: (r) => r.status, show: state, class: "wide" },
  ];
}

function score(r) {
  const value = r.test_score ?? r.score;
  if (value === null || value === undefined) return "–";
  return h("span", {}, h("span", { class: "muted small" }, `${metricName(r.metric)}${r.test_score === null ? "" : ", test"} `), metricValue(value));
}

function state(r) {
  if (r.progress) return progress(r.progress);
  return h("span", { class: r.status === "FINISHED" ? "state" : "state wrong" }, r.status.toLowerCase(), r.reason && h("span", { class: "muted small" }, " ", name(r.reason)));
}

/** How far a run that goes on has come. */
export function progress({ trials, seconds, budget }) {
  const whole = Number(budget);
  return h("span", { class: "progress" }, whole > 0 && h("progress", { max: whole, value: Math.min(seconds, whole), "aria-label": "Time of the budget" }),
    h("span", { class: "muted small" }, `running: ${count(trials, "trial")}, ${duration(seconds)}${whole > 0 ? ` of ${duration(whole)}` : ""}`));
}

function empty(store) {
  return h("div", { class: "note" }, h("p", {}, "There are no runs yet in ", name(store), ". Train one:"),
    h("pre", { tabindex: "0" }, "pellucid train table.csv --target y"));
}
