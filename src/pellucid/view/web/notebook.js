// Who answers in a widget's frame: the live model, by way of the notebook that holds the frame.

/** @returns {import("./carried/asker.js").Asker} */
export function notebookAsker() {
  const waiting = new Map();
  let serial = 0;
  addEventListener("message", ({ source, data }) => {
    const said = source === parent && data?.pellucidAnswer;
    const ends = said && waiting.get(said.id);
    if (!ends) return;
    waiting.delete(said.id);
    if (said.error) ends.fail(new Error(said.error));
    else ends.done(said.answer);
  });
  const about = (kind) => (question, signal) => new Promise((done, fail) => {
    serial += 1;
    const id = serial;
    waiting.set(id, { done, fail });
    signal?.addEventListener("abort", () => { waiting.delete(id); fail(signal.reason); });
    parent.postMessage({ pellucidAsk: { id, question: { about: kind, ...question } } }, "*");
  });
  return { why: null, curves: about("curves"), changes: about("changes") };
}
