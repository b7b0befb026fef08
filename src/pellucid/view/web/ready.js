// What every page does once it stands.

import { watchTheme } from "./color.js";
import { hideTip } from "./tooltip.js";

/** Follow the theme, put tooltips away, and say how many milliseconds it took since `started`. */
export function ready(started) {
  watchTheme();
  addEventListener("scroll", hideTip, { passive: true });
  addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  if (location.protocol === "about:") document.addEventListener("click", stay);
  document.documentElement.dataset.ready = String(Math.round(performance.now() - started));
}

/** In a notebook's frame, "#data" would lead to the notebook: go there within the page instead. */
function stay(event) {
  const link = event.target.closest?.('a[href^="#"]');
  if (!link) return;
  event.preventDefault();
  document.getElementById(link.getAttribute("href").slice(1))?.scrollIntoView();
}
