// What a binary classifier would get right and wrong, if another probability were asked for.

import { confusion } from "./confusion.js";
import { h, name, swap, uid } from "./dom.js";
import { count, fixed, percent } from "./format.js";
import { wilson } from "./stats.js";

export const START = 0.5; // where the model itself decides

/**
 * The confusion matrix with a slider for the threshold.
 * @param {{labels: string[]}} drawn of the confusion
 * @param {{rows: number[], above: number[][]}} thresholds rows of each class, and those above each step
 * @param {Object} state "threshold" of the page
 */
export function threshold({ labels }, { rows, above }, state) {
  const steps = above[1].length - 1;
  const id = uid("threshold");
  const matrix = h("div", {});
  const rates = h("dl", { class: "rates" });
  const shown = h("output", { for: id });
  const slider = h("input", { type: "range", id, min: 0, max: steps, step: 1, oninput: () => state.set({ threshold: Number(slider.value) / steps }) });

  function render() {
    const step = Math.round(state.get("threshold") * steps);
    slider.value = String(step);
    const at = fixed(step / steps, 2);
    const [wrong, right] = [above[0][step], above[1][step]];
    slider.setAttribute("aria-valuetext", at);
    swap(shown, at);
    swap(matrix, confusion({ labels, counts: [[rows[0] - wrong, wrong], [rows[1] - right, right]] }));
    swap(rates,
      rate("Precision", right, wrong + right, ["of ", count(wrong + right, "row"), " called ", name(labels[1])]),
      rate("Recall", right, rows[1], ["of ", count(rows[1], "row"), " that are ", name(labels[1])]),
      rate("Specificity", rows[0] - wrong, rows[0], ["of ", count(rows[0], "row"), " that are ", name(labels[0])]),
      rate("Accuracy", rows[0] - wrong + right, rows[0] + rows[1], ["of ", count(rows[0] + rows[1], "row")]));
  }

  state.on(["threshold"], render);
  return h("div", { class: "threshold" },
    h("div", { class: "field" }, h("label", { for: id }, "Call it ", name(labels[1]), " above a probability of ", shown), slider),
    h("div", { class: "threshold-in" }, matrix, rates),
    h("p", { class: "muted small" }, "The model itself decides at 0.50. In brackets 95% Wilson intervals, for rows drawn independently."));
}

function rate(title, k, n, of) {
  const [low, high] = wilson(k, n);
  return h("div", {}, h("dt", {}, title), h("dd", {},
    n ? [h("strong", {}, percent(k / n, 1)), h("span", { class: "muted" }, ` (${percent(low, 1)} to ${percent(high, 1)})`)] : "–",
    h("span", { class: "muted small" }, of)));
}
