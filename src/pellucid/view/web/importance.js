// Global importance: every feature's mean weight, and under the same name how it moves each row.

import { allCohorts } from "./cohort/own.js";
import { onTheme } from "./color.js";
import { once } from "./decode.js";
import { h, name, section, select, swap, uid } from "./dom.js";
import { count, num, percent, signed } from "./format.js";
import { perFrame } from "./frame.js";
import { saver } from "./save.js";
import { tickText, ticks } from "./scale.js";
import { extent, meanAbs, quantiles, rank, rankOf } from "./stats.js";
import { drawSwarm, watchSwarm } from "./swarm.js";

export const FIRST = 12; // features at first
const MORE = 30;
const SLIDER = 60; // features that a slider goes up to
const PALETTE = 8; // classes that have a colour of their own

export function importanceSection(subject, state) {
  const { explained, training, target } = subject;
  const list = h("div", { class: "imp-list", role: "list", "aria-label": "Features by importance" });
  const head = h("div", { class: "imp-head", "aria-hidden": "true" });
  const picture = h("div", {}, head, list);
  const foot = h("div", { class: "imp-foot" });
  const status = h("p", { class: "sr", role: "status" });
  const lede = h("span", {});
  const classKey = h("p", { class: "legend class-key" });
  let swarms = [];
  let cohort = null; // rows and what they are called, null for all
  const repaint = perFrame(paint);

  const search = h("input", {
    type: "search", id: uid("search"), placeholder: "Find a feature", "aria-label": "Find a feature",
    oninput: () => {
      state.set({ search: search.value, shown: FIRST });
      status.textContent = count(found().length, "feature");
    },
  });

  const top = h("input", { id: uid("top"), type: "range", min: 1, oninput: () => state.set({ shown: Number(top.value) }) });
  const topLabel = h("label", { for: top.id });
  const bars = explained.nOutputs > 1
    && select("Bars for", [["one", "the chosen class"], ["all", "all classes, mean"]], state.get("over"), (v) => state.set({ over: v }));

  const level = () => explained.levels[state.get("level")];
  const output = () => Math.max(0, state.get("output"));
  const scope = () => (state.get("over") === "all" ? -1 : state.get("output"));
  const whole = () => explained.rank(state.get("level"), scope());
  let rankings = null;
  const ranking = () => (cohort ? rankings(`${state.get("level")}|${scope()}`) : whole());
  const found = () => ranking().order.filter((f) => level().names[f].toLowerCase().includes(state.get("search").trim().toLowerCase()));

  function render() {
    const { size, total } = ranking();
    const all = found();
    const shown = state.get("shown");
    const part = all.slice(0, shown);
    const of = level().importances(Math.max(0, state.get("output")));
    const domain = span(part.map((f) => extent(of(f))));
    const grid = ticks(domain[0], domain[1], matchMedia("(max-width: 720px)").matches ? 3 : 6);
    top.max = String(Math.min(SLIDER, all.length));
    top.value = String(shown);
    topLabel.textContent = `Top ${part.length}`;
    swarms = [];
    const before = cohort ? whole().size : null;
    const largest = Math.max(size[ranking().order[0]], before ? Math.max(...before) : 0) || 1;
    swap(list, part.map((f) => item(f, { size, total, largest, domain, grid, before })));
    if (!part.length) swap(list, h("p", { class: "muted empty" }, "No feature has that in its name."));
    swap(head, h("span", {}, "Feature"), h("span", {}, "Mean size, share"), axis(domain, grid));
    swap(foot, all.length > shown && h("button", {
      type: "button", class: "quiet", onclick: () => state.set({ shown: shown + MORE }),
    }, `Show ${Math.min(MORE, all.length - shown)} more of ${all.length}`));
    const dots = count((cohort?.rows ?? explained.rows.ids).length, "row");
    const known = cohort ? cohort.totals : explained.whole;
    const spoken = known ? `on average over all ${count(known.n, "row")} (bar)` : "on average (bar)";
    swap(lede, `How far each feature moves the ${explained.unit(Math.max(0, state.get("output")))}, up or down, from what it is for an average row: ${spoken} and for each of ${dots}${explained.whole ? ` of a sample of ${num(explained.n, 6)}` : ""} (dots).`,
      cohort && [" Rows: ", h("b", {}, name(cohort.label)), ". The line across a bar is the mean over all."],
      training.horizon && [" ", name(target), " stands for its own past, and shows the value of the season before; ", name(training.time_column), " for the calendar and the steps ahead."]);
    swap(classKey, byClass() && ["Bars by class:", explained.classes.map((c, k) => h("span", { class: "key" }, h("i", { class: `part-${k}`, "aria-hidden": "true" }), name(c)))]);
    repaint();
  }

  function item(f, shared) {
    const key = state.get("level");
    const open = state.get("open") === `${key}:${f}`;
    const panel = uid("lineage");
    const button = h("button", {
      type: "button", class: "imp-name", "aria-expanded": open, "aria-controls": open ? panel : null,
      "data-feature": f,
      onclick: () => state.set({ open: open ? null : `${key}:${f}`, feature: f }),
      onkeydown: step,
    }, h("span", { class: "chevron", "aria-hidden": "true" }, "›"), name(level().names[f]));
    return h("div", { role: "listitem", class: f === state.get("feature") ? "imp-item chosen" : "imp-item" },
      line(key, f, button, shared),
      open && h("div", { class: "imp-detail", id: panel }, lineage(key, f, shared)));
  }

  function line(key, f, label, { size, total, largest, domain, grid, before = null }) {
    const canvas = h("canvas", { "aria-hidden": "true", class: "swarm" });
    swarms.push(swarm(key, f, canvas, domain, grid));
    const share = total ? size[f] / total : 0;
    return h("div", { class: "imp-row" }, label,
      h("div", { class: "imp-bar" },
        h("div", { class: byClass() ? "bar by-class" : "bar", style: { width: `calc((100% - 96px) * ${size[f] / largest})` } },
          byClass() && segments(key, f)),
        before && h("i", { class: "bar-whole", title: `in all rows ${num(before[f], 3)}`, style: { left: `calc((100% - 96px) * ${before[f] / largest})` } }),
        h("span", { class: "imp-value", style: { "margin-left": `calc((100% - 96px) * ${Math.max(0, ((before?.[f] ?? 0) - size[f]) / largest)})` } }, num(size[f], 3), h("span", { class: "muted" }, ` ${percent(share)}`))),
      canvas);
  }

  /** Whether bars say what each class has of the mean over all. */
  const byClass = () => state.get("over") === "all" && explained.nOutputs <= PALETTE;

  function segments(key, f) {
    const each = explained.classes.map((_, k) => (cohort?.totals ? cohort.totals.size[key][k][f] : cohort ? meanAbs(explained.levels[key].importances(k)(f), cohort.rows) : explained.rank(key, k).size[f]));
    const sum = each.reduce((a, b) => a + b, 0) || 1;
    return each.map((v, k) => h("i", { class: `part-${k}`, title: `${explained.classes[k]}: ${num(v, 3)}`, style: { width: `${(100 * v) / sum}%` } }));
  }

  /** Where a raw feature goes, or where an engineered one comes from. */
  function lineage(key, f, shared) {
    const output = state.get("output");
    if (key === "engineered") {
      const raw = explained.rawOf(f);
      return h("p", { class: "muted" }, raw < 0 ? "Its raw column is not recorded."
        : ["Made from the column ", name(explained.levels.raw.names[raw]), "."]);
    }
    const made = explained.madeOf(f, output);
    if (!made.length) return h("p", { class: "muted" }, "The model sees no column made from this one.");
    const other = cohort?.totals ? rankOf(cohort.totals.size.engineered, output) : cohort ? rank(explained.levels.engineered, output, explained.nOutputs, cohort.rows) : explained.rank("engineered", output);
    const sum = made.reduce((t, j) => t + other.size[j], 0);
    return [
      h("p", { class: "muted" }, `The model sees it as ${count(made.length, "engineered column")}:`),
      made.slice(0, 20).map((j) => line("engineered", j,
        h("span", { class: "imp-name" }, name(explained.levels.engineered.names[j])), { ...shared, before: null, size: other.size, total: sum })),
      made.length > 20 && h("p", { class: "muted" }, `and ${made.length - 20} more, which weigh less.`),
    ];
  }

  function swarm(key, f, canvas, domain, grid) {
    const source = explained.levels[key];
    const column = source.column(f);
    const all = source.importances(output())(f);
    const quantile = column.kind === "category" ? null : quantiles(column.values);
    const rows = cohort?.rows ?? null;
    const values = rows ? Float32Array.from(rows, (i) => all[i]) : all;
    const shares = rows && quantile ? Float32Array.from(rows, (i) => quantile[i]) : quantile;
    const at = (i) => (rows ? rows[i] : i);
    let dots = { xs: [], ys: [] };
    watchSwarm(canvas, () => dots, (i) => [
      h("span", {}, name(source.names[f]), " = ", name(column.text(at(i)))),
      `${signed(values[i])} · row ${explained.rows.ids[at(i)]}`,
    ], (i) => state.set({ row: at(i) }));
    return {
      canvas,
      draw(width, height) {
        dots = drawSwarm(canvas, { values, shares, domain, row: rows ? rows.indexOf(state.get("row")) : state.get("row"), grid, width, height });
      },
    };
  }

  function paint() {
    // all sizes first: to ask for one after a canvas was resized lays the page out anew
    const sizes = swarms.map(({ canvas }) => [canvas.clientWidth, canvas.clientHeight]);
    swarms.forEach(({ draw }, i) => sizes[i][0] && draw(...sizes[i]));
  }

  /** Arrow keys walk through the features. */
  function step(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    const all = [...list.querySelectorAll("button.imp-name")];
    const next = all[all.indexOf(event.currentTarget) + by];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  state.on(["rows", "totals"], ({ rows, totals, cohort: id }) => {
    cohort = rows && { rows, totals, label: allCohorts(subject, state).find((each) => each.id === id)?.label ?? "" };
    rankings = once((key) => {
      const [level_, of] = key.split("|");
      return totals ? rankOf(totals.size[level_], Number(of)) : rank(explained.levels[level_], Number(of), explained.nOutputs, rows);
    });
  });
  state.on(["search", "over"], (chosen) => {
    if (search.value !== chosen.search) search.value = chosen.search;
    if (bars) bars.querySelector("select").value = chosen.over;
  });
  state.on(["level", "output", "open", "feature", "search", "over", "shown", "rows", "totals"], () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.feature : null;
    if (state.get("open") === null || state.get("level") !== list.dataset.level) list.dataset.level = state.get("level");
    render();
    if (focused) list.querySelector(`button[data-feature="${focused}"]`)?.focus();
  });
  state.on(["row"], repaint);
  new ResizeObserver(repaint).observe(list);
  onTheme(paint);
  return section("importance", "What matters", lede,
    h("div", { class: "toolbar" }, h("div", { class: "choices" }, search, bars, h("div", { class: "field top" }, topLabel, top)), legend()), classKey, status,
    h("div", { class: "imp pictured" }, saver(() => picture, () => "importance"), picture, foot));
}

function span(extents) {
  const low = Math.min(0, ...extents.map((e) => e[0]));
  const high = Math.max(0, ...extents.map((e) => e[1]));
  return low === high ? [-1, 1] : [low, high];
}

function axis(domain, marks) {
  const text = tickText(marks);
  return h("span", { class: "imp-axis" }, marks.map((tick, i) => h("span", {
    style: { left: `calc(6px + (100% - 12px) * ${(tick - domain[0]) / (domain[1] - domain[0])})` } },
  tick > 0 ? `+${text[i]}` : text[i])));
}

/** What the dots' colours mean. */
function legend() {
  return h("div", { class: "legend" },
    h("span", {}, "Dot colour: low"), h("span", { class: "ramp", "aria-hidden": "true" }), h("span", {}, "high value"),
    h("span", { class: "key" }, h("i", { class: "grey" }), "category"),
    h("span", { class: "key" }, h("i", { class: "gone" }), "missing"),
    h("span", { class: "key" }, h("i", { class: "open" }), "the row below"));
}
