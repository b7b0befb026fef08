// Colours as the style sheet says them now; canvases ask again when the theme changes.

const NAMES = ["ink", "muted", "faint", "line", "paper", "up", "down", "accent", "missing"];

// Lightness runs one way in each ramp, so that order survives every kind of colour vision.
const RAMPS = {
  light: ["#1b2a8f", "#6a1fa6", "#b32d90", "#e2605f", "#f2a23a"],
  dark: ["#6a56e0", "#a94fd0", "#e0609f", "#f79a62", "#fbe07a"],
};
const CATEGORIES = {
  light: ["#0072b2", "#d55e00", "#009e73", "#aa3f87", "#8a6d00", "#3b9ccc", "#7a4a2b", "#5b5b5b"],
  dark: ["#56b4e9", "#ff9e4a", "#3ecf9f", "#e69fd0", "#e8d44d", "#9ec9ff", "#d9a98a", "#b8b8b8"],
};

let cached = null;
const listeners = new Set();

let dark = null;

/** Whether the page is dark now. */
export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  dark ??= chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return dark;
}

/** The named colours of the theme, resolved. */
export function colors() {
  if (cached) return cached;
  const probe = document.createElement("i");
  document.body.append(probe);
  cached = {};
  for (const key of NAMES) {
    probe.style.setProperty("color", `var(--${key})`);
    cached[key] = getComputedStyle(probe).color;
  }
  probe.remove();
  return cached;
}

/** Colour of a position between 0 and 1, `missing` when it is not a number. */
export function ramp(share) {
  if (!Number.isFinite(share)) return colors().missing;
  return rampSteps()[Math.round(Math.min(1, Math.max(0, share)) * 63)];
}

const steps = {};

function rampSteps() {
  const key = isDark() ? "dark" : "light";
  steps[key] ??= Array.from({ length: 64 }, (_, i) => {
    const stops = RAMPS[key];
    const at = (i / 63) * (stops.length - 1);
    const left = Math.min(stops.length - 2, Math.floor(at));
    return mix(stops[left], stops[left + 1], at - left);
  });
  return steps[key];
}

function mix(a, b, share) {
  const part = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  return `rgb(${[0, 1, 2].map((i) => Math.round(part(a, i) + (part(b, i) - part(a, i)) * share)).join(" ")})`;
}

/** Colour of the i-th category; those past the palette share its last, a grey. */
export function category(i) {
  const list = CATEGORIES[isDark() ? "dark" : "light"];
  return Number.isFinite(i) ? list[Math.min(i, list.length - 1)] : colors().missing;
}

/** How many categories have a colour of their own. */
export const OWN_COLORS = 7;

/** Call back when the theme changes; returns a function that ends it. */
export function onTheme(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

/** Set "light" or "dark", or null for what the system says. */
export function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  changed();
}

function changed() {
  cached = null;
  dark = null;
  for (const callback of listeners) callback();
}

/** Follow the system; print in light, whatever the screen shows. */
export function watchTheme() {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  let before = null;
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme ?? null;
    setTheme("light");
  });
  addEventListener("afterprint", () => setTheme(before));
}
