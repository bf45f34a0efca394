/** Days as text, `YYYY-MM-DD`, reckoned in UTC so that no browser's zone can move them. */

const DAY_MS = 86_400_000;

const at = (day) => Date.parse(`${day.slice(0, 10)}T00:00:00Z`);
const text = (ms) => new Date(ms).toISOString().slice(0, 10);

/** The day of a timestamp as its site's clock shows it. */
export const dayOf = (timestamp) => timestamp.slice(0, 10);

/** A timestamp's wall time at the site, without offset: `YYYY-MM-DDTHH:MM:SS`. */
export const wallTime = (timestamp) => (timestamp.length === 10 ? `${timestamp}T00:00:00` : timestamp.slice(0, 19));

export const addDays = (day, count) => text(at(day) + count * DAY_MS);

/** Days from `from` to `to`, `to` not counted. */
export const daysBetween = (from, to) => Math.round((at(to) - at(from)) / DAY_MS);

/** 0 (Sunday) to 6. */
export const weekdayOf = (day) => new Date(at(day)).getUTCDay();

export const monthStart = (day) => `${day.slice(0, 7)}-01`;

export const yearStart = (day) => `${day.slice(0, 4)}-01-01`;

/** The first of the month `count` months from the month of `day`. */
export function addMonths(day, count) {
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + count;
  return `${String(Math.floor(months / 12)).padStart(4, "0")}-${String((months % 12) + 1).padStart(2, "0")}-01`;
}

/** Whether `text` is a day of the calendar. */
export const isDay = (text_) => /^\d{4}-\d{2}-\d{2}$/.test(text_ ?? "") && !Number.isNaN(at(text_)) && text(at(text_)) === text_;
