/** Savings: what is worth doing, what the bill was, what other tariffs and other hours would make of it. */

import { auditor } from "../parts/auditor.js";
import { billedDays, billParts } from "../parts/bill.js";
import { findingLists } from "../parts/finding-lists.js";
import { onlyNews } from "../parts/news.js";
import { tariffs } from "../parts/tariffs.js";
import { whatIf } from "../parts/what-if.js";
import { emptyLake, isAborted, page, section } from "../ui.js";

/** Show the page. */
export async function render(main, ctx) {
  if (!ctx.period) return void page(main, { title: "Savings" }, emptyLake(ctx));
  const view = {
    ctx,
    bill: null,
    fresh: { findings: onlyNews(), bill: onlyNews(), tariffs: onlyNews() },
    lists: findingLists(ctx),
    tariffs: tariffs(ctx),
    whatIf: whatIf(ctx),
    parts: {
      findings: section({ title: "What is worth doing", minHeightPx: 480 }),
      auditor: section({ title: "The auditor", minHeightPx: 200 }),
      bill: section({ title: "Bill of the last months", minHeightPx: 340 }),
      tariffs: section({ title: "Other tariffs", minHeightPx: 260 }),
      whatIf: section({ title: "Other hours", minHeightPx: 460, note: "What if an appliance ran only in certain hours?" }),
    },
  };
  const { parts } = view;
  page(main, { title: "Savings", lead: "Ranked by money. Each says what it rests on." },
    parts.findings.node, parts.auditor.node, parts.bill.node, parts.tariffs.node, parts.whatIf.node);
  parts.whatIf.show(view.whatIf.node);
  ctx.onChange(({ what, signal }) => (what === "data" ? load(view, signal) : undefined));
  await load(view, ctx.signal);
  return () => {
    view.bill?.remove();
    view.whatIf.remove();
  };
}

const load = (view, signal) => Promise.all([loadFindings(view, signal), loadBill(view, signal), loadTariffs(view, signal), view.whatIf.ask()]);

/** Ask, and show what came if it is new, or why nothing did. */
async function ask({ api, path, query, signal, fresh, show, fail, again }) {
  try {
    fresh(await api.get(path, query, { signal }), show);
  } catch (error) {
    if (isAborted(error)) throw error;
    fresh.forget();
    fail(error, again);
  }
}

function loadFindings(view, signal) {
  const { ctx, parts, lists } = view;
  return ask({
    api: ctx.api, path: "/findings", query: { site: ctx.site.site, include_dismissed: true }, signal, fresh: view.fresh.findings,
    show: (answer) => {
      lists.show(answer);
      if (!lists.node.isConnected) parts.findings.show(lists.node);
      parts.auditor.node.hidden = false;
      parts.auditor.show(auditor(answer.audit));
    },
    fail: (error, again) => {
      parts.findings.fail(error, again);
      parts.auditor.node.hidden = true;
    },
    again: () => loadFindings(view, ctx.signal),
  });
}

function loadBill(view, signal) {
  const { ctx, parts } = view;
  return ask({
    api: ctx.api, path: "/bill", query: { site: ctx.site.site, ...billedDays(ctx.site) }, signal, fresh: view.fresh.bill,
    show: (bill) => {
      view.bill?.remove();
      view.bill = billParts(bill);
      parts.bill.show(view.bill.node);
    },
    fail: parts.bill.fail,
    again: () => loadBill(view, ctx.signal),
  });
}

function loadTariffs(view, signal) {
  const { ctx, parts } = view;
  if (!view.tariffs.node.isConnected) parts.tariffs.show(view.tariffs.node);
  return ask({
    api: ctx.api, path: "/tariffs", query: { site: ctx.site.site }, signal, fresh: view.fresh.tariffs,
    show: view.tariffs.show,
    fail: view.tariffs.fail,
    again: () => loadTariffs(view, ctx.signal),
  });
}
