// The studio: one page whose address says what it shows.

import { watchTheme } from "../color.js";
import { h, name, swap } from "../dom.js";
import { themeSwitch } from "../topbar.js";
import { hideTip } from "../tooltip.js";
import { comparePage } from "./compare.js";
import { here } from "./link.js";
import { explanationPage, runPage } from "./run.js";
import { runsPage } from "./runs.js";
import { whatIfPage } from "./whatif.js";

/**
 * @typedef {Object} Place what a page gives
 * @property {string} title
 * @property {Array<{text: string, href?: string}>} path from the runs down to here
 * @property {Node} node
 * @property {Node} [controls]
 * @property {Array<{text: string, href: string, here: boolean}>} [tabs]
 * @property {() => void} [begin] for when the page stands; it then follows its query by itself
 * @property {() => void} [leave] ends what runs in the background
 */

const bar = h("div", { class: "topbar-in" });
const main = h("main", { id: "content", tabindex: "-1" });
let serial = 0;
let current = null; // the place, and the path that led to it

function pageOf({ parts, query }) {
  const [kind, id, part] = parts;
  if (!kind) return runsPage(query);
  if (kind === "compare") return comparePage(parts[1], parts[2]);
  if (kind === "run" && id && !part) return runPage(id);
  if (kind === "run" && part === "explanation") return explanationPage(id);
  if (kind === "run" && part === "what-if") return whatIfPage(id, query);
  return Promise.reject(new Error("There is nothing at this address."));
}

async function route() {
  const path = here().parts.join("/");
  if (current?.place.begin && current.path === path) return; // back to another choice
  serial += 1;
  const mine = serial;
  main.setAttribute("aria-busy", "true");
  hideTip();
  let place;
  try {
    place = await pageOf(here());
  } catch (error) {
    place = { title: "Not to be shown", path: [], node: problem(error) };
  }
  if (mine !== serial) {
    place.leave?.();
    return;
  }
  current?.place.leave?.();
  current = { place, path };
  document.title = `${place.title} · Pellucid studio`;
  swap(bar, h("a", { class: "brand", href: "#/" }, "Pellucid"), crumbs(place.path), place.controls, themeSwitch());
  swap(main, place.tabs && tabs(place.tabs), place.node);
  main.removeAttribute("aria-busy");
  scrollTo({ top: 0, behavior: "instant" });
  place.begin?.();
  if (mine > 1) main.focus({ preventScroll: true });
  document.documentElement.dataset.ready = String(mine);
}

function crumbs(path) {
  return h("nav", { "aria-label": "Place" }, h("a", { href: "#/" }, "Runs"),
    path.map(({ text, href }) => [h("span", { class: "crumb", "aria-hidden": "true" }, "/"), h("a", { href }, name(text))]));
}

function tabs(all) {
  return h("nav", { class: "tabs", "aria-label": "Run" },
    all.map((tab) => h("a", { href: tab.href, "aria-current": tab.here ? "page" : null }, tab.text)));
}

function problem(error) {
  return h("section", { class: "headline" }, h("h1", {}, "This cannot be shown"),
    h("p", { class: "note warning problem", role: "alert" }, error.message), h("p", {}, h("a", { href: "#/" }, "Back to the runs")));
}

watchTheme();
swap(document.getElementById("app"),
  h("button", { type: "button", class: "skip", onclick: () => main.focus() }, "Skip to the content"),
  h("header", { class: "topbar" }, bar), main);
addEventListener("hashchange", route);
addEventListener("scroll", hideTip, { passive: true });
addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
route();
