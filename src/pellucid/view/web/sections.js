// The section that is read stands in the address; an address that names one leads there.

import { addressed } from "./address.js";

const REST = 200; // milliseconds without scrolling

/** The part of the address after #, as the section's id and the query. */
function parsed() {
  const [view, query = ""] = location.hash.replace(/^#/, "").split("?");
  return { view, query: new URLSearchParams(query) };
}

/** `addressed` for a page of its own, with sections as places: "#importance?class=yes". */
export function sectionAddress(subject, state) {
  if (location.protocol === "about:") return { begin() {}, leave() {} }; // a notebook's frame has no address
  const address = sectioned(addressed(subject, state, {
    read() {
      const { view, query } = parsed();
      if (view) query.set("view", view);
      return query;
    },
    write({ view, ...query }, step) {
      const search = new URLSearchParams(query).toString();
      const hash = `#${view ?? ""}${search ? `?${search}` : ""}`;
      if (hash !== (location.hash || "#")) history[step ? "pushState" : "replaceState"]({ pellucid: true }, "", hash);
    },
  }), state);
  return {
    ...address,
    begin() {
      address.begin();
      document.addEventListener("click", (event) => enter(event, state));
      addEventListener("popstate", ({ state: ours }) => {
        if (!ours) go(sections().find((node) => node.id === state.get("view")), "instant"); // typed by hand
      });
    },
  };
}

/** What `addressed` gives, with the section that is read as part of it. */
export function sectioned(address, state) {
  let timer = 0;
  const scrolled = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const over = sections().filter((node) => node.getBoundingClientRect().top < innerHeight / 3);
      address.quietly({ view: over.length > 1 ? over[over.length - 1].id : "" });
    }, REST);
  };
  return {
    begin() {
      address.begin();
      settle(sections().find((node) => node.id === state.get("view")));
      addEventListener("scroll", scrolled, { passive: true });
    },
    leave() {
      clearTimeout(timer);
      removeEventListener("scroll", scrolled);
      address.leave();
    },
  };
}

function sections() {
  return [...document.querySelectorAll("main section[id]")];
}

/** A link to a section leads there and keeps what is chosen. */
function enter(event, state) {
  const link = event.target.closest?.('a[href^="#"]');
  const target = link && !event.ctrlKey && !event.metaKey && sections().find((node) => `#${node.id}` === link.getAttribute("href"));
  if (!target) return;
  event.preventDefault();
  state.set({ view: target.id });
  go(target);
  target.setAttribute("tabindex", "-1");
  target.focus({ preventScroll: true }); // the keyboard goes on from there
}

function go(section, behavior = "auto") {
  section?.scrollIntoView({ behavior });
}

/** Charts above grow when they are first drawn, so a section is gone to until it stays. */
function settle(section, left = 4) {
  if (!section) return;
  go(section, "instant");
  if (left) requestAnimationFrame(() => settle(section, left - 1));
}
