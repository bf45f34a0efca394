/** Which days were read: the calendar of a year, and the list of its gaps. */

import { h } from "../dom.js";
import * as format from "../format.js";
import { table } from "../table.js";
import { emptyState, isAborted, section } from "../ui.js";
import { calendar } from "./calendar.js";
import { choice } from "./controls.js";

/** `{node, load(signal)}`. */
export function coverage(ctx) {
  const view = { ctx, year: null, actions: h("div", {}), choice: null };
  view.part = section({ title: "Days read", minHeightPx: 400, actions: view.actions });
  return { node: view.part.node, load: (signal) => load(view, signal) };
}

function yearsOf({ first, last }) {
  const [from, to] = [first, last].map((day) => Number(day.slice(0, 4)));
  return Array.from({ length: to - from + 1 }, (_, index) => String(to - index));
}

async function load(view, signal) {
  const { site } = view.ctx;
  if (!site.first) {
    view.part.show(emptyState({ title: "No readings yet." }));
    return;
  }
  drawYears(view, yearsOf(site));
  const { year } = view;
  view.part.node.setAttribute("aria-busy", "true");
  try {
    const answer = await view.ctx.api.get("/coverage", { site: site.site, from: `${year}-01-01`, to: `${Number(year) + 1}-01-01` }, { signal });
    if (view.year === year) view.part.show(calendar({ year, ...answer }), gapList(year, answer.gaps));
  } catch (error) {
    if (isAborted(error)) throw error;
    view.part.fail(error, () => load(view, view.ctx.signal));
  }
}

function drawYears(view, years) {
  if (!years.includes(view.year)) [view.year] = years;
  if (view.actions.textContent === `Year${years.join("")}`) return;
  view.actions.replaceChildren(choice({
    label: "Year",
    choices: years.map((year) => [year, year]),
    chosen: view.year,
    onChoose: (year) => {
      view.year = year;
      load(view, view.ctx.signal);
    },
  }));
}

function gapList(year, gaps) {
  if (!gaps.length) return h("p", {}, `No gap in ${year}.`);
  const node = h("details", {}, h("summary", {}, `List of ${format.count(gaps.length, "gap")} in ${year}`));
  node.addEventListener("toggle", () => {
    if (node.open && node.children.length === 1) node.append(gapTable(gaps));
  });
  return node;
}

const gapTable = (gaps) => table({
  caption: "Gaps",
  isCompact: true,
  sort: { key: "missing_intervals", descending: true },
  rows: gaps,
  columns: [
    { key: "appliance", label: "Appliance", isRowHeader: true, isName: true },
    { key: "start", label: "From", cell: (row) => format.time(row.start) },
    { key: "end", label: "To", cell: (row) => format.time(row.end) },
    { key: "missing_intervals", label: "Readings missing", isNumeric: true, cell: (row) => format.number(row.missing_intervals) },
  ],
});
