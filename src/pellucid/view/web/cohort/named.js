// What names in a query stand for: the raw columns, and what the model makes of a row.

const OURS = ["prediction", "probability", "truth", "error", "row"];

/**
 * @param {Object} subject
 * @param {number} output whose probability and importances are meant
 * @returns {{names: string[], lookup: (name: string) => import("./query.js").Named|null}}
 */
export function namesOf({ explained, task }, output) {
  const { raw } = explained.levels;
  const { rows } = explained;
  const place = new Map(raw.names.map((name, f) => [name, f]));
  const label = (k) => (k === null || k === undefined || k < 0 ? null : String(explained.classes?.[k] ?? k));
  const cell = (values, as) => (row) => as(values[row] ?? null);
  const number = (v) => (Number.isFinite(v) ? v : null);
  const category = task !== "regression";
  const ours = {
    prediction: rows.predicted ? { kind: category ? "category" : "numeric", value: cell(rows.predicted, category ? label : number) }
      : { kind: "numeric", value: (row) => rows.margins[row][output] },
    probability: rows.probability && { kind: "numeric", value: (row) => explained.chance(row, output) },
    truth: rows.true && { kind: category ? "category" : "numeric", value: cell(rows.true, category ? label : number) },
    error: rows.true && { kind: "numeric", value: (row) => errorOf({ explained, task }, row) },
    row: typeof rows.ids[0] === "number" ? { kind: "numeric", value: (row) => rows.ids[row] } : { kind: "category", value: (row) => String(rows.ids[row]) },
  };
  const lookup = (name) => {
    if (place.has(name)) return columnNamed(raw.column(place.get(name)));
    if (OURS.includes(name)) return ours[name] || null;
    const of = /^importance of (.+)$/s.exec(name);
    if (of && place.has(of[1])) {
      const values = raw.importances(output)(place.get(of[1]));
      return { kind: "numeric", value: (row) => values[row] };
    }
    return null;
  };
  return { names: [...raw.names, ...OURS.filter((name) => ours[name] && !place.has(name))], lookup };
}

function columnNamed({ kind, values, levels }) {
  if (kind === "category") return { kind, value: (row) => (Number.isNaN(values[row]) ? null : String(levels[values[row]])) };
  return { kind, value: (row) => (Number.isNaN(values[row]) ? null : values[row]) };
}

/** How wrong: the probability that the truth did not get, or the distance from it; null unknown. */
export function errorOf({ explained: { rows }, task }, row) {
  const truth = rows.true?.[row];
  if (truth === null || truth === undefined || (task !== "regression" && truth < 0)) return null;
  if (task === "regression") return rows.predicted ? Math.abs(rows.predicted[row] - truth) : null;
  const chance = rows.probability?.[row]?.[truth];
  return chance === undefined ? null : 1 - chance;
}
