// The confusion matrix: true classes down, predicted ones across, shaded by share of the true.

import { h, name } from "./dom.js";
import { num, percent } from "./format.js";

const MOST = 14;

export function confusion({ labels, counts }) {
  const totals = counts.map((row) => row.reduce((a, b) => a + b, 0));
  const common = totals.map((n, i) => [n, i]).sort((a, b) => b[0] - a[0]).slice(0, MOST).map(([, i]) => i).sort((a, b) => a - b);
  const table = h("table", { class: "confusion" },
    h("caption", { class: "sr" }, "Rows are true classes, columns predicted ones"),
    h("thead", {}, h("tr", {}, h("th", { class: "corner" }, "true ↓ predicted →"), common.map((j) => h("th", { scope: "col" }, name(labels[j]))))),
    h("tbody", {}, common.map((i) => h("tr", {}, h("th", { scope: "row" }, name(labels[i])),
      common.map((j) => cell(counts[i][j], totals[i], i === j))))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Confusion matrix" }, table,
    labels.length > MOST && h("p", { class: "muted small" }, `The ${MOST} commonest of ${labels.length} classes.`));
}

function cell(n, total, right) {
  const share = total ? n / total : 0;
  const mixed = `color-mix(in oklab, var(${right ? "--down" : "--up"}) ${Math.round(52 * share)}%, var(--paper))`;
  return h("td", { style: { background: mixed } },
    h("span", { class: "cell-n" }, num(n, 6)), n > 0 && h("span", { class: "cell-share" }, percent(share)));
}
