/** What the auditor says, with who wrote it. */

import { h } from "../dom.js";
import { emptyState } from "../ui.js";

const isRules = (author) => !author || author === "rules";

/** The paragraphs of the report's auditor. */
export function auditor(audit) {
  if (!audit?.paragraphs.length) {
    return emptyState({ title: "No advice of the auditor yet.", text: "It comes with the next run." });
  }
  const byModel = audit.paragraphs.filter((one) => !isRules(one.written_by));
  const models = [...new Set(byModel.map((one) => one.written_by))];
  return h("div", { class: "stack" },
    h("p", { class: "muted" }, byModel.length
      ? `Written by ${models.join(" and ")} where it is named, else by fixed rules. All figures come from the readings.`
      : "Written by fixed rules from the findings; no language model took part."),
    h("ul", { class: "paragraphs" }, audit.paragraphs.map((one) => h("li", {},
      h("p", {}, one.text),
      one.assumption && h("p", { class: "muted" }, `Assumption: ${one.assumption}`),
      !isRules(one.written_by) && h("p", { class: "muted" }, `Written by ${one.written_by}.`)))));
}
