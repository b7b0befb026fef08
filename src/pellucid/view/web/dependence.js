// Dependence: the chosen feature's cell against its importance, coloured by what it acts with.

import { chart, nearest } from "./chart.js";
import { axisBelow, axisLeft, linearTicks, short } from "./axes.js";
import { category, colors, OWN_COLORS, ramp } from "./color.js";
import { h, name, s, section, select, swap } from "./dom.js";
import { num, signed } from "./format.js";
import { responseCurves, stroke } from "./response.js";
import { linear, padded, timeTicks } from "./scale.js";
import { extent, interactions, isSpread, quantiles } from "./stats.js";
import { dots, ring } from "./swarm.js";
import { byCategory, byValue, trend } from "./strips.js";

const MARGIN = { top: 30, right: 18, bottom: 46, left: 58 };

export function dependenceSection(subject, state, asker) {
  const { explained } = subject;
  const controls = h("div", { class: "choices" });
  const legend = h("div", { class: "legend" });
  const lede = h("span", {});
  const parts = h("div", { class: "chips" });
  let chosen = null;
  let marks = null;
  let best = [];

  const view = chart({
    label: "Scatter of a feature's value against its importance",
    height: (width) => Math.max(300, Math.min(460, width * 0.5)),
    draw,
    hover(x, y) {
      if (!marks) return null;
      const row = nearest(marks.xs, marks.ys, x, y);
      if (row < 0) return null;
      const { level, feature, color } = chosen;
      return {
        lines: [
          h("span", {}, name(level.names[feature]), " = ", name(level.column(feature).text(row))),
          `${signed(chosen.values[row])} · row ${explained.rows.ids[row]}`,
          color >= 0 && h("span", {}, name(level.names[color]), " = ", name(level.column(color).text(row))),
        ].filter(Boolean),
        pick: () => state.set({ row }),
      };
    },
  });

  const lines = responseCurves(subject, state, asker, () => view.redraw());
  state.on(["level", "output", "feature", "color"], () => {
    const key = state.get("level");
    const level = explained.levels[key];
    const output = Math.max(0, state.get("output"));
    const feature = state.get("feature");
    const fresh = !chosen || chosen.feature !== feature || chosen.level !== level || chosen.output !== output;
    if (fresh) best = interactions(level, output, feature);
    const auto = best[0]?.score > 0.01 ? best[0].feature : -1;
    const asked = state.get("color");
    const color = asked === "auto" ? auto : Number(asked);
    chosen = { level, output, feature, color, values: level.importances(output)(feature) };
    const { order } = explained.rank(key, state.get("output"));
    const named = (f) => [f, level.names[f]];
    swap(controls,
      select("Feature", order.map(named), feature, (v) => state.set({ feature: Number(v), color: "auto" })),
      select("Coloured by", [
        ["auto", auto >= 0 ? `Strongest interaction: ${level.names[auto]}` : "Strongest interaction: none found"],
        [-1, "Nothing"], ...best.map((b) => named(b.feature))], asked,
      (v) => state.set({ color: v === "auto" ? v : Number(v) })));
    swap(legend, key_());
    swap(lede, "Each dot is a row: to the right its value of ", name(level.names[feature]),
      `, upwards how much that value adds to the ${explained.unit(output)}. `,
      isSpread(level.column(feature)) && " Nearly every row has a value of its own: the columns that the model makes of them say more.");
    swap(parts, key === "raw" && isSpread(level.column(feature)) ? explained.madeOf(feature, output).slice(0, 8).map((j) => h("button", {
      type: "button", class: "quiet chip", onclick() {
        state.set({ level: "engineered" }); // which moves on to a feature of its own choice
        state.set({ feature: j, color: "auto" });
      },
    }, name(explained.levels.engineered.names[j]))) : []);
    view.node.querySelector("svg").setAttribute("aria-label",
      `Scatter of ${short(level.names[feature], 60)} against its importance for the ${explained.unit(output)}`);
    view.redraw();
  });
  state.on(["row", "rows"], () => view.redraw());

  function draw({ ctx, svg, width, height }) {
    const { level, feature, values, color } = chosen;
    const column = level.column(feature);
    const plot = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    const y = linear(padded(extent([...values, ...lines.heights()]), 0.06), [plot.bottom, plot.top]);
    axisLeft(svg, y, linearTicks(y, 6), { ...plot, label: `importance (${short(explained.unit(chosen.output), 40)})` });
    if (y.domain[0] < 0 && y.domain[1] > 0) {
      svg.append(s("line", { class: "zero", x1: plot.left, x2: plot.right, y1: y(0), y2: y(0) }));
    }
    const spread = column.kind === "category" ? byCategory(column, values, plot) : byValue(column, plot);
    const xTicks = spread.ticks ?? (column.kind === "time"
      ? timeTicks(...spread.x.domain, width / 110) : linearTicks(spread.x, width / 90));
    axisBelow(svg, spread.x, xTicks, { ...plot, label: level.names[feature], grid: column.kind !== "category" });
    const paint = painter(color >= 0 ? level.column(color) : null);
    marks = { xs: spread.xs, ys: Float32Array.from(values, y) };
    dots(ctx, marks, state.get("rows"), 0.75, paint);
    if (lines.draw({ ctx, spread, y, column })) {
      // partial dependence stands where the mean would
    } else if (spread.means) {
      for (const { left, right, mean } of spread.means) stroke(ctx, [[left, y(mean)], [right, y(mean)]]);
    } else {
      const line = trend(column.values, values).map(([a, b]) => [spread.x(a), y(b)]);
      if (line.length > 2) stroke(ctx, line);
    }
    if (spread.missingAt) svg.append(s("text", { class: "tick", x: spread.missingAt, y: plot.bottom + 16, "text-anchor": "middle" }, "missing"));
    const row = state.get("row");
    if (row >= 0) ring(ctx, marks.xs[row], marks.ys[row], colors());
  }

  function painter(column) {
    if (!column) {
      const { accent } = colors();
      return () => accent;
    }
    if (column.kind === "category") {
      const place = placeOf(column);
      return (i) => category(place.get(column.values[i]));
    }
    const shares = quantiles(column.values);
    return (i) => ramp(shares[i]);
  }

  function key_() {
    const { level, color } = chosen;
    if (color < 0) return null;
    const column = level.column(color);
    const title = h("strong", {}, name(level.names[color]));
    if (column.kind !== "category") {
      const [low, high] = extent(column.values);
      const shown = (v) => (column.kind === "time" ? column.shown(v) : num(v, 4));
      return [title, h("span", {}, shown(low)), h("span", { class: "ramp", "aria-hidden": "true" }), h("span", {}, shown(high))];
    }
    const place = [...placeOf(column)];
    const own = place.slice(0, OWN_COLORS);
    return [title, own.map(([code, i]) => h("span", { class: "key" },
      h("i", { style: { background: category(i) } }), name(column.levels[code]))),
    place.length > OWN_COLORS && h("span", { class: "key" }, h("i", { style: { background: category(99) } }), `${place.length - OWN_COLORS} others`)];
  }

  return section("dependence", "How one feature works", lede,
    h("div", { class: "toolbar" }, controls, legend), parts, view.node, lines.node);
}

/** Categories by how many rows have them: the commonest get colours of their own. */
function placeOf(column) {
  const counts = new Map();
  for (const code of column.values) {
    if (!Number.isNaN(code)) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return new Map([...counts].sort((a, b) => b[1] - a[1]).map(([code], i) => [code, i]));
}
