/** Everything of a site as files: tables and readings as CSV or Parquet, the newest report. */

import { h } from "../dom.js";
import { table } from "../table.js";
import { emptyState } from "../ui.js";
import { downloadReport, openReport } from "./report.js";
import { save } from "./saving.js";

const TABLES = [
  ["readings", "Readings", "every accepted reading"],
  ["hourly", "Hours", "energy of each appliance by hour"],
  ["daily", "Days", "energy, cost and coverage of each appliance by day"],
  ["processed", "Totals", "total, mean, deviation and peak hour by appliance"],
  ["episodes", "Episodes", "times of unusual use, with reasons"],
  ["anomalies", "High readings", "single readings far above the mean"],
  ["forecast", "Forecast", "the site’s next seven days with their range"],
  ["appliance_forecast", "Forecast by appliance", "the same for each appliance"],
  ["decomposition", "Trend and season", "level, weekly and yearly share of each day"],
];
const FORMATS = { csv: "CSV", parquet: "Parquet" };

/** What can be saved of the site. */
export const downloads = (ctx) => (ctx.site.newest_run ? files(ctx) : emptyState({ title: "Nothing to download yet.", text: "A run that succeeds makes the tables and the report." }));

const files = (ctx) => h("div", { class: "stack" },
  table({
    caption: "Downloads",
    rows: TABLES.map(([key, name, what]) => ({ key, name, what })),
    columns: [
      {
        key: "name", label: "Table", isRowHeader: true, isSortable: false,
        cell: (row) => h("span", {}, row.name, h("span", { class: "muted under" }, row.what)),
      },
      { key: "files", label: "Save as", isSortable: false, cell: (row) => h("div", { class: "row tight" }, Object.keys(FORMATS).map((format) => saveButton(ctx, row, format))) },
    ],
  }),
  reportRow(ctx));

const saveButton = (ctx, { key, name }, format) => h("button", {
  type: "button", class: "button small", aria: { label: `${name} as ${FORMATS[format]}` },
  onclick: () => save(() => ctx.api.download(`/tables/${key}`, { site: ctx.site.site, format }, `${[ctx.site.site, key].filter(Boolean).join("_").replaceAll("/", "_")}.${format}`)),
}, FORMATS[format]);

function reportRow(ctx) {
  const { stamp } = ctx.site.newest_run;
  const one = (text, onclick) => h("button", { type: "button", class: "button", onclick }, text);
  return h("div", {},
    h("h3", {}, "Newest report"),
    h("div", { class: "row" },
      one("Open", () => openReport(ctx, stamp)),
      one("Download as HTML", () => downloadReport(ctx, { stamp, format: "html" })),
      one("Download as text", () => downloadReport(ctx, { stamp, format: "text" }))));
}
