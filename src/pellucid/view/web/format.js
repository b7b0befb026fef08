// Numbers, times and metric names as people read them.

const formats = new Map();

function intl(key, options) {
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat("en-US", options));
  return formats.get(key);
}

/** A number with so many significant digits, grouped, with a real minus sign. */
export function num(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e15)
    ? value.toExponential(Math.max(0, digits - 2)).replace("e+", "e").replace("e-", "e−")
    : intl(`s${digits}${size >= 10 ** digits}`, size >= 10 ** digits
      ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits }).format(value);
  return text.replace(/^-/, "−");
}

/** A number with its sign, + or −. */
export function signed(value, digits = 3) {
  return value > 0 ? `+${num(value, digits)}` : num(value, digits);
}

/** A share as a percentage. */
export function percent(value, digits) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const p = value * 100;
  const close = Math.min(p, 100 - p);
  if (p > 0 && p < 0.01) return "<0.01%";
  if (p < 100 && p > 99.99) return ">99.99%";
  const places = digits ?? (close > 0 && close < 1 ? 2 : close < 10 ? 1 : 0);
  return `${intl(`p${places}`, { minimumFractionDigits: 0, maximumFractionDigits: places }).format(p)}%`;
}

/** A whole number with its noun. */
export function count(n, noun, plural = `${noun}s`) {
  return `${num(n, 15)} ${n === 1 ? noun : plural}`;
}

/** Seconds as a length of time. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${num(seconds * 1000, 2)} ms`;
  if (seconds < 100) return `${num(seconds, seconds < 10 ? 2 : 3)} s`;
  if (seconds < 5400) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${num(seconds / 3600, 3)} h`;
}

/** Milliseconds since 1970 as a date, with the time where it is not midnight. */
export function date(ms) {
  if (!Number.isFinite(ms)) return "–";
  const iso = new Date(ms).toISOString();
  return iso.slice(11, 19) === "00:00:00" ? iso.slice(0, 10) : iso.slice(0, 16).replace("T", " ");
}

/** The moment that the run began, as its own clock said it. */
export function moment(iso) {
  return iso ? String(iso).slice(0, 16).replace("T", " ") : "";
}

/** "a", "a and b", "a, b and c". */
export function listed(items) {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** A metric's value, with the same digits down a table. */
export function metricValue(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return Math.abs(value) < 10 ? fixed(value, 4) : num(value, 5);
}

/** A number with so many decimals. */
export function fixed(value, places) {
  return intl(`f${places}`, { minimumFractionDigits: places, maximumFractionDigits: places })
    .format(value).replace(/^-/, "−");
}

const FAMILIES = { lightgbm: "LightGBM", xgboost: "XGBoost", catboost: "CatBoost", change: "LightGBM of changes" };

/** A model family's name for people. */
export function familyName(id) {
  return FAMILIES[id] ?? String(id);
}

const METRICS = {
  AUC_weighted: "AUC",
  AUC_macro: "AUC, macro",
  log_loss: "Log loss",
  accuracy: "Accuracy",
  balanced_accuracy: "Balanced accuracy",
  norm_macro_recall: "Normalised macro recall",
  average_precision_score_weighted: "Average precision",
  precision_score_weighted: "Precision",
  precision_score_macro: "Precision, macro",
  recall_score_weighted: "Recall",
  recall_score_macro: "Recall, macro",
  f1_score_weighted: "F1",
  f1_score_macro: "F1, macro",
  f1_score_micro: "F1, micro",
  matthews_correlation: "Matthews correlation",
  brier_score: "Brier score",
  normalized_root_mean_squared_error: "Normalised RMSE",
  root_mean_squared_error: "RMSE",
  r2_score: "R²",
  normalized_mean_absolute_error: "Normalised MAE",
  mean_absolute_error: "MAE",
  spearman_correlation: "Spearman correlation",
  mean_absolute_percentage_error: "MAPE, %",
};
const LOWER = /loss|error|brier/;

/** A metric's name for people. */
export function metricName(id) {
  return METRICS[id] ?? String(id).replaceAll("_", " ");
}

/** Whether lower values of a metric are better. */
export function lowerIsBetter(id) {
  return LOWER.test(id);
}
