// One feature's rows as a swarm of dots: where each stands is its importance, its colour the cell.

import { colors, ramp } from "./color.js";
import { hideTip, showTip } from "./tooltip.js";
import { nearest } from "./chart.js";

const RADIUS = 2;
const OUTSIDE = 0.12; // opacity of dots outside the cohort

/**
 * Draw a swarm into a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Object} what
 * @param {Float32Array} what.values importances
 * @param {Float32Array|null} what.shares 0..1 for colours, null for grey
 * @param {Array<number>} what.domain
 * @param {number} what.row the chosen row, -1 for none
 * @param {number[]} what.grid where faint lines stand
 * @param {number} what.width
 * @param {number} what.height
 * @returns {{xs: Float32Array, ys: Float32Array}} where the dots are
 */
export function drawSwarm(canvas, { values, shares, domain, row, grid, width, height }) {
  const ratio = Math.min(3, devicePixelRatio || 1);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  const palette = colors();
  const x = (v) => 6 + ((v - domain[0]) / (domain[1] - domain[0])) * (width - 12);
  for (const tick of grid) {
    ctx.fillStyle = tick === 0 ? palette.faint : palette.line;
    ctx.fillRect(Math.round(x(tick)), 0, 1, height);
  }
  const { xs, ys } = place(values, x, width, height);
  fill(ctx, xs, ys, shares ? (i) => ramp(shares[i]) : () => palette.faint);
  if (row >= 0 && row < values.length) ring(ctx, xs[row], ys[row], palette);
  return { xs, ys };
}

/**
 * Dots of one pixel column stand on each other from the middle outwards. The fullest column takes
 * the whole height and the others less, so that the outline shows where rows crowd.
 */
function place(values, x, width, height) {
  const bin = RADIUS * 1.5;
  const columns = new Map();
  const xs = new Float32Array(values.length);
  const ys = new Float32Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    xs[i] = Math.min(width - RADIUS, Math.max(RADIUS, x(values[i])));
    const key = Math.round(xs[i] / bin);
    if (!columns.has(key)) columns.set(key, []);
    columns.get(key).push(i);
  }
  const most = Math.max(...Array.from(columns.values(), (rows) => rows.length));
  for (const rows of columns.values()) {
    const room = (height - 2 * RADIUS - 2) * (rows.length / most) ** 0.6;
    const step = Math.min(RADIUS * 1.5, room / rows.length);
    rows.forEach((i, k) => {
      const side = k % 2 ? 1 : -1;
      ys[i] = height / 2 + side * Math.ceil(k / 2) * step;
    });
  }
  return { xs, ys };
}

/** Dots of one colour are one path: a fill costs more than an arc. */
function fill(ctx, xs, ys, color) {
  const byColor = new Map();
  for (let i = 0; i < xs.length; i += 1) {
    const key = color(i);
    if (!byColor.has(key)) byColor.set(key, []);
    byColor.get(key).push(i);
  }
  ctx.globalAlpha = 0.8;
  for (const [key, rows] of byColor) {
    ctx.fillStyle = key;
    ctx.beginPath();
    for (const i of rows) {
      ctx.moveTo(xs[i] + RADIUS, ys[i]);
      ctx.arc(xs[i], ys[i], RADIUS, 0, 7);
    }
    ctx.fill();
  }
}

/**
 * Rows as dots, those outside the cohort faint.
 * @param {{xs: Float32Array, ys: Float32Array}} marks places in pixels; dots at none are left out
 * @param {number[]|null} rows those of the cohort, or null for all
 * @param {number} opacity of dots in it
 * @param {function(number): string} paint the colour of a row
 */
export function dots(ctx, { xs, ys }, rows, opacity, paint) {
  const cohort = rows && new Set(rows);
  for (let i = 0; i < xs.length; i += 1) {
    if (!Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) continue;
    ctx.globalAlpha = !cohort || cohort.has(i) ? opacity : OUTSIDE;
    ctx.fillStyle = paint(i);
    ctx.beginPath();
    ctx.arc(xs[i], ys[i], 3, 0, 7);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

/** Mark the chosen row. */
export function ring(ctx, x, y, palette) {
  ctx.globalAlpha = 1;
  ctx.lineWidth = 4;
  ctx.strokeStyle = palette.paper;
  ctx.beginPath();
  ctx.arc(x, y, 5, 0, 7);
  ctx.stroke();
  ctx.lineWidth = 2;
  ctx.strokeStyle = palette.ink;
  ctx.stroke();
}

/** Tell of the dot under the pointer; a click picks its row. */
export function watchSwarm(canvas, dots, lines, pick) {
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const { xs, ys } = dots();
    return nearest(xs, ys, event.clientX - box.left, event.clientY - box.top, 8);
  };
  canvas.addEventListener("pointermove", (event) => {
    const row = at(event);
    if (row >= 0) showTip(event, lines(row));
    else hideTip();
  });
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("click", (event) => {
    const row = at(event);
    if (row >= 0) pick(row);
  });
}
