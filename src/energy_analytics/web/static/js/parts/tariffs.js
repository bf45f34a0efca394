/** The site's own readings at other tariffs: those that are set, and any that a file brings. */

import { h, replace } from "../dom.js";
import * as format from "../format.js";
import { table } from "../table.js";
import { announce, badge, emptyState, errorState } from "../ui.js";
import { dropZone } from "./drop-zone.js";

const LARGEST_BYTES = 64 * 1024;

/** `{node, show(comparison), fail(error, retry)}`. */
export function tariffs(ctx) {
  const view = { ctx, comparison: null, brought: new Map(), result: h("div", {}), verdict: h("div", { class: "verdict" }) };
  const zone = dropZone({
    text: "Drop a tariff file here to put it on this site’s readings.",
    hint: "A TOML file of at most 64 kB; examples are in config/tariffs. It is compared and not kept.",
    button: "Choose a tariff file",
    accept: ".toml",
    onFiles: ([file]) => compare(view, file),
  });
  return {
    node: h("div", { class: "stack" }, view.result, zone, view.verdict),
    show: (comparison) => {
      view.comparison = comparison;
      draw(view);
    },
    fail: (error, retry) => replace(view.result, errorState(error, retry)),
  };
}

async function compare(view, file) {
  if (file.size > LARGEST_BYTES) {
    replace(view.verdict, refusal(file, { message: `It has ${format.bytes(file.size)}; a tariff file has at most 64 kB.` }));
    return;
  }
  replace(view.verdict, h("p", { class: "muted", role: "status" }, `Comparing ${file.name} …`));
  try {
    const { ctx } = view;
    const known = new Set((view.comparison?.tariffs ?? []).map((one) => one.name));
    const comparison = await ctx.api.send("POST", "/tariffs", { site: ctx.site.site }, await file.text(),
      { signal: ctx.signal, headers: { "Content-Type": "application/toml" } });
    for (const one of comparison.tariffs) if (!known.has(one.name)) view.brought.set(one.name, one);
    view.comparison = comparison;
    draw(view);
    replace(view.verdict);
    announce(`${file.name} is compared.`);
  } catch (error) {
    replace(view.verdict, refusal(file, error));
  }
}

const refusal = (file, error) => errorState({ message: `${file.name} was not compared. ${error.message}` });

function draw(view) {
  const { comparison, brought } = view;
  const names = new Set(comparison.tariffs.map((one) => one.name));
  const rows = [...comparison.tariffs, ...[...brought.values()].filter((one) => !names.has(one.name))];
  if (!rows.length) {
    replace(view.result, emptyState({
      title: "No other tariff is set.",
      text: "Name tariff files as compare_tariffs in energy.toml, or bring one here.",
    }));
    return;
  }
  const { currency } = comparison;
  const days = format.range(comparison.start, comparison.end);
  const best = rows.filter((one) => !one.is_current && one.saving > 0).toSorted((a, b) => b.saving - a.saving)[0];
  replace(view.result,
    h("p", {}, best
      ? `${best.name} would have cost ${format.money(best.saving, currency)} less.`
      : "None of them would have cost less than the present one.",
    h("span", { class: "muted" }, ` All are put on the readings of ${days}.`)),
    tariffTable(rows, currency, brought));
}

const tariffTable = (rows, currency, brought) => table({
  caption: "Tariffs on this site’s readings",
  sort: { key: "total", descending: false },
  rows,
  columns: [
    {
      key: "name", label: "Tariff", isRowHeader: true, isName: true,
      cell: (row) => h("span", {}, row.name, " ", row.is_current && badge("present", "good"), brought.has(row.name) && badge("brought")),
    },
    { key: "total", label: "Bill", isNumeric: true, cell: (row) => format.money(row.total, currency) },
    {
      key: "saving", label: "Against the present one", isNumeric: true,
      cell: (row) => (row.is_current ? format.UNKNOWN : `${format.money(Math.abs(row.saving), currency)} ${row.saving < 0 ? "more" : "less"}${row.saving_percent === null ? "" : ` (${format.percent(Math.abs(row.saving_percent))})`}`),
    },
    { key: "source", label: "Prices", isSortable: false, cell: (row) => h("span", { class: "muted" }, row.source) },
  ],
});
