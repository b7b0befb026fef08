// Long computations that let the page live on.

const TURN = 12; // milliseconds between two breaths

/**
 * To be awaited between steps: gives way to the page now and then.
 * @param {AbortSignal} [signal] ends the computation
 * @returns {() => Promise<void>|void}
 */
export function breath(signal) {
  let since = performance.now();
  return () => {
    signal?.throwIfAborted();
    if (performance.now() - since < TURN) return undefined;
    return new Promise((go) => { setTimeout(go); }).then(() => {
      since = performance.now();
      signal?.throwIfAborted();
    });
  };
}
