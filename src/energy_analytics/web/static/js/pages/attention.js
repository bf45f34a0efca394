/** What needs attention, each with the page that says more. */

import { h } from "../dom.js";
import * as format from "../format.js";
import { badge, emptyState } from "../ui.js";

const KINDS = {
  episode: ["Anomaly", "warn"],
  finding: ["Advice", "good"],
  gap: ["Gap", "neutral"],
  doubt: ["Doubtful", "warn"],
  stale: ["No new data", "warn"],
  failed_run: ["Failed upload", "bad"],
};
const SHOWN = 5;
const ID_NAMES = { episode: "episode", finding: "finding" };

/** What it costs, or what could be saved, in words. */
function worth({ kind, cost }, currency) {
  if (cost === null) return null;
  const amount = format.money(Math.abs(cost), currency);
  return kind === "finding" ? `save ${amount} a year` : `${amount} ${cost < 0 ? "less" : "more"}`;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

function entry(item, { currency, ctx }) {
  const [word, tone] = KINDS[item.kind] ?? [item.kind, "neutral"];
  const query = item.id && ID_NAMES[item.kind] ? { [ID_NAMES[item.kind]]: item.id } : {};
  return h("li", { class: "attention-item" },
    h("div", { class: "attention-head" }, badge(word, tone), h("span", { class: "attention-cost" }, worth(item, currency))),
    h("a", { class: "attention-title", href: ctx.href(`/${item.page}`, query) }, item.title),
    item.detail && h("p", { class: "muted" }, item.kind === "episode" ? sentence(item.detail) : item.detail));
}

/** The list of an overview; what does not fit is folded away. */
export function attentionList({ attention, money }, ctx) {
  if (!attention.length) return emptyState({ title: "Nothing needs attention.", text: "Anomalies, gaps and failed uploads show up here." });
  const list = (items) => h("ul", { class: "attention" }, items.map((item) => entry(item, { currency: money?.currency, ctx })));
  const rest = attention.slice(SHOWN);
  return [
    list(attention.slice(0, SHOWN)),
    rest.length > 0 && h("details", { class: "more" }, h("summary", {}, `${format.number(rest.length)} more`), list(rest)),
  ];
}
