/** The card of a finding: what it says, what it saves, and what that rests on. */

import { h } from "../dom.js";
import * as format from "../format.js";
import { announce, badge, toast } from "../ui.js";
import { facts } from "./controls.js";

const CONFIDENCE = {
  high: { tone: "good", text: "measured", title: "High confidence: plain sums of the readings" },
  medium: { tone: "neutral", text: "scaled up", title: "Medium confidence: measurements scaled up or taken apart" },
  low: { tone: "warn", text: "rough", title: "Low confidence: a figure for homes in general decides" },
};

/** What saves most first: money, then energy; what saves nothing keeps its order behind them. */
export const ranked = (findings) => findings.toSorted((a, b) => worth(b.saving?.money) - worth(a.saving?.money) || worth(b.saving?.kwh) - worth(a.saving?.kwh));

const worth = (amount) => amount?.value ?? -1;

/** An amount with its range: `€112 (€112 to €558)`. */
export function amountWords({ value, low, high }, write) {
  return low === high ? write(value) : `${write(value)} (${write(low)} to ${write(high)})`;
}

function savingOf({ money, kwh, carbon_kg: carbonKg }, currency) {
  const inMoney = (amount) => format.money(amount, currency);
  const lead = money ? { amount: money, write: inMoney } : { amount: kwh, write: format.energy };
  const isRange = lead.amount.low !== lead.amount.high;
  return h("div", { class: "saving" },
    h("p", { class: "saving-value" }, lead.write(lead.amount.value), h("span", { class: "saving-unit" }, " a year")),
    isRange && h("p", { class: "muted" }, `${lead.write(lead.amount.low)} to ${lead.write(lead.amount.high)}`),
    h("p", { class: "muted" }, [money && format.energy(kwh.value), carbonKg && `${format.carbon(carbonKg.value)} of CO₂`].filter(Boolean).join(", ")));
}

async function copy(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    toast("The query is copied.");
  } catch (error) {
    getSelection().selectAllChildren(code);
    announce("The query is selected.");
    console.info("Copying is not allowed here:", error.message);
  }
}

function evidenceOf(finding) {
  if (!finding.evidence) return null;
  const code = h("code", {}, finding.evidence);
  return h("div", { class: "evidence" },
    h("p", {}, "This query gives the leading figure again, with ", h("code", {}, "energy query"), " or in Athena:"),
    h("pre", { tabindex: 0, role: "region", aria: { label: "Query" } }, code),
    h("button", { type: "button", class: "button small", onclick: () => copy(finding.evidence, code) }, "Copy the query"));
}

/** The card; `onDismiss` is called for either direction. */
export function findingCard(finding, { currency, appliancePage, onDismiss }) {
  const confidence = CONFIDENCE[finding.confidence] ?? { tone: "neutral", text: finding.confidence, title: "" };
  const { period } = finding;
  return h("li", { class: "card finding", dataset: { id: finding.id, dismissed: String(finding.dismissed) } },
    finding.saving && savingOf(finding.saving, currency),
    h("div", { class: "finding-body" },
      h("p", { class: "row tight" },
        badge(confidence.text, confidence.tone),
        finding.appliance && h("a", { href: appliancePage(finding.appliance) }, finding.appliance),
        finding.dismissed && badge("dismissed")),
      h("p", { class: "finding-text" }, finding.text),
      h("details", {},
        h("summary", {}, "What this rests on"),
        h("div", { class: "stack" },
          finding.assumption && h("p", {}, finding.assumption),
          facts([
            ["Confidence", confidence.title || finding.confidence],
            ["Readings", period && `${format.day(period[0])} to ${format.day(period[1])}`],
          ]),
          evidenceOf(finding)))),
    h("button", {
      type: "button", class: "button small dismissal", dataset: { control: "dismissal" },
      aria: { label: `${finding.dismissed ? "Bring back" : "Dismiss"}: ${finding.text.slice(0, 60)}` },
      onclick: onDismiss,
    }, finding.dismissed ? "Bring back" : "Dismiss"));
}
