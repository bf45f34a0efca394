/** One appliance: its use down to single readings, its day, what was unusual, what is expected. */

import * as charts from "../charts.js";
import { addDays, dayOf } from "../days.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { table } from "../table.js";
import { badge, emptyLake, emptyState, isAborted, page, section, tile } from "../ui.js";
import { rates } from "./figures.js";
import { zoomableUse } from "./zoom.js";

const HISTORY_DAYS = 28;
const HOURS = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, "0")}:00`);
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

export async function render(main, ctx) {
  const { name } = ctx.params;
  const back = h("a", { href: ctx.href("/appliances"), class: "back no-print" }, "All appliances");
  if (!ctx.site || !ctx.period) return void page(main, { title: name }, emptyLake(ctx));
  const known = ctx.site.appliances.find((one) => one.appliance === name);
  if (!known) {
    return void page(main, { title: name }, h("div", { class: "card" }, emptyState({
      title: "This site has no appliance of that name.", action: h("a", { href: ctx.href("/appliances"), class: "button" }, "All appliances"),
    })));
  }
  const parts = {
    figures: section({ title: "Totals", isHeadingHidden: true, minHeightPx: 96, class: "card-tiles" }),
    hours: section({ title: "Mean day", minHeightPx: 290, class: "span-6" }),
    weekdays: section({ title: "Mean week", minHeightPx: 290, class: "span-6" }),
    episodes: section({ title: "Anomalies", minHeightPx: 80 }),
    forecast: section({ title: "Next days", minHeightPx: 340 }),
  };
  const use = zoomableUse(ctx, known);
  const lead = h("p", { class: "lead" });
  page(main, { title: name, actions: back }, parts.figures.node, use.node,
    h("div", { class: "grid" }, parts.hours.node, parts.weekdays.node), parts.forecast.node, parts.episodes.node);
  main.querySelector("h1").after(lead);
  const drawn = {};

  const refresh = async ({ signal, what }) => {
    if (what === "uploads") return;
    lead.textContent = `${ctx.period.label}, ${format.count(ctx.period.days, "day")}`;
    const query = { site: ctx.site.site, ...ctx.period.params, appliance: name };
    const get = (path, params) => ctx.api.get(path, { ...query, ...params }, { signal });
    const retry = () => refresh({ signal: ctx.signal });
    const episodes = get("/episodes", { sort: "start" });
    await Promise.all([
      within(parts.figures, retry, async () => showFigures(parts.figures, name, await get("/overview", { appliance: null }), await get("/aggregates", { by: "appliance", appliance: null }))),
      use.show({ episodes, signal, isNewPeriod: what !== "data" }),
      within(parts.hours, retry, async () => showHours(parts.hours, drawn, await get("/aggregates", { by: "hour" }))),
      within(parts.weekdays, retry, async () => showWeekdays(parts.weekdays, drawn, await get("/aggregates", { by: "weekday" }))),
      within(parts.episodes, retry, async () => showEpisodes(parts.episodes, await episodes, ctx)),
      within(parts.forecast, retry, async () => showForecast(parts.forecast, drawn, ctx, known, signal)),
    ]);
  };
  ctx.onChange(refresh);
  await refresh({ signal: ctx.signal, what: "period" });
  return () => [...Object.values(drawn), use].forEach((chart) => chart.remove());
}

async function within(part, retry, work) {
  part.wait();
  try {
    await work();
  } catch (error) {
    if (!isAborted(error)) part.fail(error, retry);
  }
}

function draw(part, drawn, name, make, options) {
  if (drawn[name]?.node.isConnected) {
    part.node.removeAttribute("aria-busy");
    drawn[name].update(options);
    return;
  }
  drawn[name] = make(options);
  part.show(drawn[name].node);
}

const nothing = () => emptyState({ title: "No readings in this period.", text: "Choose another period above." });

function showFigures(part, name, { money, carbon }, { rows }) {
  const row = rows.find((one) => one.appliance === name);
  if (!row) return part.show(nothing());
  return part.show(
    h("dl", { class: "tiles" },
      tile({ label: "Energy", value: format.energy(row.total_kwh), notes: [`${format.percent(row.share_percent)} of the site`] }),
      tile({ label: money?.is_default ? "Cost, at an assumed price" : "Cost", value: format.money(row.cost, money?.currency) }),
      tile({ label: carbon?.is_default ? "CO\u2082, at an assumed factor" : "CO\u2082", value: format.carbon(row.carbon_kg) }),
      tile({ label: "Peak hour of the day", value: format.hour(row.peak_hour) })),
    h("p", { class: "assumptions" }, `${rates(money, carbon).join(". ")}.`));
}

const highest = (rows, key) => rows.filter((row) => row[key] !== null).reduce((best, row) => (best && best[key] >= row[key] ? best : row), null);

function showHours(part, drawn, { rows }) {
  const top = highest(rows, "mean_kwh");
  if (!top) return part.show(nothing());
  const byHour = new Map(rows.map((row) => [row.hour, row.mean_kwh]));
  return draw(part, drawn, "hours", charts.bars, {
    title: "Mean energy by hour of the day", isTitleHidden: true, height: 240,
    summary: `Mean energy by hour. Most at ${format.hour(top.hour)}: ${format.energy(top.mean_kwh)}.`,
    labels: HOURS, series: [{ name: "Mean", values: HOURS.map((_, hour) => byHour.get(hour) ?? null) }],
  });
}

function showWeekdays(part, drawn, { rows }) {
  const top = highest(rows, "mean_kwh_per_day");
  if (!top) return part.show(nothing());
  const byWeekday = new Map(rows.map((row) => [row.weekday, row.mean_kwh_per_day]));
  return draw(part, drawn, "weekdays", charts.bars, {
    title: "Mean energy by day of the week", isTitleHidden: true, height: 240,
    summary: `Mean energy a day. Most on ${WEEKDAYS[top.weekday - 1]}: ${format.energy(top.mean_kwh_per_day)}.`,
    labels: WEEKDAYS, series: [{ name: "Mean of a day", values: WEEKDAYS.map((_, index) => byWeekday.get(index + 1) ?? null) }],
  });
}

function showEpisodes(part, { episodes, currency }, ctx) {
  if (!episodes.length) return part.show(emptyState({ title: "No anomalies in this period." }));
  return part.show(table({
    caption: "Anomalies of this appliance",
    sort: { key: "start", descending: true },
    rows: episodes,
    columns: [
      { key: "start", label: "Start", isRowHeader: true, cell: (row) => h("a", { class: "nowrap", href: ctx.href("/anomalies", { episode: row.id }) }, format.time(row.start)) },
      { key: "kind", label: "Kind", cell: (row) => [badge(row.kind, row.excess_kwh > 0 ? "warn" : "neutral"), row.status === "open" && " still going on"] },
      { key: "excess_kwh", label: "More or less than usual", isNumeric: true, cell: (row) => format.energyChange(row.excess_kwh) },
      { key: "cost", label: "Cost", isNumeric: true, cell: (row) => format.money(row.cost, currency) },
      { key: "reason", label: "Reason", isSortable: false, cell: (row) => h("span", { class: "reason" }, row.reason) },
    ],
  }));
}

async function showForecast(part, drawn, ctx, { appliance }, signal) {
  const last = dayOf(ctx.site.last);
  const [forecast, recent] = await Promise.all([
    ctx.api.get("/forecast", { site: ctx.site.site }, { signal }),
    ctx.api.get("/readings", { site: ctx.site.site, appliance, resolution: "day", from: addDays(last, 1 - HISTORY_DAYS) }, { signal }),
  ]);
  const own = forecast.appliances.find((one) => one.appliance === appliance);
  if (!own?.days.length) return part.show(emptyState({ title: "No forecast for this appliance.", text: "A forecast needs at least one complete day." }));
  const sum = own.days.reduce((kwh, one) => kwh + one.yhat, 0);
  const days = recent.timestamps.map((at, index) => ({ day: dayOf(at), kwh: recent.series[0]?.kwh[index] ?? null }));
  return draw(part, drawn, "forecast", charts.band, {
    title: `Forecast of ${appliance}`, isTitleHidden: true, height: 280, level: Math.round(100 * (forecast.interval_level ?? 0.8)),
    summary: `${format.energy(sum)} expected from ${format.day(own.days[0].day)} to ${format.day(own.days.at(-1).day)}. Before it, the newest ${format.count(days.length, "day")}.`,
    history: days, days: own.days, appliance,
  });
}
