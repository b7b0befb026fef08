// Cohorts that are kept with a run.

import { ask } from "./api.js";

/** @returns {Promise<{own: import("../cohort/own.js").Own[], keeper: import("../cohort/builder.js").Keeper}>} */
export async function keeperOf(run) {
  const path = `/api/runs/${encodeURIComponent(run.id)}/cohorts`;
  const kept = ({ cohorts }) => cohorts.map((cohort) => ({ ...cohort, kept: true }));
  const change = async (body) => kept(await ask(path, { body }));
  return {
    own: kept(await ask(path)),
    keeper: {
      save: ({ name, where, rows }) => change({ save: rows ? { name, rows } : { name, where } }),
      totals: ({ name, where, rows }, output) => ask(`/api/runs/${encodeURIComponent(run.id)}/totals`, { body: { cohort: rows ? { name, rows } : { name, where }, output } }),
      drop: (name) => change({ drop: name }),
    },
  };
}
