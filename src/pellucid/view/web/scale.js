// From data to pixels, and the round numbers between.

/** Steps of 1, 2 or 5 times a power of ten, about `about` of them between low and high. */
export function step(low, high, about) {
  const rough = (high - low) / Math.max(1, about);
  if (!(rough > 0) || !Number.isFinite(rough)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const error = rough / power;
  return power * (error >= 7.5 ? 10 : error >= 3.5 ? 5 : error >= 1.5 ? 2 : 1);
}

/** Round numbers within [low, high]. */
export function ticks(low, high, about) {
  const by = step(low, high, about);
  const out = [];
  for (let i = Math.ceil(low / by - 1e-9); i * by <= high + by * 1e-9; i += 1) out.push(i * by);
  return out;
}

/** Ticks as text, with the digits that tell them apart. */
export function tickText(values) {
  const by = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0] ?? 1) || 1;
  const largest = Math.max(...values.map(Math.abs), by);
  if (largest >= 1e5 || by < 1e-4) {
    const format = new Intl.NumberFormat("en-US", {
      notation: largest >= 1e5 && largest < 1e15 ? "compact" : "scientific", maximumFractionDigits: 2 });
    return values.map((v) => format.format(v === 0 ? 0 : v).replace("-", "−"));
  }
  const places = Math.max(0, -Math.floor(Math.log10(by) + 1e-9));
  const format = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: places, maximumFractionDigits: places });
  return values.map((v) => format.format(Math.abs(v) < by * 1e-9 ? 0 : v).replace("-", "−"));
}

/**
 * A linear scale.
 * @param {[number, number]} domain
 * @param {[number, number]} range pixels
 */
export function linear([d0, d1], [r0, r1]) {
  const span = d1 - d0 || 1;
  const scale = (value) => r0 + ((value - d0) / span) * (r1 - r0);
  scale.domain = [d0, d1];
  scale.range = [r0, r1];
  return scale;
}

/** A domain with air at both ends; a single value gets a neighbourhood. */
export function padded([low, high], share = 0.04) {
  const span = high - low || Math.abs(high) || 1;
  return [low - span * share, high + span * share];
}

const MINUTE = 60e3;
const DAY = 86400e3;
const SPANS = [MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 180 * MINUTE, 720 * MINUTE,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY];

/** Moments at round places of the calendar, with their text. */
export function timeTicks(low, high, about) {
  const rough = (high - low) / about;
  const span = SPANS.find((s) => s >= rough);
  const out = [];
  if (span && rough <= 14 * DAY) {
    for (let t = Math.ceil(low / span) * span; t <= high; t += span) out.push(t);
    return out.map((t) => [t, span < DAY ? new Date(t).toISOString().slice(5, 16).replace("T", " ")
      : new Date(t).toISOString().slice(0, 10)]);
  }
  const months = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200].find((m) => m * 30.4 * DAY >= rough) ?? 2400;
  const first = new Date(low);
  let month = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth()) / months) * months;
  for (; out.length < 40; month += months) {
    const t = Date.UTC(Math.floor(month / 12), month % 12);
    if (t > high) break;
    if (t >= low) out.push(t);
  }
  return out.map((t) => [t, new Date(t).toISOString().slice(0, months % 12 ? 7 : 4)]);
}
