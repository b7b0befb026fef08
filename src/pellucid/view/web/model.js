// The report's subject: the payload with its packed parts opened, and the words that fit its task.

import { short } from "./axes.js";
import { decodeLevel, once } from "./decode.js";
import { num, percent } from "./format.js";
import { rank, rankOf } from "./stats.js";

/** Everything that sections read. `subject.explained` is null for a run without explanations. */
export function createSubject({ run, training, explanation }) {
  if (!explanation) return subjectOf({ run, training }, null, null);
  const n = explanation.rows.ids.length;
  return subjectOf({ run, training }, explanation, {
    raw: decodeLevel(explanation.raw, n),
    engineered: explanation.engineered && decodeLevel(explanation.engineered, n),
  });
}

/** The same of an explanation whose levels are open already. */
export function subjectOf({ run, training }, explanation, levels) {
  const task = training.task ?? "regression";
  return {
    run,
    training,
    task,
    target: String(training.target ?? "the target"),
    explained: explanation ? open(explanation, levels, task, String(training.target ?? "prediction"), training.link) : null,
  };
}

function open(explanation, levels, task, target, link) {
  const rows = explanation.rows;
  const n = rows.ids.length;
  const nOutputs = explanation.base_values.length;
  const ranks = once((key) => {
    const [level, output] = key.split(":");
    return explanation.whole ? rankOf(explanation.whole.size[level], Number(output)) : rank(levels[level], Number(output), nOutputs);
  });
  const rawOf = explanation.raw_of;
  const classes = explanation.classes;
  const chance = rows.probability?.[0]?.[1];
  const positive = task === "binary" && classes ? classes[1] : null;
  return {
    ...explanation,
    n,
    nOutputs,
    levels,
    rows,
    classes,
    /** Whether margins are logarithms of predictions, so that importances multiply. */
    isLog: link === "log",
    rank: (level, output) => ranks(`${level}:${output}`),
    /** Engineered features of a raw one, in the engineered ranking of an output. */
    madeOf(raw, output) {
      if (!rawOf) return [];
      return ranks(`engineered:${output}`).order.filter((j) => rawOf[j] === raw);
    },
    rawOf: (engineered) => (rawOf ? rawOf[engineered] : -1),
    /** What importances are parts of, for an output. */
    unit(output) {
      if (task === "regression") return this.isLog ? `logarithm of ${target}` : target;
      return `${this.scale} of ${this.outcome(output)}`;
    },
    /** What margins of classes are: log-odds where they give the probability, whatever it was else. */
    scale: explanation.space === "probability" ? "probability"
      : positive !== null && (chance === undefined || Math.abs(sigmoid(rows.margins[0][0]) - chance) < 1e-3) ? "log-odds" : "score",
    /** The probability that the charts of an output speak of, or null. */
    chance: (row, output) => rows.probability?.[row]?.[nOutputs === 1 ? 1 : output] ?? null,
    /** What has that probability: "y = yes". */
    outcome: (output) => `${short(target, 40)} = ${short(positive ?? classes?.[output] ?? output, 40)}`,
    /** The prediction of a row for people. */
    predicted(row) {
      const value = rows.predicted?.[row];
      if (task === "regression") return num(value ?? (this.isLog ? Math.exp(rows.margins[row][0]) : rows.margins[row][0]), 5);
      return classes?.[value] ?? "–";
    },
    truth(row) {
      const value = rows.true?.[row];
      if (value === null || value === undefined || value === -1) return null;
      return task === "regression" ? num(value, 5) : classes?.[value] ?? null;
    },
    chanceText: (p) => (p === null ? "–" : percent(p)),
  };
}

/** 1 / (1 + e^-x). */
export function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}
