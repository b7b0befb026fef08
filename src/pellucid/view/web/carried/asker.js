// Who answers in a page without a server: the model that travels in it.

import { changesOf } from "./flip.js";
import { openModel } from "./model.js";
import { curvesOf } from "./respond.js";

/**
 * @typedef {Object} Asker answers a page's questions about rows and features
 * @property {string|null} why why nobody does
 * @property {(question: Object, signal?: AbortSignal) => Promise<Object>} [curves] over a feature
 * @property {(question: Object, signal?: AbortSignal) => Promise<Object>} [changes] of a row that give an outcome
 * @property {(row: number, cells: Object<string, any>) => void} [edit] shows a row with other cells as a form
 *
 * @param {Object} subject
 * @param {{gzip: string}|{why: string}|null} carried the payload's model
 * @param {string} absent why there is none
 * @returns {Asker & {open?: () => Promise<import("./model.js").CarriedModel>}}
 */
export function carriedAsker(subject, carried, absent) {
  if (!carried?.gzip) return { why: carried?.why ? `The model is not in this page: ${carried.why}.` : absent };
  let opened = null;
  const open = () => { opened ??= openModel(carried.gzip); return opened; };
  return {
    why: null,
    open,
    curves: async (question, signal) => curvesOf(await open(), subject.explained, question, signal),
    changes: async (question, signal) => changesOf(await open(), subject, question, signal),
  };
}
