/** What became of a file: accepted, refused with reasons and lines, or of no use and why. */

import { h } from "../dom.js";
import * as format from "../format.js";
import { table } from "../table.js";
import { badge } from "../ui.js";
import { save } from "./saving.js";

const sumOf = (byReason) => Object.values(byReason ?? {}).reduce((sum, count) => sum + count, 0);

/** `1,200 of 1,203 rows were accepted, 3 were refused.` */
export function sentenceOf({ rows_read: read, rows_accepted: accepted, rejected_by_reason: byReason }) {
  if (read === null || read === undefined) return "";
  const refused = sumOf(byReason);
  return `${format.number(accepted)} of ${format.count(read, "row")} ${accepted === 1 ? "was" : "were"} accepted${refused ? `, ${format.number(refused)} refused` : ""}.`;
}

/** A button that saves all refused rows of a run. */
export const refusedDownload = (api, { stamp, site, text = "Download all refused rows", label = null }) => h("button", {
  type: "button", class: "button small", aria: label ? { label } : {},
  onclick: () => save(() => api.download(`/rejected/${encodeURIComponent(stamp)}`, { site }, `rejected_${stamp}.csv`)),
}, text);

/** Refused rows counted by their reason, the commonest first. */
export const reasons = (byReason) => h("ul", { class: "reasons" }, Object.entries(byReason)
  .toSorted((a, b) => b[1] - a[1])
  .map(([reason, count]) => h("li", {}, h("strong", {}, format.count(count, "row")), `: ${reason}`)));

const firstRefused = (rejected) => table({
  caption: "First refused rows",
  isCompact: true,
  rows: rejected,
  columns: [
    { key: "line_number", label: "Line", isNumeric: true, isSortable: false, cell: (row) => format.number(row.line_number) },
    { key: "raw_text", label: "As it stands in the file", isSortable: false, cell: (row) => h("code", { class: "raw" }, row.raw_text) },
    { key: "reason", label: "Reason", isSortable: false },
  ],
});

/** The verdict on an upload that has been run; `href` gives addresses of pages. */
export function verdict(upload, { api, href }) {
  const refused = sumOf(upload.rejected_by_reason);
  const isGood = upload.state === "succeeded";
  return h("div", { class: "verdict stack" },
    h("p", {}, badge(isGood ? (refused ? "accepted in part" : "accepted") : "not usable", isGood ? (refused ? "warn" : "good") : "bad"), " ",
      isGood ? sentenceOf(upload) : upload.error ?? "The run failed."),
    !isGood && sentenceOf(upload) && h("p", { class: "muted" }, sentenceOf(upload)),
    refused > 0 && reasons(upload.rejected_by_reason),
    isGood && upload.notes?.map((note) => h("p", {}, note)),
    upload.rejected?.length > 0 && h("details", { open: refused <= 5 || !isGood },
      h("summary", {}, refused > upload.rejected.length ? `The first ${upload.rejected.length} refused rows` : "The refused rows"),
      firstRefused(upload.rejected)),
    h("p", { class: "row" },
      isGood && h("a", { class: "button small", href: href("/", { site: upload.site, period: null, from: null, to: null }) }, "See the results"),
      refused > 0 && upload.stamp && refusedDownload(api, upload)));
}
