/** The charts of the dashboard. Each call gives `{node, update(options), remove()}`; see createChart for what all of them take. */

import { categories, highestOf, middle, scaleOf, span, units, withGaps } from "./axes.js";
import { wallTime } from "./days.js";
import { h, uniqueId } from "./dom.js";
import * as format from "./format.js";
import { colourOf, createChart, faint, grouped, markOf, total } from "./plot.js";

const EVEN = new Set(["raw", "hour", "day"]); // resolutions whose steps are of one length
const MOST_BARS = 130;
const MOST_STEPS = 400; // up to so many readings, each is seen to hold for its interval
const HOVER_DATES = {
  raw: "%a %-d %b %Y, %H:%M",
  hour: "%a %-d %b %Y, %H:%M",
  day: "%a %-d %b %Y",
  week: "Week from %-d %b %Y",
  month: "%b %Y",
};
const kwhColumn = (key, label) => ({ key, label, isNumeric: true, cell: (row) => format.number(row[key], 3) });

/** How a moment reads at a resolution. */
export const moment = (timestamp, resolution) =>
  resolution === "month" ? format.month(timestamp)
    : resolution === "week" ? `Week from ${format.day(timestamp)}`
      : resolution === "day" ? format.dayWithWeekday(timestamp)
        : format.time(timestamp);

/** The dashed line of a forecast and its band: traces and legend entries. */
function forecastTraces({ days, colour, level = 80, scale }) {
  const x = days.map((one) => wallTime(one.day));
  const [middles, lowers, uppers] = ["yhat", "yhat_lower", "yhat_upper"].map((key) => scale.scaled(days.map((one) => one[key])));
  const shared = { x, type: "scatter", hoverinfo: "skip", line: { width: 0 }, mode: "lines" };
  const band = `${level} % range`;
  return [
    { ...shared, y: lowers, name: band, legendgroup: "Forecast" },
    { ...shared, y: uppers, name: band, legendgroup: "Forecast", fill: "tonexty", fillcolor: faint(colour, 0.2) },
    {
      ...shared, y: middles, name: "Forecast", mode: "lines+markers", hoverinfo: "all",
      line: { color: colour, width: 2, dash: "dash" }, marker: { color: colour, size: 6 },
      customdata: lowers.map((lower, index) => [lower, uppers[index]]),
      hovertemplate: `%{y:,.2f} ${scale.unit} (%{customdata[0]:,.1f} to %{customdata[1]:,.1f})`,
    },
  ];
}

const forecastLegend = (colour, level = 80) => ({ name: "Forecast", label: `Forecast, ${level} % range`, colour, mark: "band" });

function buildStacked({ timestamps, series, resolution, forecast = null }, theme) {
  const x = timestamps.map(wallTime);
  const groups = grouped(series);
  const sums = timestamps.map((_, index) => total(groups.map(({ values }) => values[index])));
  const scale = scaleOf(highestOf(sums));
  const isBars = x.length <= MOST_BARS;
  const look = (colour) => isBars
    ? { type: "bar", marker: { color: colour, line: { color: theme.surface, width: x.length > 60 ? 0 : 0.75 } } }
    : { type: "scatter", mode: "lines", stackgroup: "use", fillcolor: faint(colour, 0.85), line: { color: colour, width: 0.5 } };
  const traces = groups.map(({ name, values, colour }) => ({ x, y: scale.scaled(values), name, ...look(colour), hovertemplate: `%{y:,.2f} ${scale.unit}` }));
  if (groups.length > 1) {
    traces.push({ x, y: scale.scaled(sums), name: "Total", type: "scatter", mode: "markers", marker: { size: 1, color: "rgba(0,0,0,0)" }, hovertemplate: `<b>%{y:,.2f} ${scale.unit}</b>` });
  }
  if (forecast) traces.push(...forecastTraces({ ...forecast, colour: theme.text, scale }));
  const keys = groups.map((_, index) => `s${index}`);
  const rows = timestamps.map((at, index) => ({ at, sum: sums[index], ...Object.fromEntries(keys.map((key, one) => [key, groups[one].values[index]])) }));
  return {
    traces,
    layout: { barmode: "stack", bargap: 0.18 },
    legend: [...groups, ...(forecast ? [forecastLegend(theme.text, forecast.level)] : [])],
    axis: { hoverformat: HOVER_DATES[resolution], range: span([...x, ...(forecast?.days ?? []).map((one) => wallTime(one.day))]) },
    yaxis: units(scale.unit),
    table: {
      columns: [timeColumn(resolution), ...groups.map(({ name }, index) => kwhColumn(keys[index], `${name}, kWh`)), kwhColumn("sum", "Total, kWh")],
      rows: [...rows, ...(forecast?.days ?? []).map((one) => ({ at: one.day, isForecast: true, sum: one.yhat }))],
    },
  };
}

const timeColumn = (resolution) => ({
  key: "at", label: "Time", isRowHeader: true,
  cell: (row) => `${moment(row.at, resolution)}${row.isForecast ? " (forecast)" : ""}`,
});

function buildLine({ timestamps, series, resolution = "hour", marks = [], unit = "kWh", forecast = null }, theme) {
  const known = series.map(({ values }) => values);
  const { x, values: drawn } = EVEN.has(resolution) ? withGaps(timestamps.map(wallTime), known) : { x: timestamps.map(wallTime), values: known };
  const colours = series.map(({ appliance }, index) => (appliance ? colourOf(appliance) : index === 0 ? theme.accent : theme.muted));
  const highest = highestOf(series.flatMap(({ values }) => values));
  const scale = scaleOf(highest, unit);
  const traces = series.map(({ name, isDashed = false }, index) => ({
    x, y: scale.scaled(drawn[index]), name, type: "scatter", mode: x.length < 40 ? "lines+markers" : "lines", connectgaps: false,
    line: { color: colours[index], width: x.length > 1000 ? 1 : 2, shape: x.length <= MOST_STEPS && resolution !== "day" ? "hv" : "linear", dash: isDashed ? "dot" : "solid" }, marker: { size: 4, color: colours[index] },
    ...(series.length === 1 && x.length === timestamps.length ? { fill: "tozeroy", fillcolor: faint(colours[index], 0.12) } : {}),
    hovertemplate: `%{y:,.3~f} ${scale.unit}`,
  }));
  if (forecast) traces.push(...forecastTraces({ ...forecast, colour: theme.text, scale }));
  if (marks.length) {
    traces.push({
      x: marks.map(({ from, to }) => middle(wallTime(from), wallTime(to))), y: scale.scaled(marks.map(() => highest * 1.08)), name: "Anomaly", type: "scatter", mode: "markers",
      marker: { symbol: "triangle-down", size: 10, color: theme.warn }, text: marks.map(({ label }) => label), hovertemplate: "%{text}",
    });
  }
  return {
    traces,
    layout: { shapes: marks.map(({ from, to }) => ({
      type: "rect", xref: "x", yref: "paper", x0: wallTime(from), x1: wallTime(to), y0: 0, y1: 1, layer: "below",
      fillcolor: faint(theme.warn, 0.16), line: { color: theme.warn, width: 0.5 },
    })) },
    axis: { hoverformat: HOVER_DATES[resolution] },
    yaxis: units(scale.unit),
    legend: [
      ...series.map(({ name, isDashed }, index) => ({ name, colour: colours[index], mark: isDashed ? "dotted" : "line" })),
      ...(forecast ? [forecastLegend(theme.text, forecast.level)] : []),
      ...(marks.length ? [{ name: "Anomaly", colour: theme.warn, mark: "triangle" }] : []),
    ],
    table: {
      columns: [timeColumn(resolution), ...series.map(({ name }, index) => ({ ...kwhColumn(`s${index}`, `${name}, ${unit}`) }))],
      rows: [
        ...timestamps.map((at, place) => ({ at, ...Object.fromEntries(series.map(({ values }, index) => [`s${index}`, values[place]])) })),
        ...(forecast?.days ?? []).map((one) => ({ at: one.day, isForecast: true, s0: one.yhat })),
      ],
    },
  };
}

function buildBand({ history = [], days, level = 80, appliance }, theme) {
  const bar = appliance ? colourOf(appliance) : theme.accent;
  const read = history.map((one) => one.kwh);
  const scale = scaleOf(highestOf([...read, ...days.map((one) => one.yhat_upper)]));
  const forecast = forecastTraces({ days, colour: theme.text, level, scale });
  return {
    traces: [
      {
        x: history.map((one) => wallTime(one.day)), y: scale.scaled(read), name: "Read", type: "bar",
        marker: { color: history.map((one) => (one.complete === false ? faint(bar, 0.4) : bar)) },
        text: history.map((one) => (one.complete === false ? "day not complete" : "")), textposition: "none", hovertemplate: `%{y:,.2f} ${scale.unit} %{text}`,
      },
      ...forecast,
    ],
    layout: { bargap: 0.25 },
    axis: { hoverformat: HOVER_DATES.day, range: span([...history, ...days].map((one) => wallTime(one.day))) },
    yaxis: units(scale.unit),
    legend: [{ name: "Read", colour: bar }, forecastLegend(theme.text, level)],
    table: {
      columns: [timeColumn("day"), kwhColumn("kwh", "kWh"), kwhColumn("lower", "From, kWh"), kwhColumn("upper", "To, kWh")],
      rows: [
        ...history.map((one) => ({ at: one.day, kwh: one.kwh })),
        ...days.map((one) => ({ at: one.day, isForecast: true, kwh: one.yhat, lower: one.yhat_lower, upper: one.yhat_upper })),
      ],
    },
  };
}

function buildHeatmap({ rows, columns, values, unit = "kWh" }, theme) {
  return {
    traces: [{
      type: "heatmap", x: columns, y: rows, z: values, zmin: 0, xgap: 1, ygap: 1, hoverongaps: false,
      colorscale: [[0, theme.heatLow], [0.5, theme.heatMid], [1, theme.heatHigh]],
      colorbar: { thickness: 10, outlinewidth: 0, tickfont: { color: theme.muted, size: 11 }, title: { text: unit, font: { color: theme.muted, size: 11 } }, nticks: 4, len: 1 },
      hovertemplate: `%{y} %{x}: %{z:,.3f} ${unit}<extra></extra>`,
    }],
    layout: { hovermode: "closest" },
    axis: categories(columns),
    yaxis: { autorange: "reversed", type: "category", showgrid: false, nticks: 7 },
    table: {
      columns: [{ key: "row", label: "", isRowHeader: true, isSortable: false }, ...columns.map((label, index) => kwhColumn(`c${index}`, label))],
      rows: rows.map((row, place) => ({ row, ...Object.fromEntries(columns.map((_, index) => [`c${index}`, values[place][index]])) })),
    },
  };
}

function buildBars({ labels, series, unit = "kWh", digits = 2 }, theme) {
  const colours = series.map((_, index) => [theme.accent, theme.series[1], theme.series[2]][index] ?? theme.others);
  return {
    traces: series.map(({ name, values }, index) => ({
      x: labels, y: values, name, type: "bar", marker: { color: colours[index] }, hovertemplate: `%{y:,.${digits}f} ${unit}${series.length === 1 ? "<extra></extra>" : ""}`,
    })),
    layout: { barmode: "group", bargap: 0.25 },
    axis: categories(labels),
    yaxis: units(unit),
    legend: series.map(({ name }, index) => ({ name, colour: colours[index] })),
    table: {
      columns: [{ key: "label", label: "", isRowHeader: true, isSortable: false }, ...series.map(({ name }, index) => kwhColumn(`s${index}`, `${name}, ${unit}`))],
      rows: labels.map((label, place) => ({ label, ...Object.fromEntries(series.map(({ values }, index) => [`s${index}`, values[place]])) })),
    },
  };
}

/** Energy over time by appliance: `{timestamps, series: [{appliance, kwh}], resolution, forecast: {days, level} | null}`. */
export const stackedEnergy = (options) => createChart(buildStacked, options);

/** Lines over time: `{timestamps, series: [{name, values, isDashed, appliance}], resolution, unit, marks: [{from, to, label}], forecast}`. */
export const line = (options) => createChart(buildLine, options);

/** Days read and days forecast with their range: `{history: [{day, kwh, complete}], days: [{day, yhat, yhat_lower, yhat_upper}], level, appliance}`. */
export const band = (options) => createChart(buildBand, options);

/** Values in a grid: `{rows: [label], columns: [label], values: [[...]], unit}`. */
export const heatmap = (options) => createChart(buildHeatmap, options);

/** Bars by label: `{labels, series: [{name, values}], unit, digits}`. */
export const bars = (options) => createChart(buildBars, options);

/** Shares of a whole as bars of plain HTML: `{title, summary, items: [{name, percent, text, href, appliance}]}`. */
export function share({ title, summary, items }) {
  const id = uniqueId("share");
  const node = h("figure", { class: "chart share", aria: { labelledby: id } },
    h("figcaption", {}, h("h3", { id, class: "visually-hidden" }, title), summary && h("p", { class: "chart-summary" }, summary)),
    h("ul", { class: "share-list" }, items.map((item) => h("li", {},
      h("span", { class: "share-name" }, item.href ? h("a", { href: item.href }, item.name) : item.name),
      h("span", { class: "share-text" }, item.text),
      h("span", { class: "share-bar", aria: { hidden: "true" }, style: { "--share": `${item.percent ?? 0}%`, "--mark": markOf(item.appliance) } })))));
  return { node };
}

export { colourOf, markOf };
