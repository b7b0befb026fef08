// The address says what is chosen, and what is chosen follows the address: a link shows the same.

import { readOwn, spellOwn } from "./cohort/own.js";

const PAUSE = 1000; // milliseconds within which more of the same is one step of the history
const QUIET = new Set(["search", "find", "shown", "threshold"]); // no step of their own to go back to

/**
 * How each key of the state is spelled in an address; null is left out. `read` gives what a
 * spelling means, or undefined where it means nothing here.
 */
function spellings(explained, state) {
  const text = { write: (v) => (v === "" ? null : String(v)), read: (s) => s };
  const threshold = { write: String, read: (s) => (/^(0(\.\d{1,2})?|1)$/.test(s) ? Number(s) : undefined) };
  if (!explained?.n) return { view: text, threshold };
  const names = (level) => explained.levels[level].names;
  const feature = { write: (f, level) => names(level)[f], read: (s, level) => known(names(level).indexOf(s)) };
  return {
    level: { write: (v) => v, read: (s) => (explained.levels[s] ? s : undefined) },
    output: {
      as: "class",
      write: (k) => explained.classes?.[k] ?? k,
      read: (s) => (explained.nOutputs > 1 ? known((explained.classes ?? []).findIndex((c) => String(c) === s)) : undefined),
    },
    feature,
    color: {
      write: (v, level) => (v === "auto" ? null : v < 0 ? "" : feature.write(v, level)),
      read: (s, level) => (s === "" ? -1 : feature.read(s, level)),
    },
    open: {
      write: (v, level) => (v?.startsWith(`${level}:`) ? feature.write(v.split(":")[1], level) : null),
      read: (s, level) => (feature.read(s, level) === undefined ? undefined : `${level}:${feature.read(s, level)}`),
    },
    row: {
      write: (r) => (r < 0 ? null : explained.rows.ids.indexOf(explained.rows.ids[r]) === r ? String(explained.rows.ids[r]) : `@${r}`),
      read: (s) => known(explained.rows.ids.findIndex((id) => String(id) === s)) ?? (/^@\d+$/.test(s) && s.slice(1) < explained.n ? Number(s.slice(1)) : undefined),
    },
    shown: { as: "top", write: String, read: (s) => (/^[1-9]\d{0,4}$/.test(s) ? Number(s) : undefined) },
    own: { write: spellOwn, read: (s) => merged(state.get("own").filter((each) => each.kept), readOwn(s)) },
    cohort: text, x: text, y: text, by: text, one: text, with: text, view: text, search: text, find: text, sort: text, over: text, threshold,
  };
}

/** Cohorts that are kept, and those of a link beside them. */
function merged(kept, linked) {
  return linked && [...kept.filter(({ name }) => !linked.some((each) => each.name === name)), ...linked];
}

function known(position) {
  return position >= 0 ? position : undefined;
}

/**
 * Set a state to what an address says, now and whenever the reader goes back or on, and spell in
 * the address what is chosen from then on.
 * @param {Object} subject
 * @param {Object} state as `startState` made it
 * @param {Object} place where the page keeps a query in its address
 * @param {() => URLSearchParams|null} place.read null where the address is of another page
 * @param {(query: Object<string, string>, step: boolean) => void} place.write
 * @returns {{begin: () => void, quietly: (changes: Object) => void, leave: () => void}} `begin` is
 *   for when the sections stand; `quietly` sets what is no step to go back to
 */
export function addressed({ explained }, state, { read, write }) {
  const all = spellings(explained, state);
  const keys = Object.keys(all);
  const start = Object.fromEntries(keys.map((key) => [key, state.get(key)]));
  let last = null;
  let at = 0;
  let changed = new Set();
  let before = { ...start };
  let reading = false;
  let quiet = false;

  function arrive() {
    const query = read();
    if (!query) return;
    reading = true;
    const meant = (key, level) => {
      const said = query.get(all[key].as ?? key);
      return (said === null ? undefined : all[key].read(said, level)) ?? start[key];
    };
    const level = all.level && meant("level");
    if (level) state.set({ level }); // which moves to a feature of its own
    state.set(Object.fromEntries(keys.filter((key) => key !== "level").map((key) => [key, meant(key, level)])));
    before = Object.fromEntries(keys.map((key) => [key, state.get(key)]));
    reading = false;
  }

  function flush() {
    if (!changed.size) return;
    const level = state.get("level");
    const query = {};
    for (const key of keys) {
      const value = state.get(key);
      const spelled = value === start[key] && (level === start.level || !["feature", "color"].includes(key)) ? null : all[key].write(value, level);
      if (spelled !== null) query[all[key].as ?? key] = spelled;
    }
    const same = [...changed].sort().join();
    const step = !quiet && [...changed].some((key) => !QUIET.has(key)) && (same !== last || performance.now() - at > PAUSE);
    if (!quiet) [last, at] = [same, performance.now()];
    [changed, quiet] = [new Set(), false];
    write(query, step);
  }

  arrive();
  const back = () => arrive();
  return {
    begin() {
      if (start.row < 0) start.row = read()?.get("row") ? start.row : state.get("row"); // the first of the list
      before = Object.fromEntries(keys.map((key) => [key, state.get(key)]));
      state.on(keys, (values) => {
        const now = keys.filter((key) => values[key] !== before[key]);
        for (const key of now) before[key] = values[key];
        if (reading || !now.length) return;
        if (!changed.size) queueMicrotask(flush);
        now.forEach((key) => changed.add(key));
      });
      addEventListener("popstate", back);
    },
    quietly(changes) {
      quiet = changed.size === 0;
      state.set(changes);
      quiet &&= changed.size > 0;
    },
    leave: () => removeEventListener("popstate", back),
  };
}
