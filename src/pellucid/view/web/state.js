// What the reader has chosen; sections listen for the parts that they show.

/**
 * @template {Object} T
 * @param {T} initial
 */
export function createState(initial) {
  const values = { ...initial };
  const listeners = [];
  return {
    /** The current choice of one key. */
    get: (key) => values[key],
    /** Change some keys and tell who listens for any of them, once. */
    set(changes) {
      const changed = Object.keys(changes).filter((key) => values[key] !== changes[key]);
      if (!changed.length) return;
      Object.assign(values, changes);
      for (const { keys, callback } of listeners) {
        if (keys.some((key) => changed.includes(key))) callback(values);
      }
    },
    /** Call back now, and when any of the keys changes. */
    on(keys, callback) {
      listeners.push({ keys, callback });
      callback(values);
    },
  };
}
