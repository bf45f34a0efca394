/** All appliances of a site, sortable. */

import { h, replace, uniqueId } from "../dom.js";
import * as format from "../format.js";
import { markOf } from "../plot.js";
import { table } from "../table.js";
import { emptyLake, emptyState, isAborted, page, section } from "../ui.js";
import { rates } from "./figures.js";

const FILTER_FROM = 12; // so many appliances and more get a field to find one

export async function render(main, ctx) {
  if (!ctx.site || !ctx.period) return void page(main, { title: "Appliances" }, emptyLake(ctx));
  const filter = filterField(() => view.table?.update(wanted()));
  const part = section({ title: "Use and cost", minHeightPx: 200, actions: filter.node });
  const lead = h("p", { class: "lead" });
  const assumed = h("p", { class: "muted assumed" });
  page(main, { title: "Appliances" }, part.node);
  main.querySelector("h1").after(lead);
  const view = { table: null, rows: [] };
  const wanted = () => view.rows.filter(({ appliance }) => appliance.toLowerCase().includes(filter.text()));

  const refresh = async ({ signal, what }) => {
    if (what === "uploads") return;
    lead.textContent = `${ctx.period.label}, ${format.count(ctx.period.days, "day")}`;
    part.wait();
    try {
      const { rows, money, carbon } = await load(ctx, signal);
      view.rows = rows;
      filter.node.hidden = rows.length < FILTER_FROM;
      replace(assumed, `${rates(money, carbon).join(". ")}.`);
      if (view.table?.isConnected) {
        part.node.removeAttribute("aria-busy");
        view.table.update(wanted());
      } else if (rows.length) {
        view.table = applianceTable(wanted(), money, ctx);
        part.show(view.table, assumed);
      } else {
        part.show(emptyState({ title: "No readings in this period.", text: "Choose another period above." }));
      }
    } catch (error) {
      if (!isAborted(error)) part.fail(error, () => refresh({ signal: ctx.signal }));
    }
  };
  ctx.onChange(refresh);
  return void (await refresh({ signal: ctx.signal }));
}

async function load({ api, site, period }, signal) {
  const query = { site: site.site, ...period.params };
  const [aggregates, { episodes }, overview] = await Promise.all([
    api.get("/aggregates", { ...query, by: "appliance" }, { signal }),
    api.get("/episodes", query, { signal }),
    api.get("/overview", query, { signal }),
  ]);
  const counts = new Map();
  for (const { appliance } of episodes) counts.set(appliance, (counts.get(appliance) ?? 0) + 1);
  const rows = aggregates.rows.map((row) => ({ ...row, episodes: counts.get(row.appliance) ?? 0 }));
  return { rows, money: overview.money, carbon: overview.carbon };
}

function filterField(onInput) {
  const id = uniqueId("filter");
  const field = h("input", { type: "search", id, placeholder: "Find an appliance", oninput: onInput, class: "filter" });
  const node = h("div", { class: "no-print", hidden: true }, h("label", { for: id, class: "visually-hidden" }, "Find an appliance"), field);
  return { node, text: () => field.value.trim().toLowerCase() };
}

function applianceTable(rows, money, ctx) {
  const currency = money?.currency;
  const link = ({ appliance }) => [
    h("span", { class: "chip", style: { "--mark": markOf(appliance) }, aria: { hidden: "true" } }),
    h("a", { href: ctx.href(`/appliances/${encodeURIComponent(appliance)}`) }, appliance),
  ];
  const episodesOf = ({ appliance, episodes }) =>
    episodes ? h("a", { href: ctx.href("/anomalies", { appliance }) }, format.number(episodes)) : "0";
  return table({
    caption: "Use, cost and carbon of each appliance",
    sort: { key: "total_kwh", descending: true },
    rows,
    columns: [
      { key: "appliance", label: "Appliance", isRowHeader: true, isName: true, cell: link },
      { key: "total_kwh", label: "kWh", isNumeric: true, cell: (row) => format.number(row.total_kwh, row.total_kwh < 100 ? 1 : 0) },
      { key: "share_percent", label: "Share", isNumeric: true, cell: (row) => format.percent(row.share_percent) },
      { key: "cost", label: "Cost", isNumeric: true, cell: (row) => format.money(row.cost, currency) },
      { key: "carbon_kg", label: "CO\u2082", isNumeric: true, cell: (row) => format.carbon(row.carbon_kg) },
      { key: "peak_hour", label: "Peak hour", isNumeric: true, cell: (row) => format.hour(row.peak_hour) },
      { key: "episodes", label: "Anomalies", isNumeric: true, cell: episodesOf },
    ],
  });
}
