// Curves of a classifier, and a regressor's predictions against the truth.

import { axisBelow, axisLeft, linearTicks } from "./axes.js";
import { chart, nearest } from "./chart.js";
import { colors } from "./color.js";
import { h, name, s } from "./dom.js";
import { num, percent, signed } from "./format.js";
import { linear, padded } from "./scale.js";
import { extent } from "./stats.js";
import { trend } from "./strips.js";

const MARGIN = { top: 26, right: 14, bottom: 44, left: 46 };
const square = (width) => Math.min(width * 0.92, 340);

function plotOf(width, height) {
  return { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
}

/** ROC or precision-recall, one line a class; the class that the page speaks of stands out. */
export function curves(lines, label, { x: xLabel, y: yLabel, diagonal, score }) {
  const main = lines.find((l) => l.label === label) ?? lines[lines.length - 1];
  let scales = null;
  const view = chart({
    label: `${yLabel} against ${xLabel}; ${lines.map((l) => `${l.label}: ${score} ${num(l.auc, 4)}`).slice(0, 12).join(", ")}`,
    height: square,
    draw({ svg, width, height }) {
      const plot = plotOf(width, height);
      const x = linear([0, 1], [plot.left, plot.right]);
      const y = linear([0, 1], [plot.bottom, plot.top]);
      scales = { x, y };
      axisLeft(svg, y, linearTicks(y, 5), { ...plot, label: yLabel });
      axisBelow(svg, x, linearTicks(x, 5), { ...plot, label: xLabel });
      if (diagonal) svg.append(s("line", { class: "zero", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
      const path = (l) => l.x.map((v, i) => `${x(v).toFixed(1)},${y(l.y[i]).toFixed(1)}`).join(" ");
      for (const l of lines) if (l !== main) svg.append(s("polyline", { class: "curve other", points: path(l) }));
      svg.append(s("polyline", { class: "curve", points: path(main) }));
    },
    hover(px, py) {
      if (!scales) return null;
      const at = nearest(main.x.map(scales.x), main.y.map(scales.y), px, py, 30);
      return at < 0 ? null : { lines: [main.label, `${xLabel} ${percent(main.x[at])}`, `${yLabel} ${percent(main.y[at])}`] };
    },
  });
  return h("div", {}, view.node, h("p", { class: "muted small" }, name(main.label), `: ${score} `,
    h("strong", {}, num(main.auc, 4)), lines.length > 1 && `; the ${lines.length - 1} other classes in grey`));
}

/** Predicted probability against how often it came true; dots by how many rows they stand for. */
export function calibration({ predicted, observed, count }) {
  const most = Math.max(...count, 1);
  const total = count.reduce((a, b) => a + b, 0);
  let dots = null;
  const view = chart({
    label: `Calibration: ${predicted.map((p, i) => `${percent(p)} predicted, ${percent(observed[i])} observed`).join("; ")}`,
    height: square,
    draw({ svg, width, height }) {
      const plot = plotOf(width, height);
      const x = linear([0, 1], [plot.left, plot.right]);
      const y = linear([0, 1], [plot.bottom, plot.top]);
      axisLeft(svg, y, linearTicks(y, 5), { ...plot, label: "observed share" });
      axisBelow(svg, x, linearTicks(x, 5), { ...plot, label: "predicted probability" });
      svg.append(s("line", { class: "zero", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
      dots = { xs: predicted.map(x), ys: observed.map(y) };
      svg.append(s("polyline", { class: "curve thin", points: dots.xs.map((v, i) => `${v},${dots.ys[i]}`).join(" ") }));
      for (let i = 0; i < predicted.length; i += 1) {
        svg.append(s("circle", { class: "dot", cx: dots.xs[i], cy: dots.ys[i], r: 3 + 5 * Math.sqrt(count[i] / most) }));
      }
    },
    hover(px, py) {
      if (!dots) return null;
      const i = nearest(dots.xs, dots.ys, px, py, 24);
      return i < 0 ? null : { lines: [`${percent(predicted[i])} predicted`, `${percent(observed[i])} observed`, `${num(count[i], 6)} rows`] };
    },
  });
  return h("div", {}, view.node, h("p", { class: "muted small" }, `${num(total, 7)} rows; on the dashed line, a probability means what it says`));
}

function paintDots(ctx, { xs, ys }) {
  ctx.fillStyle = colors().accent;
  ctx.globalAlpha = 0.35;
  xs.forEach((x, i) => {
    ctx.beginPath();
    ctx.arc(x, ys[i], 2.5, 0, 7);
    ctx.fill();
  });
}

/** Predictions against the truth; on the diagonal, the model is right. */
export function scatter({ predicted, true: truth }) {
  let dots = null;
  const view = chart({
    label: "Predicted values against true ones",
    height: (width) => Math.min(width * 0.92, 420),
    draw({ ctx, svg, width, height }) {
      const plot = { ...plotOf(width, height), left: 62 };
      const domain = padded(extent([...predicted, ...truth]), 0.03);
      const x = linear(domain, [plot.left, plot.right]);
      const y = linear(domain, [plot.bottom, plot.top]);
      axisLeft(svg, y, linearTicks(y, 5), { ...plot, label: "true" });
      axisBelow(svg, x, linearTicks(x, 5), { ...plot, label: "predicted" });
      dots = { xs: predicted.map(x), ys: truth.map(y) };
      paintDots(ctx, dots);
      svg.append(s("line", { class: "zero", x1: x(domain[0]), y1: y(domain[0]), x2: x(domain[1]), y2: y(domain[1]) }));
    },
    hover(px, py) {
      const i = dots ? nearest(dots.xs, dots.ys, px, py, 12) : -1;
      return i < 0 ? null : { lines: [`predicted ${num(predicted[i], 5)}`, `true ${num(truth[i], 5)}`] };
    },
  });
  return h("div", {}, view.node, h("p", { class: "muted small" }, `${num(truth.length, 6)} rows; on the dashed line, the prediction is right`));
}

/** What the model missed by, against what it said; the line is the mean of neighbouring predictions. */
export function residuals({ predicted, true: truth }) {
  const missed = truth.map((v, i) => v - predicted[i]);
  const mean = missed.reduce((a, b) => a + b, 0) / missed.length;
  const typical = missed.map(Math.abs).sort((a, b) => a - b)[Math.floor(missed.length / 2)];
  let dots = null;
  const view = chart({
    label: `Residuals, true less predicted, against predicted values; mean ${num(mean, 3)}, half are within ${num(typical, 3)}`,
    height: (width) => Math.min(width * 0.92, 420),
    draw({ ctx, svg, width, height }) {
      const plot = { ...plotOf(width, height), left: 62 };
      const x = linear(padded(extent(predicted), 0.03), [plot.left, plot.right]);
      const y = linear(padded(extent([...missed, 0]), 0.05), [plot.bottom, plot.top]);
      axisLeft(svg, y, linearTicks(y, 5), { ...plot, label: "true less predicted" });
      axisBelow(svg, x, linearTicks(x, 5), { ...plot, label: "predicted" });
      dots = { xs: predicted.map(x), ys: missed.map(y) };
      paintDots(ctx, dots);
      svg.append(s("line", { class: "zero", x1: plot.left, x2: plot.right, y1: y(0), y2: y(0) }));
      const line = trend(predicted, missed);
      if (line.length > 2) svg.append(s("polyline", { class: "curve thin", points: line.map(([a, b]) => `${x(a)},${y(b)}`).join(" ") }));
    },
    hover(px, py) {
      const i = dots ? nearest(dots.xs, dots.ys, px, py, 12) : -1;
      return i < 0 ? null : { lines: [`missed by ${signed(missed[i], 4)}`, `predicted ${num(predicted[i], 5)}`, `true ${num(truth[i], 5)}`] };
    },
  });
  return h("div", {}, view.node, h("p", { class: "muted small" },
    `Mean ${num(mean, 3)}; half of ${num(missed.length, 6)} rows are within ±${num(typical, 3)}. Where the line stays off zero, predictions err to one side`));
}
