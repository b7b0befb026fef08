// Where a curve over a feature is asked for: rows of the page, whose values of it are put in.

import { isSpread } from "./stats.js";

const MOST = 24; // points of a curve by rank, as many as strips of categories can be told apart
const EVEN = 12; // points more by value, for where rows are few

/**
 * Rows that bring the values, in the order of the axis; the chosen row's value is among them.
 * @param {import("./decode.js").Column} column
 * @param {number} row
 * @returns {{rows: number[], own: number}|null} own: the place of the row's value; null where
 *   nearly every row has a category of its own
 */
export function pointsOf(column, row) {
  if (isSpread(column)) return null;
  const first = new Map(); // value -> the first row that has it and how many have
  column.values.forEach((value, i) => {
    const key = keyOf(column, value);
    const cell = first.get(key) ?? { row: i, n: 0, value: key };
    cell.n += 1;
    first.set(key, cell);
  });
  const gone = first.get("missing");
  first.delete("missing");
  const chosen = column.kind === "category" ? commonest([...first.values()]) : spread([...first.values()]);
  const mine = keyOf(column, column.values[row]);
  if (mine !== "missing" && !chosen.some((cell) => cell.value === mine)) chosen.push(first.get(mine));
  chosen.sort((a, b) => a.value - b.value);
  if (gone) chosen.push(gone);
  return { rows: chosen.map((cell) => cell.row), own: chosen.findIndex((cell) => cell.value === mine) };
}

/** What is one point of the axis: numbers that are endless stand with those that are missing. */
function keyOf({ kind }, value) {
  return Number.isNaN(value) || (kind !== "category" && !Number.isFinite(value)) ? "missing" : value;
}

function commonest(cells) {
  return cells.sort((a, b) => b.n - a.n || a.row - b.row).slice(0, MOST);
}

/** Seen values by their ranks, so that a curve is fine where rows are many, and some by size. */
function spread(cells) {
  if (cells.length <= MOST + EVEN) return cells;
  cells.sort((a, b) => a.value - b.value);
  const [low, high] = [cells[0].value, cells.at(-1).value];
  const known = cells.reduce((sum, cell) => sum + cell.n, 0);
  const taken = new Set([cells[0], cells.at(-1)]);
  const step = (before, now, steps) => Math.floor(before * steps) !== Math.floor(now * steps);
  let before = 0;
  cells.forEach((cell, i) => {
    if (step(before / known, (before + cell.n) / known, MOST)) taken.add(cell);
    before += cell.n;
    if (i && step((cells[i - 1].value - low) / (high - low), (cell.value - low) / (high - low), EVEN)) taken.add(cell);
  });
  return [...taken];
}
