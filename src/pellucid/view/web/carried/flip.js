// What would change the answer of a row, by the model in the page: single changes of raw cells to
// values seen in the page's rows, then pairs; `pellucid.explain.counterfactual` goes on from there.

import { measureOf } from "../measure.js";
import { breath } from "./breath.js";
import { goalOf } from "./goal.js";
import { cellsOf } from "./rows.js";

const BUDGET = 20_000; // pairs that the model is asked about
const TRIED = 10; // seen values of a number that a search begins with
const LEVELS = 30; // most frequent categories that are tried
const SHRUNK = 64; // seen values that a move is tried to be shortened to
const WANTED = 3;

/**
 * @param {import("./model.js").CarriedModel} model
 * @param {Object} subject
 * @param {{row: number, wanted: number|[number|null, number|null]|null, fixed: number[]}} asked
 * @param {AbortSignal} [signal]
 */
export async function changesOf(model, subject, { row, wanted, fixed }, signal) {
  const { explained } = subject;
  const cells = cellsOf(model, explained, row);
  const start = model.encode(cells);
  const goal = goalOf(model.facts, model.margins(start), wanted);
  const columns = columnsOf(model, explained, row, new Set(fixed));
  const rest = breath(signal);
  let asked = 0;

  const margins = (moves) => {
    const engineered = Float32Array.from(start);
    for (const { column, values } of moves) column.own.forEach((j, k) => { engineered[j] = values[k]; });
    return model.margins(engineered);
  };
  const judge = async (moves) => {
    await rest();
    asked += 1;
    return goal(margins(moves));
  };
  const written = (column, move) => {
    if (!move.values) {
      const engineered = model.encode({ ...cells, [column.name]: cellsOf(model, explained, move.from)[column.name] });
      move.values = column.own.map((j) => engineered[j]);
    }
    return move;
  };

  let nearest = { moves: [], near: -Infinity };
  const flips = [];
  const attempt = async (moves) => {
    const { reached, near } = await judge(moves);
    if (reached) flips.push(moves);
    if (near > nearest.near) nearest = { moves, near };
    return near;
  };
  for (const column of columns) {
    column.promise = -Infinity;
    for (const move of column.tried) column.promise = Math.max(column.promise, await attempt([written(column, move)]));
  }
  let whole = true;
  if (!flips.length) {
    columns.sort((a, b) => b.promise - a.promise);
    const pairs = columns.flatMap((a, i) => columns.slice(i + 1).map((b, k) => [a, b, i + k])).sort((a, b) => a[2] - b[2]);
    let left = BUDGET;
    for (const [a, b] of pairs) {
      left -= a.tried.length * b.tried.length;
      if (left < 0) { whole = false; break; }
      for (const first of a.tried) for (const second of b.tried) await attempt([first, second]);
    }
  }
  const told = (moves) => ({
    changes: moves.map(({ column, from }) => ({ feature: column.feature, cell: cellsOf(model, explained, from)[column.name] })),
    response: goal.response(margins(moves)), distance: costOf(moves),
  });
  const short = new Map();
  for (const moves of apart(flips)) {
    const least = await shortened(moves, judge, written);
    short.set(least.map(({ column, value }) => `${column.feature}:${value}`).join(), least);
  }
  const found = [...short.values()].sort((a, b) => costOf(a) - costOf(b));
  return {
    most: 2, asked, fewest: true, // of the values tried, all single changes were asked about first
    found: found.map(told),
    why: found.length ? null : columns.length
      ? `${whole ? "All" : "The likeliest"} changes of one or two of ${columns.length} columns were tried` : "No column may change, or none has another value",
    nearest: nearest.moves.length && !found.length ? told(nearest.moves) : null,
  };
}

/** The columns that may move, and where to, the nearest first. */
function columnsOf(model, explained, row, fixed) {
  const { raw } = explained.levels;
  const measure = measureOf(raw);
  const { raw_of: rawOf, raw_names: names } = model.facts;
  return model.facts.fields.map(({ name }) => ({ name, feature: names.indexOf(name) }))
    .filter(({ feature }) => feature >= 0 && !fixed.has(feature))
    .map(({ name, feature }) => {
      const column = { name, feature, own: Array.from(rawOf.keys()).filter((j) => rawOf[j] === feature) };
      const { kind, values } = raw.column(feature);
      const seen = new Map();
      values.forEach((value, from) => {
        if (Number.isNaN(value) || value === values[row]) return;
        const move = seen.get(value) ?? { column, from, value, n: 0, cost: measure(feature)(values[row], value) };
        move.n += 1;
        seen.set(value, move);
      });
      const moves = [...seen.values()];
      if (kind === "category") column.tried = column.seen = moves.sort((a, b) => b.n - a.n).slice(0, LEVELS);
      else {
        column.seen = moves.sort((a, b) => a.cost - b.cost);
        column.tried = spread([...moves].sort((a, b) => a.value - b.value));
        column.ordered = true;
      }
      return column;
    }).filter(({ own, tried }) => own.length && tried.length);
}

/** Some of many, by rank, the first and the last among them. */
function spread(moves, most = TRIED) {
  if (moves.length <= most) return moves;
  return Array.from({ length: most }, (_, i) => moves[Math.round((i * (moves.length - 1)) / (most - 1))]);
}

function costOf(moves) {
  return moves.reduce((sum, { cost }) => sum + cost, 0);
}

/** The nearest of each set of columns, then the others. */
function apart(flips) {
  flips.sort((a, b) => costOf(a) - costOf(b));
  const seen = new Set();
  const [first, rest] = [[], []];
  for (const moves of flips) {
    const key = moves.map(({ column }) => column.feature).sort().join();
    (seen.has(key) ? rest : first).push(moves);
    seen.add(key);
  }
  return [...first, ...rest].slice(0, WANTED);
}

/** The same moves, each as short as the outcome allows while the other stays. */
async function shortened(moves, judge, written) {
  let now = moves;
  for (const [i, move] of [...moves.entries()].sort((a, b) => b[1].cost - a[1].cost)) {
    if (!move.column.ordered) continue;
    const nearer = move.column.seen.filter(({ cost, value }) => cost < move.cost && value !== move.value);
    for (const shorter of spread(nearer, SHRUNK)) {
      const tried = now.map((each, k) => (k === i ? written(move.column, shorter) : each));
      if ((await judge(tried)).reached) {
        now = tried;
        break;
      }
    }
  }
  return now;
}
