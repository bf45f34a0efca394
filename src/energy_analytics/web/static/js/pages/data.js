/** Data: bringing files and their verdicts, runs, gaps, and everything to take away. */

import { coverage } from "../parts/coverage.js";
import { downloads } from "../parts/downloads.js";
import { keepPage } from "../parts/drop-zone.js";
import { runs } from "../parts/runs.js";
import * as jobs from "../parts/upload-jobs.js";
import { upload } from "../parts/upload.js";
import { page, section } from "../ui.js";

/** Show the page. An empty lake has only the place to bring a file to. */
export async function render(main, ctx) {
  const bring = upload(ctx);
  const parts = {
    bring: section({ title: "Bring files", minHeightPx: 260, class: "no-print" }),
    runs: ctx.site && runs(ctx),
    coverage: ctx.site && coverage(ctx),
    downloads: ctx.site && section({ title: "Take away", minHeightPx: 300, class: "no-print", note: `All of ${ctx.site.name || ctx.site.site || "the root site"}.` }),
  };
  parts.bring.show(bring.node);
  parts.downloads?.show(downloads(ctx));
  page(main, {
    title: "Data",
    lead: ctx.site ? null : "Nothing is here yet. Bring a CSV file of readings, and the other pages fill by themselves.",
  }, [parts.bring, parts.runs, parts.coverage, parts.downloads].filter(Boolean).map((part) => part.node));
  const leave = keepPage();
  ctx.onChange(({ what, signal }) => {
    jobs.lookNow();
    return what === "data" ? load(ctx, parts, signal) : undefined;
  });
  await load(ctx, parts, ctx.signal);
  return () => {
    leave();
    bring.remove();
  };
}

async function load(ctx, parts, signal) {
  if (!ctx.site) return;
  parts.downloads.show(downloads(ctx));
  await Promise.all([parts.runs.load(signal), parts.coverage.load(signal)]);
}
