/** The figures at the head of a page, with what they are compared to and what they assume. */

import { h } from "../dom.js";
import * as format from "../format.js";
import { tile } from "../ui.js";

const SMALL_PERCENT = 0.5;

/** `\u25b2 12 % more a day than before`: an arrow and words, never colour alone. */
function comparison(other, than) {
  if (!other || other.change_percent === null) return null;
  const { change_percent: change } = other;
  const [arrow, word] = Math.abs(change) < SMALL_PERCENT ? ["=", "as much"] : change > 0 ? ["\u25b2", "more"] : ["\u25bc", "less"];
  const amount = word === "as much" ? "" : `${format.percent(Math.abs(change))} `;
  return [
    h("span", { class: "change" }, h("span", { aria: { hidden: "true" } }, `${arrow} `), `${amount}${word}`),
    ` a day ${word === "as much" ? "as" : "than"} ${than}`,
  ];
}

const spanOf = ({ from, to }) => format.range(from.slice(0, 10), to.slice(0, 10));

const was = (other, name, show) => (other && other[name] !== null ? show(other[name]) : null);

/** The period before, unless it is the one a year ago. */
const nearer = ({ before, year_ago: yearAgo }) => (before && before.from === yearAgo?.from && before.to === yearAgo.to ? null : before);

/** Total, cost, carbon and peak of an overview, as tiles. */
export function tiles(overview) {
  const { total, peak, year_ago: yearAgo, money, carbon, period } = overview;
  const before = nearer(overview);
  const currency = money?.currency;
  const cost = (other) => was(other, "cost", (value) => format.money(value, currency));
  const kilograms = (other) => was(other, "carbon_kg", format.carbon);
  const days = period.complete_days === period.days ? null : `${format.number(period.complete_days)} of ${format.count(period.days, "day")} complete`;
  return h("dl", { class: "tiles" },
    tile({
      label: "Energy", value: format.energy(total.kwh),
      notes: [comparison(before, "before"), comparison(yearAgo, "a year ago"), days],
    }),
    tile({
      label: money?.is_default ? "Cost, at an assumed price" : "Cost", value: format.money(total.cost, currency),
      notes: [
        total.cost === null ? money?.unpriced ?? "Not known for these results" : null,
        cost(before) && `Before: ${cost(before)}`, cost(yearAgo) && `A year ago: ${cost(yearAgo)}`,
      ],
    }),
    tile({
      label: carbon?.is_default ? "CO\u2082, at an assumed factor" : "CO\u2082", value: format.carbon(total.carbon_kg),
      notes: [kilograms(before) && `Before: ${kilograms(before)}`, kilograms(yearAgo) && `A year ago: ${kilograms(yearAgo)}`],
    }),
    tile({
      label: "Highest hour", value: peak ? format.energy(peak.kwh) : format.UNKNOWN,
      notes: [peak && format.dayWithWeekday(peak.start), peak && format.hour(Number(format.clock(peak.start).slice(0, 2)))],
    }));
}

/** The tariff or factor in words; its terms often name it already. */
const named = (name, terms) => (terms?.includes(name) ? terms : [name, terms].filter(Boolean).join(", "));

/** Price and carbon factor, and whether they are only assumed. */
export const rates = (money, carbon) => [
  money && `${money.is_default ? "Assumed price" : "Price"}: ${named(money.tariff, money.terms)}`,
  carbon && `${carbon.is_default ? "Assumed carbon factor" : "Carbon factor"}: ${named(carbon.name, carbon.terms)}`,
].filter(Boolean);

/** What the amounts rest on and are compared with, named where they stand. */
export function assumptions(overview) {
  const { money, carbon, year_ago: yearAgo } = overview;
  const before = nearer(overview);
  const lines = [
    ...rates(money, carbon),
    before && `Before: ${spanOf(before)}`,
    yearAgo && `A year ago: ${spanOf(yearAgo)}`,
  ].filter(Boolean);
  return lines.length > 0 && h("p", { class: "assumptions" }, `${lines.join(". ")}.`);
}
