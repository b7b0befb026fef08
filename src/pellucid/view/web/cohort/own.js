// The reader's own cohorts: each a query or a set of rows, with a name.

import { cohorts } from "../cohorts.js";
import { namesOf } from "./named.js";
import { reader } from "./query.js";

const MOST_NAME = 80;
const MOST = 40; // cohorts in an address

/**
 * @typedef {Object} Own
 * @property {string} name
 * @property {string} [where] a query
 * @property {number[]} [rows] positions among all explained rows
 * @property {boolean} [kept] stored with the run
 */

/** Cohorts by what is known of the rows, then the reader's own. */
export function allCohorts(subject, state) {
  const output = Math.max(0, state.get("output"));
  return [...cohorts(subject, output), ...state.get("own").map((own) => ({
    id: `own:${own.name}`, label: own.name, own, rows: rowsOf(subject, output, own) ?? [],
  }))];
}

/** Rows of a cohort, as the page counts them; null where its query no longer can be read. */
export function rowsOf(subject, output, { where, rows }) {
  const { n, positions } = subject.explained;
  if (rows) {
    const chosen = new Set(rows);
    return all(n).filter((i) => chosen.has(positions ? positions[i] : i));
  }
  try {
    return all(n).filter(reader(where, namesOf(subject, output).lookup));
  } catch {
    return null;
  }
}

function all(n) {
  return Array.from({ length: n }, (_, i) => i);
}

/** Keep `rows` of the state to those of the chosen cohort, null for all. */
export function followCohort(subject, state) {
  state.on(["cohort", "own", "output"], ({ cohort }) => {
    const found = cohort ? allCohorts(subject, state).find((each) => each.id === cohort) : null;
    const rows = found?.rows.length ? found.rows : null;
    const before = state.get("rows");
    if (rows?.length !== before?.length || rows?.some((row, i) => row !== before[i])) state.set({ rows });
  });
}

/** Keep `totals` of the state to what is known of all rows of the cohort, where a page has a sample. */
export function followTotals(subject, state, keeper) {
  if (!subject.explained?.whole) return;
  let asked = 0;
  state.on(["cohort", "own", "output"], async ({ cohort, output }) => {
    asked += 1;
    const mine = asked;
    state.set({ totals: null });
    const found = cohort ? allCohorts(subject, state).find((each) => each.id === cohort) : null;
    if (!found?.rows.length) return;
    const totals = await keeper.totals(found, Math.max(0, output)).catch(() => null); // the sample stays
    if (mine === asked) state.set({ totals });
  });
}

/** Own cohorts as a part of an address; those that are kept with the run are known by name. */
export function spellOwn(own) {
  const linked = own.filter((each) => !each.kept).map(({ name, where, rows }) => (rows ? [name, null, packed(rows)] : where === name ? [name] : [name, where]));
  return linked.length ? JSON.stringify(linked) : null;
}

/** @returns {Own[]|undefined} */
export function readOwn(text) {
  try {
    const given = JSON.parse(text);
    const own = given.slice(0, MOST).map(([name, where, rows]) => ({
      name: String(name).slice(0, MOST_NAME), ...(rows === undefined ? { where: String(where ?? name) } : { rows: unpacked(rows) }),
    }));
    return own.filter((each, i) => each.name && own.findIndex(({ name }) => name === each.name) === i);
  } catch {
    return undefined;
  }
}

/** Positions as steps from one to the next, in base 36: "1c.1.5". */
function packed(rows) {
  return [...rows].sort((a, b) => a - b).map((row, i, sorted) => (row - (sorted[i - 1] ?? 0)).toString(36)).join(".");
}

function unpacked(steps) {
  let at = 0;
  return steps.split(".").map((by) => {
    at += parseInt(by, 36);
    if (!(at >= 0)) throw new Error("no rows");
    return at;
  });
}
