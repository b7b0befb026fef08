// Who answers in the studio: the live model, by the server.

import { ask } from "./api.js";
import { to } from "./link.js";

/** @returns {import("../carried/asker.js").Asker} */
export function studioAsker(run) {
  if (run.training.horizon) return { why: "A forecast’s row stands on the past of its series, in which one cell is part of many rows." };
  const path = `/api/runs/${encodeURIComponent(run.id)}/ask`;
  const about = (kind) => (question, signal) => ask(path, { body: { about: kind, ...question }, signal });
  const edit = (row, cells) => { location.hash = to(["run", run.id, "what-if"], { row, cells: JSON.stringify(cells) }); };
  return { why: null, curves: about("curves"), changes: about("changes"), edit };
}
