/** Axes: their units, their ends, and where a line must stop. */

const LARGE_KWH = 10_000;

/** The unit of an axis up to `highestKwh`, and what turns kWh into it; other units stay as they are. */
export function scaleOf(highestKwh, unit = "kWh") {
  const isLarge = unit === "kWh" && highestKwh >= LARGE_KWH;
  const inMwh = (values) => values.map((value) => (value === null ? null : value / 1000));
  return { unit: isLarge ? "MWh" : unit, scaled: isLarge ? inMwh : (values) => values };
}

/** The highest of what is known, at least 0. */
export const highestOf = (values) => values.reduce((best, value) => Math.max(best, value ?? 0), 0);

/** From half a step before the first moment to half a step after the last: no empty ends. */
export function span(times) {
  const [first, second, last] = [times[0], times[1] ?? times[0], times.at(-1)].map((time) => Date.parse(`${time}Z`));
  const half = (second - first || 3_600_000) / 2;
  return [first - half, last + half].map((at) => new Date(at).toISOString().slice(0, 19));
}

/** Moments and values with an unknown where a moment is missing: a line must not run over a gap. */
export function withGaps(times, series) {
  const at = times.map((time) => Date.parse(`${time}Z`));
  const step = at.slice(1).reduce((least, time, index) => Math.min(least, time - at[index] || Infinity), Infinity);
  const ends = at.flatMap((time, index) => (at[index + 1] - time > 1.5 * step ? [index] : []));
  if (!ends.length) return { x: times, values: series };
  const filled = (list, fill) => {
    const copy = [...list];
    for (const index of ends.toReversed()) copy.splice(index + 1, 0, fill(index));
    return copy;
  };
  return {
    x: filled(times, (index) => new Date(at[index] + step).toISOString().slice(0, 19)),
    values: series.map((values) => filled(values, () => null)),
  };
}

/** The moment half way between two. */
export const middle = (from, to) => new Date((Date.parse(`${from}Z`) + Date.parse(`${to}Z`)) / 2).toISOString().slice(0, 19);

/** An axis of labels, as many as there is room for. */
export const categories = (labels) => ({ type: "category", showgrid: false, tickangle: 0, tickmode: "linear", tick0: 0, dtick: Math.ceil(labels.length / (innerWidth < 600 ? 4 : 8)) });

/** The unit, said once, at the top of the axis. */
export const units = (unit) => ({ ticksuffix: ` ${unit}`, showticksuffix: "last" });
