/** The period that the pages show. Counted back from the newest reading: a history that ended in 2010 has a "7 days" too. */

import { addDays, addMonths, dayOf, daysBetween, isDay, monthStart, yearStart } from "./days.js";
import * as format from "./format.js";

/** Presets in the order of the picker. */
export const PRESETS = {
  today: { label: "Day", from: (last) => last },
  "7d": { label: "7 days", from: (last) => addDays(last, -6) },
  "30d": { label: "30 days", from: (last) => addDays(last, -29) },
  month: { label: "Month", from: monthStart, to: (last) => addMonths(last, 1) },
  year: { label: "Year", from: yearStart, to: (last) => addMonths(yearStart(last), 12) },
  all: { label: "All", from: (last, first) => first },
};
export const DEFAULT_PRESET = "30d";

/** First and last day with readings of a site, or null when it has none. */
export const extentOf = (site) => (site?.first && site?.last ? { first: dayOf(site.first), last: dayOf(site.last) } : null);

/**
 * The period of a query string for a site: `{preset, from, to, days, label, params, isNewest, hasEarlier, hasLater}`.
 * `from` is the first day, `to` the day after the last; `params` is what the API takes. null for a site without readings.
 */
export function periodOf(query, site) {
  const extent = extentOf(site);
  if (!extent) return null;
  const [from, to] = [query.get("from"), query.get("to")];
  if (isDay(from) && isDay(to) && from < to) return describe({ preset: null, from, to }, extent);
  const asked = query.get("period");
  const name = asked in PRESETS ? asked : DEFAULT_PRESET;
  const preset = PRESETS[name];
  return describe({
    preset: name,
    from: preset.from(extent.last, extent.first),
    to: preset.to?.(extent.last) ?? addDays(extent.last, 1),
  }, extent);
}

function describe({ preset, from, to }, extent) {
  return {
    preset,
    from,
    to,
    days: daysBetween(from, to),
    label: format.range(from, to),
    params: { from, to },
    isNewest: from <= extent.last && to > extent.last,
    hasEarlier: from > extent.first,
    hasLater: to <= extent.last,
  };
}

/** What stands in the address for a period: the preset's name, or its days. */
export const queryOf = ({ preset, from, to }) =>
  preset ? { period: preset, from: null, to: null } : { period: null, from, to };

/** The period of the same length just before (`steps` -1) or after (+1): whole months stay months, years years. */
export function shifted({ from, to }, steps) {
  const isWholeMonths = from.endsWith("-01") && to.endsWith("-01");
  if (!isWholeMonths) {
    const days = daysBetween(from, to) * steps;
    return { preset: null, from: addDays(from, days), to: addDays(to, days) };
  }
  const months = (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7));
  return { preset: null, from: addMonths(from, months * steps), to: addMonths(to, months * steps) };
}

/** Resolutions that suit a period, finest first, with the one to begin with: `{choices, chosen}`. */
export function resolutionsOf(days) {
  const suits = { raw: days <= 3, hour: days <= 62, day: days >= 3 && days <= 1100, week: days >= 28, month: days >= 90 };
  const choices = Object.keys(suits).filter((name) => suits[name]);
  const chosen = days <= 2 ? "hour" : days <= 100 ? "day" : days <= 800 ? "week" : "month";
  return { choices, chosen };
}

export const RESOLUTION_LABELS = { raw: "Readings", hour: "Hours", day: "Days", week: "Weeks", month: "Months" };
