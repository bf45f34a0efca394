/** The report of a run: read here in a dialog, or saved as a file. */

import { h, replace } from "../dom.js";
import { errorState, isAborted, modal, skeleton } from "../ui.js";
import { save } from "./saving.js";

/** Save the report as `html` or `text`. */
export const downloadReport = ({ api, site }, { stamp, format }) =>
  save(() => api.download("/report", { site: site.site, stamp, format }, `energy_report_${stamp}.${format === "html" ? "html" : "txt"}`));

/** Open the report of a run in a dialog. Its page runs no script and cannot reach this one. */
export function openReport(ctx, stamp) {
  const body = h("div", { class: "report-body" }, skeleton(400));
  const saver = (format, text) => h("button", { type: "button", class: "button small", onclick: () => downloadReport(ctx, { stamp, format }) }, text);
  const dialog = modal({
    title: "Report",
    content: h("div", { class: "stack" }, h("div", { class: "row" }, saver("html", "Download as HTML"), saver("text", "Download as text")), body),
  });
  dialog.classList.add("dialog-wide");
  const stop = new AbortController();
  dialog.addEventListener("close", () => stop.abort());
  fill(ctx, stamp, body, stop.signal);
}

async function fill(ctx, stamp, body, signal) {
  try {
    const response = await ctx.api.request(ctx.api.address("/report", { site: ctx.site.site, stamp, format: "html" }), { signal });
    const html = await response.text();
    replace(body, h("iframe", { class: "report-frame", title: "Report", sandbox: "", srcdoc: html }));
  } catch (error) {
    if (!isAborted(error)) replace(body, errorState(error, () => fill(ctx, stamp, body, signal)));
  }
}
