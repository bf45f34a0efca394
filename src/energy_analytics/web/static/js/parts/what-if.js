/** What if an appliance ran only in certain hours: the saving in a year, and the hours as read against moved. */

import * as charts from "../charts.js";
import { h, replace } from "../dom.js";
import * as format from "../format.js";
import { errorState, isAborted, skeleton, tile } from "../ui.js";
import { choice, sentence } from "./controls.js";
import { onlyNews } from "./news.js";

const [FIRST_HOUR, LAST_HOUR] = [22, 6];
const HEIGHT_PX = 260;
const clockOf = (hour) => `${String(hour).padStart(2, "0")}:00`;
const HOURS = Array.from({ length: 24 }, (_, hour) => [String(hour), clockOf(hour)]);

/** `{node, ask(), remove()}`. */
export function whatIf(ctx) {
  const view = { ctx, asked: null, chart: null, fresh: onlyNews(), result: h("div", { class: "stack", aria: { live: "polite" } }) };
  const ask = () => show(view);
  const appliances = ctx.site.appliances.map((one) => [one.appliance, one.appliance]);
  view.appliance = choice({ label: "Appliance", choices: appliances, chosen: appliances[0]?.[0], onChoose: ask });
  view.from = choice({ label: "May run from", choices: HOURS, chosen: String(FIRST_HOUR), onChoose: ask });
  view.to = choice({ label: "until", choices: HOURS, chosen: String(LAST_HOUR), onChoose: ask });
  return {
    node: h("div", { class: "stack" }, h("div", { class: "filters" }, view.appliance, view.from, view.to), view.result),
    ask,
    remove: () => {
      view.asked?.abort();
      view.chart?.remove();
    },
  };
}

async function show(view) {
  const { ctx } = view;
  view.asked?.abort();
  view.asked = new AbortController();
  const [appliance, from, to] = [view.appliance, view.from, view.to].map((one) => one.control.value);
  view.result.setAttribute("aria-busy", "true");
  if (!view.result.hasChildNodes()) replace(view.result, skeleton(HEIGHT_PX + 120));
  try {
    const signal = AbortSignal.any([view.asked.signal, ctx.signal]);
    const answer = await ctx.api.get("/what-if", { site: ctx.site.site, appliance, from_hour: from, to_hour: to }, { signal });
    view.fresh(answer, () => answered(view, answer));
    view.result.removeAttribute("aria-busy");
  } catch (error) {
    if (isAborted(error)) return;
    view.fresh.forget();
    draw(view, errorState(error, () => show(view)));
  }
}

function draw(view, ...children) {
  view.chart?.remove();
  view.chart = null;
  view.result.removeAttribute("aria-busy");
  replace(view.result, children);
}

function answered(view, answer) {
  const { appliance, currency, from_hour: from, to_hour: to } = answer;
  const isAnyHour = from === to;
  const window = isAnyHour ? "at any hour" : `only from ${clockOf(from)} to ${clockOf(to)}`;
  const [asRead, moved] = [answer.cost_as_read, answer.cost_moved];
  const perYear = answer.saving_per_year;
  const chart = charts.bars({
    title: `${appliance}: hours as read and moved`,
    isTitleHidden: true,
    summary: `Energy of ${appliance} by hour of the day, as it was read and as it would be if moved to the cheapest hours, ${window}.`,
    height: HEIGHT_PX,
    labels: HOURS.map(([, text]) => text),
    series: [{ name: "As read", values: answer.kwh_by_hour_as_read }, { name: "Moved", values: answer.kwh_by_hour_moved }],
  });
  draw(view,
    answer.note && h("p", { class: "note" }, answer.note),
    h("dl", { class: "tiles" },
      tile({ label: "Saving in a year", value: format.money(perYear, currency), notes: [savingNote(answer)] }),
      tile({ label: "Cost as read", value: format.money(asRead, currency), notes: [`${format.count(answer.days, "day")}, ${format.range(answer.start, answer.end)}`] }),
      tile({ label: "Cost when moved", value: format.money(moved, currency), notes: [sentence(window)] })),
    chart.node,
    answer.proved === false && h("p", { class: "muted" }, "This saving can be had; a still higher one may be possible."));
  view.chart = chart;
}

const savingNote = ({ saving_per_year: perYear }) =>
  perYear === null ? "Too few days to tell" : perYear < 0 ? "It would cost more" : perYear === 0 ? "No difference" : null;
