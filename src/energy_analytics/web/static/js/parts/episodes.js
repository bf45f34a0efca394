/** Episodes in words and in order, and the card of one. */

import { addDays, dayOf } from "../days.js";
import { h, icon } from "../dom.js";
import * as format from "../format.js";
import { badge } from "../ui.js";
import { facts, sentence } from "./controls.js";

const CHEVRON = "M6 9l6 6 6-6";

/** What can be asked for of the status, in the order of the list. */
export const STATUSES = [
  ["standing", "Open and closed"],
  ["open", "Open only"],
  ["closed", "Closed only"],
  ["withdrawn", "Withdrawn only"],
  ["all", "Any"],
];

const STATUS_WORDS = {
  open: { tone: "warn", title: "It reaches the last day that was read" },
  closed: { tone: "neutral", title: "It has ended" },
  withdrawn: { tone: "neutral", title: "Reported earlier; beside what has been read since it is no longer unusual" },
};

const largestFirst = (value) => (a, b) => (value(b) ?? -Infinity) - (value(a) ?? -Infinity);

/** Orders: what is unknown comes last. */
export const ORDERS = {
  cost: { label: "Cost, highest first", compare: largestFirst((one) => one.cost ?? one.excess_kwh) },
  newest: { label: "Newest first", compare: (a, b) => (a.start < b.start ? 1 : -1) },
  oldest: { label: "Oldest first", compare: (a, b) => (a.start < b.start ? -1 : 1) },
  severity: { label: "Severity, highest first", compare: largestFirst((one) => one.severity) },
};

/** Those that the filter lets through, in its order: `{appliance, kind, status, sort, isDismissedShown}`. */
export function chosen(episodes, { appliance, kind, status, sort, isDismissedShown }) {
  const hasStatus = (one) => status === "all" || (status === "standing" ? one.status !== "withdrawn" : one.status === status);
  return episodes
    .filter((one) => (isDismissedShown || !one.dismissed) && hasStatus(one)
      && (!appliance || one.appliance === appliance) && (!kind || one.kind === kind))
    .toSorted(ORDERS[sort].compare);
}

/** `22 Feb 2007, 23:00 – 4 Mar 2007, 17:00`; whole days without their midnights. */
export function when({ start, end }) {
  const isMidnight = (timestamp) => format.clock(timestamp) === "00:00";
  if (isMidnight(start) && isMidnight(end)) return format.range(dayOf(start), dayOf(end));
  if (dayOf(start) === dayOf(end)) return `${format.time(start)} – ${format.clock(end)}`;
  if (isMidnight(end) && dayOf(end) === addDays(dayOf(start), 1)) return `${format.time(start)} – 24:00`;
  return `${format.time(start)} – ${format.time(end)}`;
}

/** What it cost more or less than usual, in words. */
export function costWords(cost, currency) {
  if (cost === null) return format.UNKNOWN;
  return `${format.money(Math.abs(cost), currency)} ${cost < 0 ? "less" : "more"}`;
}

/** What it used more or less than usual. */
export const excessWords = ({ excess_kwh: kwh }) => `${format.energy(Math.abs(kwh))} ${kwh < 0 ? "less" : "more"}`;

function severityWords(severity) {
  return `${format.number(severity, 1)} of 10`;
}

/** The card of an episode: `.open(content)` puts content into it, `.close()` takes it out again. */
export function episodeCard(episode, { currency, onToggle, onDismiss }) {
  const toggle = h("button", { type: "button", class: "episode-toggle", dataset: { control: "toggle" }, aria: { expanded: "false" }, onclick: onToggle },
    h("span", {}, `${episode.appliance}: ${episode.kind}`), icon(CHEVRON));
  const status = STATUS_WORDS[episode.status];
  const dismissal = h("button", {
    type: "button", class: "button small dismissal", dataset: { control: "dismissal" },
    aria: { label: `${episode.dismissed ? "Bring back" : "Dismiss"}: ${episode.appliance}, ${episode.kind}, ${when(episode)}` },
    onclick: onDismiss,
  }, episode.dismissed ? "Bring back" : "Dismiss");
  const detail = h("div", { class: "episode-detail", hidden: true });
  const node = h("li", { class: "card episode", dataset: { id: episode.id, dismissed: String(episode.dismissed) } },
    h("div", { class: "episode-summary" },
      h("div", { class: "episode-head" },
        h("h3", {}, toggle),
        badge(episode.status, status.tone), episode.dismissed && badge("dismissed"), h("span", { class: "visually-hidden" }, status.title)),
      h("p", { class: "muted" }, when(episode)),
      h("p", { class: "episode-reason" }, `${sentence(episode.reason)}.`)),
    dismissal,
    facts([
      ["Used", format.energy(episode.actual_kwh)],
      ["Expected", format.energy(episode.expected_kwh)],
      ["Difference", excessWords(episode)],
      ["Cost", costWords(episode.cost, currency)],
      ["Severity", severityWords(episode.severity)],
    ]),
    detail);
  node.open = (content) => {
    toggle.setAttribute("aria-expanded", "true");
    detail.hidden = false;
    detail.replaceChildren(content);
  };
  node.close = () => {
    toggle.setAttribute("aria-expanded", "false");
    detail.hidden = true;
    detail.replaceChildren();
  };
  return node;
}
