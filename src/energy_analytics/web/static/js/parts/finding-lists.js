/** The findings of a site in two lists: what saves something, and what is only worth knowing. */

import { h, replace } from "../dom.js";
import * as format from "../format.js";
import { emptyState } from "../ui.js";
import { tick } from "./controls.js";
import * as dismissal from "./dismissal.js";
import { findingCard, ranked } from "./findings.js";
import { keepFocus } from "./focus.js";

/** `{node, show(answer)}`; `answer` is what the API gives, dismissed ones among them. */
export function findingLists(ctx) {
  const view = { ctx, answer: null, isDismissedShown: false, isWorthOpen: false, lists: h("div", { class: "stack" }) };
  view.summary = h("p", { class: "list-summary", role: "status" });
  view.switch = tick({
    label: "Show dismissed", isTicked: false,
    onChange: (isTicked) => {
      view.isDismissedShown = isTicked;
      draw(view);
    },
  });
  const node = h("div", { class: "stack" }, h("div", { class: "row spread" }, view.summary, view.switch), view.lists);
  return {
    node,
    show: (answer) => {
      view.answer = { ...answer, findings: answer.findings.map((one) => ({ ...one })) };
      draw(view);
    },
  };
}

const draw = (view) => keepFocus(view.lists, () => drawLists(view), view.switch.querySelector("input"));

function drawLists(view) {
  const { findings, currency } = view.answer;
  const shown = ranked(findings.filter((one) => view.isDismissedShown || !one.dismissed));
  const [saving, others] = [shown.filter((one) => one.saving), shown.filter((one) => !one.saving)];
  const put = findings.filter((one) => one.dismissed).length;
  view.summary.textContent = [
    saving.length ? `${format.count(saving.length, "way")} to save, the largest first. They may overlap, so do not add them up.` : "",
    put && !view.isDismissedShown ? `${format.count(put, "dismissed one")} not shown.` : "",
  ].filter(Boolean).join(" ");
  const list = (items) => h("ul", { class: "findings" }, items.map((one) => findingCard(one, {
    currency,
    appliancePage: (name) => view.ctx.href(`/appliances/${encodeURIComponent(name)}`),
    onDismiss: () => dismiss(view, one),
  })));
  replace(view.lists,
    saving.length ? list(saving) : emptyState({
      title: put ? "All ways to save are dismissed." : "No way to save was found.",
      text: put ? "Tick “Show dismissed” to see them again." : "The readings show nothing that would save energy by a measure worth telling.",
    }),
    others.length ? h("details", { class: "worth-knowing", open: view.isWorthOpen, ontoggle: (event) => { view.isWorthOpen = event.target.open; } },
      h("summary", {}, `Worth knowing: ${others.length === 1 ? "1 finding that saves nothing by itself" : `${format.count(others.length, "finding")} that save nothing by themselves`}`), list(others)) : null);
}

function dismiss(view, finding) {
  dismissal.change({
    api: view.ctx.api,
    path: `/findings/${encodeURIComponent(finding.id)}/dismissal`,
    site: view.ctx.site.site,
    isDismissed: !finding.dismissed,
    messages: { dismissed: "Dismissed. Later reports leave it out too.", restored: "It is shown again." },
    onChange: (isDismissed) => {
      view.answer.findings.find((one) => one.id === finding.id).dismissed = isDismissed;
      draw(view);
    },
  });
}
