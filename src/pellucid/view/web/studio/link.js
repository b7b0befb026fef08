// Where one is, as the part of the address after #: "/run/ID/what-if?row=3".

/** @returns {{parts: string[], query: URLSearchParams}} */
export function here() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a place. */
export function to(parts, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const search = new URLSearchParams(kept).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

/** Say in the address what is chosen, without leaving the page or filling the history. */
export function note(query) {
  const address = to(here().parts, query);
  if (address !== location.hash) history.replaceState(null, "", address);
}

/** Keep a page's query in the address, as a step of the history or in place of the last. */
export function queried(parts) {
  const mine = () => here().parts.join("/") === parts.join("/");
  return {
    read: () => (mine() ? here().query : null),
    write(query, step) {
      const address = to(parts, query);
      if (mine() && address !== location.hash) history[step ? "pushState" : "replaceState"](null, "", address);
    },
  };
}
