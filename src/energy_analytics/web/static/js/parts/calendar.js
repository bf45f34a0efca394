/** A year of days: how much of each was read. Colour, pattern and words say the same. */

import { addDays, addMonths, daysBetween, weekdayOf } from "../days.js";
import { h, replace } from "../dom.js";
import * as format from "../format.js";

const WEEKDAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
/** Kinds of day in the order of the legend: what is asked first decides. */
const KINDS = [
  { name: "full", label: "complete", is: (one) => one.complete },
  { name: "part", label: "half or more", is: (one) => one.coverage >= 0.5 },
  { name: "little", label: "less than half", is: (one) => one.coverage > 0 },
  { name: "none", label: "no reading", is: () => true },
];
/** Keys that move from day to day. */
const STEPS = {
  ArrowLeft: (day) => addDays(day, -1),
  ArrowRight: (day) => addDays(day, 1),
  ArrowUp: (day) => addDays(day, -7),
  ArrowDown: (day) => addDays(day, 7),
  PageUp: (day) => addMonths(day, -1),
  PageDown: (day) => addMonths(day, 1),
  Home: (day) => `${day.slice(0, 7)}-01`,
  End: (day) => addDays(addMonths(day, 1), -1),
};

const kindOf = (one) => KINDS.find((kind) => kind.is(one));

function dayWords(day, known) {
  if (!known) return `${format.dayWithWeekday(day)}: outside the history`;
  if (known.complete) return `${format.dayWithWeekday(day)}: complete`;
  return `${format.dayWithWeekday(day)}: ${known.coverage > 0 ? `${format.percent(100 * known.coverage)} read` : "no reading"}`;
}

/** `calendar({year, days, gaps})`: `days` and `gaps` as the API gives them. */
export function calendar({ year, days, gaps }) {
  const known = new Map(days.map((one) => [one.day, one]));
  const readout = h("p", { class: "readout muted" }, "Point at a day, or walk over them with the arrow keys.");
  const show = (day) => replace(readout, dayWords(day, known.get(day)), missingOn(day, gaps));
  const months = Array.from({ length: 12 }, (_, month) => monthGroup(addMonths(`${year}-01-01`, month), known));
  const grid = h("div", { class: "calendar", role: "group", aria: { label: `Days of ${year}` } }, months);
  const dayOfEvent = (event) => event.target.closest?.("[data-day]")?.dataset.day;
  grid.addEventListener("pointerover", (event) => { if (dayOfEvent(event)) show(dayOfEvent(event)); });
  grid.addEventListener("focusin", (event) => show(dayOfEvent(event)));
  grid.addEventListener("keydown", (event) => walk(event, grid));
  const first = grid.querySelector("[data-kind]:not([data-kind=outside])") ?? grid.querySelector("[data-day]");
  first.tabIndex = 0;
  return h("div", { class: "stack" }, summaryOf(year, days), legend(), grid, readout);
}

function walk(event, grid) {
  const step = STEPS[event.key];
  const from = event.target.dataset.day;
  if (!step || !from || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const next = grid.querySelector(`[data-day="${step(from)}"]`);
  if (!next) return;
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function monthGroup(first, known) {
  const count = daysBetween(first, addMonths(first, 1));
  const days = Array.from({ length: count }, (_, index) => addDays(first, index));
  const inHistory = days.filter((day) => known.has(day));
  const complete = inHistory.filter((day) => known.get(day).complete).length;
  const label = inHistory.length
    ? `${format.month(first)}: ${complete} of ${format.count(inHistory.length, "day")} complete`
    : `${format.month(first)}: outside the history`;
  const offset = (weekdayOf(first) + 6) % 7; // Monday first
  return h("div", { class: "month", role: "group", aria: { label } },
    h("p", { class: "month-name", aria: { hidden: "true" } }, format.month(first).slice(0, 3)),
    h("div", { class: "month-days" },
      WEEKDAYS.map((name) => h("span", { class: "weekday", aria: { hidden: "true" } }, name)),
      days.map((day, index) => dayCell(day, known.get(day), index === 0 ? offset + 1 : null))));
}

const dayCell = (day, known, column) => h("button", {
  type: "button", class: "day", tabindex: -1, dataset: { day, kind: known ? kindOf(known).name : "outside" },
  aria: { label: dayWords(day, known) }, style: column ? { "grid-column-start": column } : {},
});

function missingOn(day, gaps) {
  const next = addDays(day, 1);
  const names = [...new Set(gaps.filter((gap) => gap.start < `${next}T` && gap.end > `${day}T00:00:00`).map((gap) => gap.appliance))];
  return names.length ? `. Readings missing: ${names.join(", ")}.` : ".";
}

function summaryOf(year, days) {
  if (!days.length) return h("p", {}, `No readings in ${year}.`);
  const counts = KINDS.map((kind) => [kind.label, days.filter((one) => kindOf(one) === kind).length]);
  const others = counts.slice(1).filter(([, count]) => count).map(([label, count]) => `${format.number(count)} with ${label === "no reading" ? label : `${label} read`}`);
  return h("p", { role: "status" }, `${year}: ${format.number(counts[0][1])} of ${format.count(days.length, "day")} complete`, others.length ? `, ${others.join(", ")}.` : ".");
}

const legend = () => h("ul", { class: "calendar-legend" }, [...KINDS, { name: "outside", label: "outside the history" }].map(({ name, label }) =>
  h("li", {}, h("span", { class: "day", dataset: { kind: name }, aria: { hidden: "true" } }), label)));
