// The bar that stays: where one is, which features and which class the page speaks of, the theme.

import { cohortPicker } from "./cohort/picker.js";
import { isDark, setTheme } from "./color.js";
import { h, select, swap } from "./dom.js";

/** @param {Array<[string, string]>} sections id and title of each */
export function topbar(subject, state, sections) {
  const links = sections.map(([id, title]) => h("a", { href: `#${id}` }, title));
  return h("header", { class: "topbar" }, h("div", { class: "topbar-in" },
    h("span", { class: "brand" }, "Pellucid"),
    h("nav", { "aria-label": "Sections" }, links), controls(subject, state), themeSwitch()));
}

/** Which features, which class and which rows the page speaks of; a single row has no cohorts. */
export function controls(subject, state, keeper = null) {
  const { explained } = subject;
  return h("div", { class: "controls" },
    explained?.levels.engineered && levelSwitch(state),
    explained?.classes && explained.nOutputs > 1 && classPicker(explained, state),
    explained?.n > 1 && cohortPicker(subject, state, keeper));
}

function classPicker(explained, state) {
  const node = select("Class", explained.classes.map((c, i) => [i, c]), state.get("output"), (v) => state.set({ output: Number(v) }));
  state.on(["output"], ({ output }) => { node.querySelector("select").value = String(output); });
  return node;
}

function levelSwitch(state) {
  const button = (level, text) => h("button", { type: "button", "data-level": level, onclick: () => state.set({ level }) }, text);
  const group = h("div", { class: "segmented", role: "group", "aria-label": "Features" },
    button("raw", "Raw"), button("engineered", "Engineered"));
  state.on(["level"], ({ level }) => {
    for (const node of group.children) node.setAttribute("aria-pressed", String(node.dataset.level === level));
  });
  return group;
}

/** A button from light to dark and back. */
export function themeSwitch() {
  const node = h("button", { type: "button", class: "theme", onclick: () => { setTheme(isDark() ? "light" : "dark"); label(); } });
  const label = () => {
    node.setAttribute("aria-label", isDark() ? "Light theme" : "Dark theme");
    swap(node, isDark() ? "☀\uFE0E" : "☾\uFE0E");
  };
  label();
  return node;
}
