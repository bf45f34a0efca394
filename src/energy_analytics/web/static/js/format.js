/** Numbers in the browser's format; days and times in one unambiguous form, always the site's wall time. */

import { addDays, daysBetween, wallTime, weekdayOf } from "./days.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MINUS = "\u2212";
/** What stands where a number is not known. */
export const UNKNOWN = "\u2013";

const formats = new Map();

function numberFormat(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(undefined, options));
  return formats.get(key);
}

const isUnknown = (value) => value === null || value === undefined || Number.isNaN(value);

/** A number with at most `digits` decimals. */
export const number = (value, digits = 0) =>
  isUnknown(value) ? UNKNOWN : numberFormat({ maximumFractionDigits: digits }).format(value);

/** A number with three significant digits, whole from 100 on. */
export const rounded = (value) =>
  isUnknown(value) ? UNKNOWN
    : Math.abs(value) >= 100 ? number(value)
      : numberFormat({ maximumSignificantDigits: 3 }).format(value);

/** Energy in the unit that suits it: `340 Wh`, `12.3 kWh`, `37.2 MWh`, `15.8 GWh`. */
export function energy(kwh) {
  if (isUnknown(kwh)) return UNKNOWN;
  const size = Math.abs(kwh);
  if (size >= 10_000_000) return `${rounded(kwh / 1e6)} GWh`;
  if (size >= 10_000) return `${rounded(kwh / 1000)} MWh`;
  return size > 0 && size < 1 ? `${number(kwh * 1000, size < 0.01 ? 1 : 0)} Wh` : `${rounded(kwh)} kWh`;
}

/** More or less energy than something else, with its sign: `+6.2 kWh`. */
export const energyChange = (kwh) => (isUnknown(kwh) ? UNKNOWN : `${kwh > 0 ? "+" : kwh < 0 ? MINUS : ""}${energy(Math.abs(kwh))}`);

/** Money with its currency; a currency that Intl does not know stands after the number. */
export function money(amount, currency) {
  if (isUnknown(amount)) return UNKNOWN;
  const digits = Math.abs(amount) >= 1000 ? 0 : 2;
  try {
    return numberFormat({ style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(amount);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    return [number(amount, 2), currency].filter(Boolean).join(" ");
  }
}

/** Carbon dioxide: `12.3 kg`, `1.35 t`. */
export const carbon = (kg) =>
  isUnknown(kg) ? UNKNOWN : Math.abs(kg) >= 1000 ? `${rounded(kg / 1000)} t` : `${rounded(kg)} kg`;

/** A share as it is: `12.3 %`. */
export const percent = (value) => (isUnknown(value) ? UNKNOWN : `${number(value, Math.abs(value) < 10 ? 1 : 0)} %`);

/** A change with its sign: `+12 %`. */
export const change = (value) =>
  isUnknown(value) ? UNKNOWN : `${value > 0 ? "+" : value < 0 ? MINUS : "\u00b1"}${percent(Math.abs(value))}`;

/** `23 Nov 2026`. */
export function day(text) {
  if (!text) return UNKNOWN;
  return `${Number(text.slice(8, 10))} ${MONTHS[Number(text.slice(5, 7)) - 1]} ${text.slice(0, 4)}`;
}

/** `Mon 23 Nov 2026`. */
export const dayWithWeekday = (text) => (text ? `${WEEKDAYS[weekdayOf(text)]} ${day(text)}` : UNKNOWN);

/** `Nov 2026`. */
export const month = (text) => (text ? `${MONTHS[Number(text.slice(5, 7)) - 1]} ${text.slice(0, 4)}` : UNKNOWN);

/** `23 Nov 2026, 14:30`: the site's clock, whatever zone the browser is in. */
export const time = (timestamp) => (timestamp ? `${day(timestamp)}, ${wallTime(timestamp).slice(11, 16)}` : UNKNOWN);

/** `14:30`. */
export const clock = (timestamp) => (timestamp ? wallTime(timestamp).slice(11, 16) : UNKNOWN);

/** `21:00\u201322:00` for hour 21. */
export const hour = (value) =>
  isUnknown(value) ? UNKNOWN : `${String(value).padStart(2, "0")}:00\u2013${String((value + 1) % 24).padStart(2, "0")}:00`;

/** Days `from` to `to` (`to` not counted): `3\u20139 Nov 2026`, `28 Oct \u2013 26 Nov 2026`, `Nov 2026`, `2026`. */
export function range(from, to) {
  if (!from || !to) return UNKNOWN;
  const [first, last] = [from.slice(0, 10), addDays(to, -1)];
  if (first >= last) return dayWithWeekday(first);
  const sameYear = first.slice(0, 4) === last.slice(0, 4);
  const untilEnd = to.slice(8, 10) === "01" && first.slice(8, 10) === "01";
  if (untilEnd && first.slice(5, 7) === "01" && daysBetween(first, to) > 364 && to.slice(5, 7) === "01") {
    return sameYear ? first.slice(0, 4) : `${first.slice(0, 4)}\u2013${last.slice(0, 4)}`;
  }
  if (untilEnd && first.slice(0, 7) === last.slice(0, 7)) return month(first);
  if (first.slice(0, 7) === last.slice(0, 7)) return `${Number(first.slice(8))}\u2013${day(last)}`;
  return `${sameYear ? day(first).slice(0, -5) : day(first)} \u2013 ${day(last)}`;
}

/** `3 days`, `1 day`. */
export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

/** `1.2 MB`. */
export function bytes(size) {
  if (isUnknown(size)) return UNKNOWN;
  const unit = size >= 1e9 ? 3 : size >= 1e6 ? 2 : size >= 1e3 ? 1 : 0;
  return `${rounded(size / 1000 ** unit)} ${["bytes", "kB", "MB", "GB"][unit]}`;
}
