// Questions to the studio's server.

/**
 * @param {string} path
 * @param {Object} [options]
 * @param {Object} [options.body] sent as JSON
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<any>}
 * @throws {Error} with what the server says is wrong
 */
export async function ask(path, { body, signal } = {}) {
  const sent = body === undefined ? {}
    : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let reply;
  try {
    reply = await fetch(path, { ...sent, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The studio does not answer; is pellucid studio still running?");
  }
  const said = await reply.json();
  if (!reply.ok) throw new Error(said.error ?? `The studio answered ${reply.status}.`);
  return said;
}

/**
 * All runs, now and whenever they change, as long as the page is seen.
 * @param {(found: {store: string, runs: Object[]}) => void} heard
 * @returns {() => void} stops listening
 */
export function follow(heard) {
  let source = null;
  const listen = () => {
    source?.close();
    source = document.hidden ? null : new EventSource("/api/live"); // browsers hold few connections open
    if (source) source.onmessage = (event) => heard(JSON.parse(event.data));
  };
  const stop = () => {
    document.removeEventListener("visibilitychange", listen);
    source?.close();
  };
  document.addEventListener("visibilitychange", listen);
  listen();
  return stop;
}
