// Cohorts that are kept with a run.

import { ask } from "./api.js";

/** @returns {Promise<{own: import("../cohort/own.js").Own[], keeper: import("../cohort/builder.js").Keeper}>} */
export async function keeperOf(run) {
  const path = `/api/runs/${encodeURIComponent(run.id)}/cohorts`;
  const kept = ({ cohorts }) => cohorts.map((cohort) => ({ ...cohort, kept: true }));
  const given = ({ name, where, rows }) => (rows ? { name, rows } : { name, where });
  const change = async (body) => kept(await ask(path, { body }));
  return {
    own: kept(await ask(path)),
    keeper: {
      save: (own) => change({ save: given(own) }),
      totals: ({ id, own }, output, others = false) => ask(`/api/runs/${encodeURIComponent(run.id)}/totals`, { body: { cohort: own ? given(own) : id, output, others } }),
      drop: (name) => change({ drop: name }),
    },
  };
}
