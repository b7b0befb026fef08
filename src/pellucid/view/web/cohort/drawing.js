// Draw a box or a line around dots: the pointer's path over a chart, and what lies inside.

import { h, s } from "../dom.js";

const MODES = [["look", "Look"], ["box", "Box"], ["lasso", "Lasso"]];
const LEAST = 4; // pixels of a path that is no click

/**
 * @param {HTMLElement} node the chart
 * @param {(drawn: {mode: string, shape: {box: number[][], holds: (x: number, y: number) => boolean}}) => void} done
 */
export function drawing(node, done) {
  const path = s("path", { class: "drawn" });
  const sheet = s("svg", { class: "sheet", "aria-hidden": "true" }, path);
  node.append(sheet);
  let mode = "look";
  let points = [];
  let down = false;
  let width = 0;

  const group = h("div", { class: "segmented", role: "group", "aria-label": "What the pointer does" },
    MODES.map(([key, text]) => h("button", { type: "button", "data-mode": key, onclick: () => choose(key) }, text)));

  function choose(key) {
    mode = key;
    node.classList.toggle("drawing", key !== "look");
    for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.mode === key));
  }

  const at = (event) => {
    const box = node.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const corners = ([[x0, y0], [x1, y1]]) => [[Math.min(x0, x1), Math.min(y0, y1)], [Math.max(x0, x1), Math.max(y0, y1)]];

  function shape() {
    const [first, last] = [points[0], points[points.length - 1]];
    const box = corners([first, last]);
    if (mode === "box") return { box, holds: (x, y) => x >= box[0][0] && x <= box[1][0] && y >= box[0][1] && y <= box[1][1] };
    return { box, holds: (x, y) => inside(points, x, y) };
  }

  function show() {
    const { clientWidth, clientHeight } = node;
    sheet.setAttribute("viewBox", `0 0 ${clientWidth} ${clientHeight}`);
    if (points.length < 2) path.setAttribute("d", "");
    else if (mode === "box") {
      const [[x0, y0], [x1, y1]] = shape().box;
      path.setAttribute("d", `M${x0},${y0}H${x1}V${y1}H${x0}Z`);
    } else path.setAttribute("d", `M${points.map((p) => p.map(Math.round).join(",")).join("L")}Z`);
  }

  node.addEventListener("pointerdown", (event) => {
    if (mode === "look" || event.button) return;
    event.preventDefault();
    node.setPointerCapture(event.pointerId);
    [down, points, width] = [true, [at(event)], node.clientWidth];
    show();
  });
  node.addEventListener("pointermove", (event) => {
    if (!down) return;
    points.push(at(event));
    show();
  });
  const end = () => {
    if (!down) return;
    down = false;
    const [[x0, y0], [x1, y1]] = corners([points[0], points[points.length - 1]]);
    const far = mode === "box" ? Math.min(x1 - x0, y1 - y0) : points.length;
    if (far >= LEAST) done({ mode, shape: shape() });
    else clear();
  };
  node.addEventListener("pointerup", end);
  node.addEventListener("pointercancel", () => { down = false; clear(); });

  function clear() {
    points = [];
    show();
  }

  choose("look");
  return {
    switch: group,
    clear,
    mode: () => mode,
    active: () => down,
    /** After the chart was drawn anew: what was drawn at another width is no longer true. */
    redraw() {
      if (points.length && node.clientWidth !== width) clear();
    },
  };
}

/** Whether a point is inside a closed path, by how often a ray from it crosses (even-odd rule). */
export function inside(points, x, y) {
  let odd = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i, i += 1) {
    const [[xi, yi], [xj, yj]] = [points[i], points[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}
