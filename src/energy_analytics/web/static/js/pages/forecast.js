/** Forecast: the seven days ahead, how far such forecasts are to be trusted, and the bill of the month. */

import * as charts from "../charts.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { meaning, merit, modelName, scoreboard } from "../parts/models.js";
import { onlyNews } from "../parts/news.js";
import { table } from "../table.js";
import { emptyLake, emptyState, isAborted, page, section, tile } from "../ui.js";

const CHART_HEIGHT_PX = 340;

/** Show the page. */
export async function render(main, ctx) {
  if (!ctx.period) return void page(main, { title: "Forecast" }, emptyLake(ctx));
  const parts = {
    ahead: section({ title: "The next seven days", minHeightPx: CHART_HEIGHT_PX + 160 }),
    days: section({ title: "Day by day", minHeightPx: 300 }),
    bill: section({ title: "Bill of the month", minHeightPx: 200 }),
    appliances: section({ title: "By appliance", minHeightPx: 150 }),
    scores: section({ title: "How good are these forecasts?", minHeightPx: 260 }),
  };
  page(main, { title: "Forecast", lead: "Counted from the last day that was read." },
    parts.ahead.node, h("div", { class: "columns" }, parts.days.node, parts.bill.node), parts.appliances.node, parts.scores.node);
  const view = { ctx, parts, chart: null, fresh: onlyNews() };
  ctx.onChange(({ what, signal }) => (what === "data" ? load(view, signal) : undefined));
  await load(view, ctx.signal);
  return () => view.chart?.remove();
}

async function load(view, signal) {
  const { ctx, parts } = view;
  try {
    const forecast = await ctx.api.get("/forecast", { site: ctx.site.site }, { signal });
    view.fresh(forecast, () => (forecast.days.length ? show(view, forecast) : showNone(view, forecast)));
  } catch (error) {
    if (isAborted(error)) throw error;
    view.fresh.forget();
    for (const part of Object.values(parts)) part.node.hidden = part !== parts.ahead;
    parts.ahead.fail(error, () => load(view, ctx.signal));
  }
}

function show(view, forecast) {
  const { ahead, days, bill, appliances, scores } = view.parts;
  for (const part of Object.values(view.parts)) part.node.hidden = false;
  showAhead(view, ahead, forecast);
  days.show(h("div", { class: "whole" }, dayTable(forecast)));
  bill.show(billOf(forecast));
  appliances.node.hidden = !forecast.appliances.length;
  appliances.show(h("div", { class: "stack" }, applianceTable(forecast)));
  scores.show(h("div", { class: "stack" }, scoresOf(forecast)));
}

/** There is no forecast: why, and what makes one. The bill of the month may be known all the same. */
function showNone(view, forecast) {
  const { ahead, bill } = view.parts;
  for (const part of Object.values(view.parts)) part.node.hidden = part !== ahead && !(part === bill && forecast.expected_bill);
  view.chart?.remove();
  view.chart = null;
  const complete = (forecast.recent ?? []).filter((one) => one.complete).length;
  ahead.show(emptyState({
    title: "There is no forecast for this site.",
    text: complete
      ? `${forecast.assumption ? `${forecast.assumption} ` : ""}A forecast rests on days that are complete: at least 95 % of their readings are there.`
      : "A forecast needs days that are complete: at least 95 % of their readings are there. None of the newest days is.",
    action: h("a", { class: "button", href: view.ctx.href("/data") }, "See which days are complete"),
  }));
  bill.show(billOf(forecast));
}

const sum = (rows, key) => rows.reduce((total, row) => (total === null || row[key] === null ? null : total + row[key]), 0);

function showAhead(view, part, forecast) {
  const { days, currency, recent } = forecast;
  const level = Math.round(100 * (forecast.interval_level ?? 0.8));
  const highest = days.toSorted((a, b) => b.yhat - a.yhat)[0];
  const cost = sum(days, "cost");
  const options = {
    title: "Energy of each day, read and forecast",
    isTitleHidden: true,
    summary: `${format.energy(sum(days, "yhat"))} expected from ${format.dayWithWeekday(days[0].day)} to ${format.dayWithWeekday(days.at(-1).day)}, after ${format.count(recent.length, "day")} that were read.${recent.every((one) => one.complete) ? "" : " Pale bars are days that are not complete."}`,
    height: CHART_HEIGHT_PX,
    history: recent,
    days,
    level,
  };
  view.chart?.remove();
  view.chart = charts.band(options);
  part.show(h("div", { class: "stack" },
    h("dl", { class: "tiles" },
      tile({ label: "Energy expected", value: format.energy(sum(days, "yhat")), notes: [`${format.energy(sum(days, "yhat") / days.length)} a day`] }),
      cost !== null && tile({ label: "Cost expected", value: format.money(cost, currency), notes: [`${format.money(cost / days.length, currency)} a day`] }),
      tile({ label: "Highest day", value: format.dayWithWeekday(highest.day).slice(0, -5), notes: [`${format.energy(highest.yhat)} (${format.energy(highest.yhat_lower)} to ${format.energy(highest.yhat_upper)})`] }),
      tile({ label: "Model", value: modelName(forecast.model), notes: [`Trained on ${format.count(forecast.trained_on_days, "complete day")}`] })),
    view.chart.node,
    h("p", { class: "muted" }, rangeWords(forecast, level)),
    forecast.assumption && h("p", { class: "muted" }, forecast.assumption)));
}

function rangeWords({ measured_coverage: measured }, level) {
  const made = `Each day should fall into its range ${level} times out of 100.`;
  return measured === null || measured === undefined
    ? `${made} Whether it does has not been measured on this site.`
    : `${made} On this site’s own past it did ${format.number(100 * measured)} times out of 100.`;
}

/** A value with its range under it. */
const ranged = (value, lower, upper, write) => h("span", {}, write(value),
  lower === null ? null : h("span", { class: "muted under" }, `${write(lower)} to ${write(upper)}`));

function dayTable({ days, currency }) {
  const isPriced = days.some((one) => one.cost !== null);
  return table({
    caption: "Forecast by day",
    isCompact: true,
    rows: days,
    columns: [
      { key: "day", label: "Day", isRowHeader: true, isSortable: false, cell: (row) => format.dayWithWeekday(row.day).slice(0, -5) },
      {
        key: "yhat", label: "Energy, kWh", isNumeric: true, isSortable: false,
        cell: (row) => ranged(row.yhat, row.yhat_lower, row.yhat_upper, format.rounded),
      },
      isPriced && {
        key: "cost", label: "Cost", isNumeric: true, isSortable: false,
        cell: (row) => ranged(row.cost, row.cost_lower, row.cost_upper, (amount) => format.money(amount, currency)),
      },
    ].filter(Boolean),
  });
}

function billOf({ expected_bill: bill, currency }) {
  if (!bill) {
    return emptyState({ title: "The bill cannot be estimated yet.", text: "It needs a price and readings of the running month." });
  }
  const isWhole = bill.lower === bill.upper;
  return h("div", { class: "stack" },
    h("dl", { class: "tiles" }, tile({
      label: format.month(bill.month), value: format.money(bill.total, currency),
      notes: [isWhole ? "No range: the month is read to its end" : `Range ${format.money(bill.lower, currency)} to ${format.money(bill.upper, currency)}`],
    })),
    h("div", {},
      h("p", {}, `${bill.days_read} of ${format.count(bill.days, "day")} ${bill.days_read === 1 ? "is" : "are"} read; the days ahead are forecast.`),
      h("progress", { max: bill.days, value: bill.days_read, aria: { label: "Days of the month that are read" } })),
    bill.assumption && h("p", { class: "muted" }, bill.assumption));
}

/** `Sat 27`: the dates in full stand in the table above. */
const shortDay = (day) => format.dayWithWeekday(day).slice(0, -9);

function applianceTable({ appliances, days }) {
  if (!appliances.length) return [];
  const rows = appliances.map(({ appliance, model, days: own }) => ({
    appliance, model,
    total: sum(own, "yhat"), lower: sum(own, "yhat_lower"), upper: sum(own, "yhat_upper"),
    ...Object.fromEntries(own.map((one) => [one.day, one.yhat])),
  }));
  return [table({
    caption: "Forecast by appliance and day",
    isCompact: true,
    sort: { key: "total", descending: true },
    rows,
    columns: [
      { key: "appliance", label: "Appliance", isRowHeader: true, isName: true },
      { key: "total", label: "Seven days, kWh", isNumeric: true, cell: (row) => format.rounded(row.total) },
      ...days.map(({ day }) => ({ key: day, label: shortDay(day), isNumeric: true, isSortable: false, cell: (row) => format.rounded(row[day]) })),
      { key: "model", label: "Model", value: (row) => modelName(row.model) },
    ],
  }), h("p", { class: "muted" }, "In kWh. The appliances of a day add up to the forecast of the site.")];
}

const TRIED_FROM_DAYS = 14;
const NAMED = ["moving_average", "prophet", "seasonal_naive"]; // from so many days on, without scores: the settings name it

const notTried = ({ model, trained_on_days: days }) =>
  days >= TRIED_FROM_DAYS && NAMED.includes(model)
    ? "The settings name this model, so none was tried on the site’s own past. With model = \"auto\" all are; energy backtest tries them now."
    : "The history is too short to try the models on its own past.";

function scoresOf(forecast) {
  if (!forecast.scores.length) {
    return [emptyState({ title: "Not measured yet.", text: notTried(forecast) })];
  }
  const beaten = merit(forecast);
  return [
    beaten && h("p", {}, beaten),
    scoreboard(forecast),
    h("ul", { class: "meaning" }, meaning(forecast).map((one) => h("li", {}, Array.isArray(one) ? [h("strong", {}, one[0]), one[1]] : one))),
  ];
}
