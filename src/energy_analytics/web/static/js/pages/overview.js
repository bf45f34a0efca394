/** Overview: how much, what it cost, when, by what, and what needs attention. */

import * as charts from "../charts.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { resolutionsOf, RESOLUTION_LABELS } from "../period.js";
import { siteName } from "../pickers.js";
import { total } from "../plot.js";
import { emptyLake, emptyState, isAborted, page, section, segments } from "../ui.js";
import { attentionList } from "./attention.js";
import { assumptions, tiles } from "./figures.js";

const SHARES_SHOWN = 10;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const HOURS = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, "0")}:00`);
const CHART_PX = 340;
const HEAT_PX = 300;

export async function render(main, ctx) {
  if (!ctx.site || !ctx.period) return void page(main, { title: "Overview" }, emptyLake(ctx));
  const parts = {
    figures: section({ title: "Totals", isHeadingHidden: true, minHeightPx: 128, class: "card-tiles overview-figures" }),
    use: section({ title: "Energy over time", minHeightPx: CHART_PX + 110, class: "span-8", actions: h("div", { class: "no-print" }) }),
    attention: section({ title: "What needs attention", minHeightPx: 240, class: "span-4" }),
    share: section({ title: "Share of appliances", minHeightPx: 200, class: "span-4" }),
    heat: section({ title: "When energy is used", minHeightPx: HEAT_PX + 60, class: "span-8 filling" }),
  };
  const lead = h("p", { class: "lead" }, leadOf(ctx));
  page(main, { title: "Overview" }, parts.figures.node, h("div", { class: "grid overview" }, parts.use.node, parts.attention.node, parts.heat.node, parts.share.node));
  main.querySelector("h1").after(lead);

  const view = { drawn: {}, resolution: null, periodLabel: null };
  const refresh = async ({ signal, what }) => {
    if (what === "uploads") return;
    lead.textContent = leadOf(ctx);
    if (view.periodLabel !== ctx.period.label) Object.assign(view, { resolution: null, periodLabel: ctx.period.label });
    await Promise.all([showOverview(ctx, parts, view, signal, refresh), showUse(ctx, parts.use, view, signal)]);
  };
  ctx.onChange(refresh);
  await refresh({ signal: ctx.signal });
  return () => Object.values(view.drawn).forEach((chart) => chart.remove());
}

const leadOf = ({ site, period }) => `${siteName(site)} \u00b7 ${period.label}, ${format.count(period.days, "day")}`;

/** Do `work`; what goes wrong is told in the part it belongs to. */
async function within(part, work, retry) {
  part.wait();
  try {
    await work();
  } catch (error) {
    if (isAborted(error)) return;
    part.fail(error, retry);
  }
}

async function showOverview(ctx, parts, view, signal, refresh) {
  const retry = () => refresh({ signal: ctx.signal });
  await within(parts.figures, async () => {
    const overview = await ctx.api.get("/overview", { site: ctx.site.site, ...ctx.period.params }, { signal });
    parts.figures.show(tiles(overview), assumptions(overview));
    parts.attention.show(attentionList(overview, ctx));
    parts.share.show(shareOf(overview, ctx));
    showHeat(overview, parts.heat, view);
  }, retry);
}

function shareOf({ appliances, total: { kwh } }, ctx) {
  if (!appliances.length) return nothing();
  const shown = appliances.slice(0, SHARES_SHOWN);
  const rest = appliances.slice(SHARES_SHOWN);
  const items = shown.map((one) => ({
    name: one.appliance,
    percent: one.share_percent,
    text: `${format.energy(one.kwh)} \u00b7 ${format.percent(one.share_percent)}`,
    href: ctx.href(`/appliances/${encodeURIComponent(one.appliance)}`),
    appliance: one.appliance,
  }));
  if (rest.length) {
    const restKwh = total(rest.map((one) => one.kwh));
    const percent = kwh ? (100 * restKwh) / kwh : null;
    items.push({
      name: format.count(rest.length, "other"), percent, href: ctx.href("/appliances"),
      text: `${format.energy(restKwh)} \u00b7 ${format.percent(percent)}`,
    });
  }
  return charts.share({ title: "Share of appliances", items }).node;
}

const nothing = () => emptyState({ title: "No readings in this period.", text: "Choose another period above." });

function showHeat({ heatmap: { kwh } }, part, view) {
  const cells = kwh.flatMap((row, day) => row.map((value, hour) => ({ value, day, hour }))).filter(({ value }) => value !== null);
  if (!cells.length) {
    delete view.drawn.heat;
    return part.show(nothing());
  }
  const least = cells.reduce((a, b) => (b.value < a.value ? b : a));
  const most = cells.reduce((a, b) => (b.value > a.value ? b : a));
  const say = ({ value, day, hour }) => `${WEEKDAYS[day]} ${format.hour(hour)} (${format.energy(value)})`;
  const options = {
    title: "Mean energy by weekday and hour", isTitleHidden: true, height: HEAT_PX, isFilling: true,
    summary: `Mean energy in each hour of the week. Most: ${say(most)}. Least: ${say(least)}.`,
    rows: WEEKDAYS, columns: HOURS, values: kwh,
  };
  return draw(view, "heat", part, charts.heatmap, options);
}

/** The chart of a part: the one that is there is given new data, so that nothing moves. */
function draw(view, name, part, make, options) {
  if (view.drawn[name]?.node.isConnected) {
    part.node.removeAttribute("aria-busy");
    view.drawn[name].update(options);
    return;
  }
  view.drawn[name] = make(options);
  part.show(view.drawn[name].node);
}

async function showUse(ctx, part, view, signal) {
  const { choices, chosen } = resolutionsOf(ctx.period.days);
  view.resolution ??= chosen;
  const again = () => showUse(ctx, part, view, ctx.signal);
  const chooser = part.node.querySelector(".no-print");
  if (!chooser.contains(document.activeElement)) {
    chooser.replaceChildren(segments({
      label: "Resolution",
      choices: Object.fromEntries(choices.map((name) => [name, RESOLUTION_LABELS[name]])),
      chosen: view.resolution,
      onChoose: (name) => {
        view.resolution = name;
        again();
      },
    }));
  }
  await within(part, async () => {
    const { resolution } = view;
    const wantsForecast = ctx.period.isNewest && resolution === "day";
    const [readings, forecast] = await Promise.all([
      ctx.api.get("/readings", { site: ctx.site.site, ...ctx.period.params, resolution }, { signal }),
      wantsForecast ? ctx.api.get("/forecast", { site: ctx.site.site }, { signal }) : null,
    ]);
    if (resolution !== view.resolution) return;
    if (!readings.timestamps.length) {
      delete view.drawn.use;
      return void part.show(nothing());
    }
    const isThere = forecast?.days?.length > 0;
    draw(view, "use", part, charts.stackedEnergy, {
      title: "Energy over time", isTitleHidden: true, height: CHART_PX,
      summary: summaryOf(readings, isThere ? forecast : null),
      timestamps: readings.timestamps, series: readings.series, resolution: readings.resolution,
      forecast: isThere ? { days: forecast.days, level: Math.round(100 * (forecast.interval_level ?? 0.8)) } : null,
    });
  }, again);
}

const MEAN_OF = { raw: "a reading", hour: "an hour", day: "a day" }; // weeks and months may be cut off, so that a mean says little

function summaryOf({ timestamps, series, resolution }, forecast) {
  const sums = timestamps.map((_, index) => total(series.map(({ kwh }) => kwh[index])));
  const highest = sums.reduce((best, value, index) => (value !== null && (best < 0 || value > sums[best]) ? index : best), -1);
  const known = sums.filter((value) => value !== null);
  if (highest < 0) return "No readings in this period.";
  const when = charts.moment(timestamps[highest], resolution).replace(/^Week/, "week");
  const mean = MEAN_OF[resolution] ? `On average ${format.energy(total(known) / known.length)} ${MEAN_OF[resolution]}. ` : "";
  const said = `${mean}Most: ${format.energy(sums[highest])}, ${when}.`;
  return forecast ? `${said} Expected in the next ${format.count(forecast.days.length, "day")}: ${format.energy(total(forecast.days.map((one) => one.yhat)))}.` : said;
}
