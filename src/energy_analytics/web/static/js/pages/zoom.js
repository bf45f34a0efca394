/** The use of an appliance over time, from years down to single readings: each zoom asks for what it can show. */

import * as charts from "../charts.js";
import { wallTime } from "../days.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { total } from "../plot.js";
import { announce, emptyState, isAborted, section } from "../ui.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SHORTEST_STEPS = 12; // a window holds at least so many readings
const MOST_READINGS = 3000;
const CHART_PX = 340;

const ms = (wall) => Date.parse(`${wall}Z`);
const wall = (at) => new Date(at).toISOString().slice(0, 19);

/** The finest resolution whose points a chart of `lengthMs` can show. */
function resolutionFor(lengthMs, stepMinutes) {
  if (lengthMs / ((stepMinutes || 60) * 60_000) <= (stepMinutes >= 60 ? 200 : MOST_READINGS) && lengthMs <= 4 * DAY_MS) return "raw";
  if (lengthMs <= 15 * DAY_MS) return "hour";
  if (lengthMs <= 800 * DAY_MS) return "day";
  return lengthMs <= 2200 * DAY_MS ? "week" : "month";
}

const NAMES = { raw: "single readings", hour: "hours", day: "days", week: "weeks", month: "months" };
const stepAt = (timestamp, resolution) => (["raw", "hour"].includes(resolution) ? format.time : format.day)(timestamp);

/** `{node, show({episodes, signal, isNewPeriod}), remove()}` for an appliance of the site. */
export function zoomableUse(ctx, { appliance, step_minutes: stepMinutes }) {
  const view = { from: 0, to: 0, chart: null, episodes: [], shown: 0 };
  const shortestMs = SHORTEST_STEPS * (stepMinutes || 60) * 60_000;
  const whole = () => ({ from: ms(`${ctx.period.from}T00:00:00`), to: ms(`${ctx.period.to}T00:00:00`) });
  const extent = () => ({ from: ms(wallTime(ctx.site.first)), to: ms(wallTime(ctx.site.last)) + DAY_MS });

  const move = (from, to) => {
    const limits = extent();
    const length = Math.min(Math.max(to - from, shortestMs), limits.to - limits.from);
    const begin = Math.min(Math.max((from + to - length) / 2, limits.from), limits.to - length);
    Object.assign(view, { from: Math.round(begin / 60_000) * 60_000, to: Math.round((begin + length) / 60_000) * 60_000 });
    return load(ctx.signal);
  };
  const length = () => view.to - view.from;
  const scaled = (factor) => () => move(view.from + (length() * (1 - factor)) / 2, view.to - (length() * (1 - factor)) / 2);
  const moved = (share) => () => move(view.from + length() * share, view.to + length() * share);
  const reset = () => {
    Object.assign(view, whole());
    return load(ctx.signal);
  };
  const button = (text, onclick, label = text) => h("button", { type: "button", class: "button small", aria: { label }, onclick }, text);
  const buttons = {
    earlier: button("\u2190", moved(-0.5), "Earlier"),
    later: button("\u2192", moved(0.5), "Later"),
    in: button("Zoom in", scaled(0.4)),
    out: button("Zoom out", scaled(2.5)),
    reset: button("Whole period", reset),
  };
  const part = section({ title: "Use over time", minHeightPx: CHART_PX + 70, actions: h("div", { class: "row no-print" }, Object.values(buttons)) });

  async function load(signal) {
    const turn = (view.shown += 1);
    part.wait();
    const resolution = resolutionFor(length(), stepMinutes);
    try {
      const readings = await ctx.api.get("/readings", { site: ctx.site.site, appliance, resolution, from: wall(view.from), to: wall(view.to) }, { signal });
      const episodes = await view.episodes;
      if (turn === view.shown) draw(readings, episodes.episodes);
    } catch (error) {
      if (!isAborted(error) && turn === view.shown) part.fail(error, () => load(ctx.signal));
    }
  }

  function draw({ timestamps, series, resolution }, episodes) {
    const { from, to } = whole();
    buttons.reset.disabled = view.from === from && view.to === to;
    buttons.in.disabled = length() <= shortestMs;
    if (!timestamps.length) {
      view.chart?.remove();
      view.chart = null;
      part.show(emptyState({ title: "No readings here.", text: "Go earlier or later, or zoom out." }));
      return;
    }
    const values = series[0].kwh;
    const marks = episodes.filter((one) => ms(wallTime(one.end)) > view.from && ms(wallTime(one.start)) < view.to)
      .map((one) => ({ from: clip(one.start), to: clip(one.end), label: `${one.kind}: ${format.time(one.start)} to ${format.time(one.end)}` }));
    const summary = `${format.energy(total(values))} in ${NAMES[resolution]} from ${stepAt(timestamps[0], resolution)} to ${stepAt(timestamps.at(-1), resolution)}${marks.length ? `, ${format.count(marks.length, "anomaly", "anomalies")} marked` : ""}.`;
    const options = {
      title: `Use of ${appliance} over time`, isTitleHidden: true, height: CHART_PX, summary, timestamps, resolution, marks,
      series: [{ name: appliance, values, appliance }],
      onZoom: (begin, end) => move(ms(begin), ms(end)),
    };
    part.node.removeAttribute("aria-busy");
    if (view.chart?.node.isConnected) view.chart.update(options);
    else {
      view.chart = charts.line(options);
      part.show(view.chart.node);
    }
    if (part.node.contains(document.activeElement)) announce(summary);
  }

  const clip = (timestamp) => wall(Math.min(Math.max(ms(wallTime(timestamp)), view.from), view.to));

  return {
    node: part.node,
    show: ({ episodes, signal, isNewPeriod }) => {
      view.episodes = episodes;
      if (isNewPeriod) Object.assign(view, whole());
      return load(signal);
    },
    remove: () => view.chart?.remove(),
  };
}
