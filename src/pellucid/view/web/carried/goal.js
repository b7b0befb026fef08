// The outcome that a change is wanted for, and how near margins are to it.

import { responseOf } from "./rows.js";

/**
 * @param {Object} facts of the carried model
 * @param {Float64Array} now the row's own margins
 * @param {number|[number|null, number|null]|null} wanted a class, a range of a value, or any other class
 * @returns {((margins: Float64Array) => {reached: boolean, near: number})
 *   & {response: (margins: Float64Array) => number[]}} near: the lead of the class that is wanted, or
 *   how far a value is from the range, with a minus
 * @throws {Error} where the row has the outcome already
 */
export function goalOf(facts, now, wanted) {
  const response = (margins) => responseOf(facts, margins);
  const judge = facts.task === "regression" ? range(wanted) : classes(wanted ?? likeliest(response(now)), wanted === null);
  const goal = (margins) => judge(response(margins));
  if (goal(now).reached) throw new Error("the row has this outcome already");
  return Object.assign(goal, { response });
}

function range([low, high]) {
  return ([value]) => {
    const outside = Math.max((low ?? -Infinity) - value, value - (high ?? Infinity));
    return { reached: outside <= 0, near: -Math.max(outside, 0) };
  };
}

function classes(at, leave) {
  return (chances) => {
    const lead = chances[at] - Math.max(...chances.filter((_, k) => k !== at));
    const said = likeliest(chances) === at;
    return leave ? { reached: !said, near: -lead } : { reached: said, near: lead };
  };
}

function likeliest(chances) {
  return chances.indexOf(Math.max(...chances));
}
