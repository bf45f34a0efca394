/** The bill of the last months: bars, a table, and every line of it. */

import * as charts from "../charts.js";
import { addDays, addMonths, dayOf, daysBetween } from "../days.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { table } from "../table.js";
import { emptyState } from "../ui.js";

const MONTHS_SHOWN = 13;

/** The days that the bill is asked for: the newest month with readings and twelve before it, as far as there are any. */
export function billedDays(site) {
  const [first, last] = [dayOf(site.first), dayOf(site.last)];
  const from = addMonths(last, 1 - MONTHS_SHOWN);
  return { from: from < first ? first : from, to: addDays(last, 1) };
}

/** Whether a month lies in the bill from its first day to its last. */
const isWhole = ({ month }, { start, end }) => start <= `${month}-01` && end >= addMonths(`${month}-01`, 1);

/** `{node, remove()}` for a bill as the API gives it. */
export function billParts(bill) {
  const { currency } = bill;
  const months = bill.months.map((one) => ({ ...one, kwh: Number(one.kwh), total: Number(one.total), isWhole: isWhole(one, bill) }));
  if (!months.length) {
    return { node: emptyState({ title: "There is nothing to bill yet." }), remove: () => {} };
  }
  const chart = charts.bars({
    title: "Bill by month",
    isTitleHidden: true,
    summary: `${format.money(Number(bill.total), currency)} for ${format.count(daysBetween(bill.start, bill.end), "day")}, ${format.range(bill.start, bill.end)}, at ${bill.tariff}.`,
    height: 240,
    labels: months.map((one) => format.month(one.month)),
    series: [{ name: "Bill", values: months.map((one) => one.total) }],
    unit: currency,
  });
  const node = h("div", { class: "stack" },
    chart.node,
    h("details", {}, h("summary", {}, "All months and their lines"), monthTable(months, currency), lineTable(months, currency)),
    h("ul", { class: "notes muted" }, notesOf(bill).map((note) => h("li", {}, note))));
  return { node, remove: chart.remove };
}

function notesOf(bill) {
  return [
    bill.source && `Prices: ${bill.source}.`,
    bill.days_without_readings && `${format.count(bill.days_without_readings, "day")} without readings: energy used on them is not in the bill.`,
    ...bill.assumptions,
  ].filter(Boolean);
}

const monthTable = (months, currency) => table({
  caption: "Bill by month",
  isCompact: true,
  rows: months.toReversed(),
  columns: [
    { key: "month", label: "Month", isRowHeader: true, cell: (row) => `${format.month(row.month)}${row.isWhole ? "" : " (in part)"}` },
    { key: "kwh", label: "Energy", isNumeric: true, cell: (row) => format.energy(row.kwh) },
    { key: "total", label: "Bill", isNumeric: true, cell: (row) => format.money(row.total, currency) },
  ],
});

const lineTable = (months, currency) => table({
  caption: "Lines of the bill",
  isCompact: true,
  rows: months.toReversed().flatMap(({ month, lines }) => lines.map((line) => ({ ...line, month }))),
  columns: [
    { key: "month", label: "Month", isRowHeader: true, cell: (row) => format.month(row.month) },
    { key: "first", label: "Days", cell: (row) => format.range(row.first, row.end) },
    { key: "what", label: "What" },
    { key: "quantity", label: "Quantity", isNumeric: true, value: (row) => Number(row.quantity), cell: (row) => `${format.number(Number(row.quantity), 2)} ${row.unit}` },
    { key: "unit_price", label: "Price", isNumeric: true, value: (row) => Number(row.unit_price), cell: (row) => format.number(Number(row.unit_price), 5) },
    { key: "amount", label: "Amount", isNumeric: true, value: (row) => Number(row.amount), cell: (row) => format.money(Number(row.amount), currency) },
  ],
});
