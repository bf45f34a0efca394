/** The runs of a site: what was brought when, and what became of it. */

import { h } from "../dom.js";
import * as format from "../format.js";
import { table } from "../table.js";
import { badge, emptyState, isAborted, section } from "../ui.js";
import { openReport } from "./report.js";
import { reasons, refusedDownload } from "./verdict.js";

const RUNS_AT_A_TIME = 20;
const TONES = { succeeded: "good", failed: "bad" };
const fileOf = (key) => key.split("/").at(-1);
const refusedOf = (run) => Object.values(run.rejected_by_reason ?? {}).reduce((sum, count) => sum + count, 0);

/** `{node, load(signal)}`. */
export function runs(ctx) {
  const part = section({ title: "Runs", minHeightPx: 96, note: "The newest first. A run analyses the whole history of the site." });
  return { node: part.node, load: (signal) => load({ ctx, part }, signal) };
}

async function load({ ctx, part }, signal) {
  try {
    const first = await ask(ctx, null, signal);
    if (first.runs.length) show({ ctx, part, rows: first.runs, cursor: first.next_cursor });
    else part.show(emptyState({ title: "No run yet.", text: "Bring a file above, and its run shows here." }));
  } catch (error) {
    if (isAborted(error)) throw error;
    part.fail(error, () => load({ ctx, part }, ctx.signal));
  }
}

const ask = (ctx, cursor, signal) => ctx.api.get("/runs", { site: ctx.site.site, limit: RUNS_AT_A_TIME, cursor }, { signal });

function show({ ctx, part, rows, cursor }) {
  const more = async (event) => {
    event.target.disabled = true;
    try {
      const next = await ask(ctx, cursor, ctx.signal);
      show({ ctx, part, rows: [...rows, ...next.runs], cursor: next.next_cursor });
    } catch (error) {
      if (!isAborted(error)) part.fail(error, () => load({ ctx, part }, ctx.signal));
    }
  };
  part.show(runTable(ctx, rows), cursor && h("p", { class: "row" }, h("button", { type: "button", class: "button", onclick: more }, "Show older runs")));
}

const runTable = (ctx, rows) => table({
  caption: "Runs of the site, the newest first",
  rows,
  columns: [
    {
      key: "key", label: "File", isRowHeader: true, isSortable: false,
      cell: (row) => h("span", { class: "file-name" }, fileOf(row.key), " ", badge(row.status, TONES[row.status])),
    },
    { key: "uploaded_at", label: "Brought", isSortable: false, cell: (row) => format.time(row.uploaded_at) },
    { key: "size_bytes", label: "Size", isNumeric: true, isSortable: false, cell: (row) => format.bytes(row.size_bytes) },
    { key: "rows_accepted", label: "Rows accepted", isNumeric: true, isSortable: false, cell: (row) => format.number(row.rows_accepted) },
    { key: "result", label: "Refused", isSortable: false, cell: resultOf },
    { key: "actions", label: "Report and rows", isSortable: false, cell: (row) => actionsOf(ctx, row) },
  ],
});

function resultOf(row) {
  if (row.error) return h("span", { class: "run-error" }, row.error);
  return refusedOf(row) ? reasons(row.rejected_by_reason) : "none";
}

function actionsOf(ctx, row) {
  return h("div", { class: "row tight" },
    row.status === "succeeded" && h("button", {
      type: "button", class: "button small", aria: { label: `Report of ${fileOf(row.key)}, ${format.time(row.uploaded_at)}` },
      onclick: () => openReport(ctx, row.stamp),
    }, "Report"),
    refusedOf(row) > 0 && refusedDownload(ctx.api, {
      stamp: row.stamp, site: ctx.site.site, text: "Refused rows",
      label: `Download the refused rows of ${fileOf(row.key)}, ${format.time(row.uploaded_at)}`,
    }));
}
