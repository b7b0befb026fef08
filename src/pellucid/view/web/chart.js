// A chart's frame: an SVG for axes under a canvas for many marks, redrawn with size and theme.

import { h, s } from "./dom.js";
import { onTheme } from "./color.js";
import { perFrame } from "./frame.js";
import { saver } from "./save.js";
import { hideTip, showTip } from "./tooltip.js";

/**
 * @typedef {Object} Surface
 * @property {CanvasRenderingContext2D} ctx in CSS pixels
 * @property {SVGElement} svg
 * @property {number} width
 * @property {number} height
 */

/**
 * A chart that fills its place.
 * @param {Object} options
 * @param {string} options.label what it shows, for those who cannot see it
 * @param {(width: number) => number} options.height
 * @param {(surface: Surface) => void} options.draw
 * @param {(x: number, y: number, width: number) => {lines: Array, pick?: () => void}|null} [options.hover]
 */
export function chart({ label, height, draw, hover }) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const svg = s("svg", { role: "img", "aria-label": label });
  const node = h("div", { class: "chart" }, svg, canvas);
  node.append(saver(() => node, () => svg.getAttribute("aria-label")));
  let width = 0;

  const redraw = perFrame(drawNow);

  function drawNow() {
    width = Math.floor(node.clientWidth);
    if (!width) return;
    const tall = Math.round(height(width));
    const ratio = Math.min(3, devicePixelRatio || 1);
    canvas.width = width * ratio;
    canvas.height = tall * ratio;
    for (const part of [canvas, node]) part.style.setProperty("height", `${tall}px`);
    svg.setAttribute("viewBox", `0 0 ${width} ${tall}`);
    svg.replaceChildren();
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw({ ctx, svg, width, height: tall });
  }

  new ResizeObserver(() => node.clientWidth !== width && redraw()).observe(node);
  onTheme(() => node.isConnected && drawNow()); // at once: a printer does not wait
  if (hover) listen(node, hover);
  return { node, redraw };
}

/** Show what is under the pointer; a click picks it. */
function listen(node, hover) {
  const at = (event) => {
    const box = node.getBoundingClientRect();
    return hover(event.clientX - box.left, event.clientY - box.top, box.width);
  };
  node.addEventListener("pointermove", (event) => {
    const hit = at(event);
    node.classList.toggle("hit", Boolean(hit?.pick));
    if (hit) showTip(event, hit.lines);
    else hideTip();
  });
  node.addEventListener("pointerleave", hideTip);
  node.addEventListener("click", (event) => at(event)?.pick?.());
}

/** The mark nearest to a point, -1 when none is within `reach` pixels. */
export function nearest(xs, ys, x, y, reach = 18) {
  let best = -1;
  let least = reach * reach;
  for (let i = 0; i < xs.length; i += 1) {
    const d = (xs[i] - x) ** 2 + (ys[i] - y) ** 2;
    if (d < least) {
      least = d;
      best = i;
    }
  }
  return best;
}
