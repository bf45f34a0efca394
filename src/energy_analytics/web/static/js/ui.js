/** Parts that every page is made of. */

import { h, icon, replace, uniqueId } from "./dom.js";

export { announce, clearToasts, confirm, modal, toast } from "./overlays.js";

const WARNING = "M12 3 2.500 20h19zM12 10v4M12 17v.500";

/** Take a page's place in `main`: its title as h1, what stands beside it, and the rest. */
export function page(main, { title, lead = null, actions = null }, ...children) {
  return replace(main,
    h("header", { class: "page-head" },
      h("div", {}, h("h1", {}, title), lead && h("p", { class: "lead" }, lead)), actions && h("div", { class: "row" }, actions)),
    children);
}

/**
 * A card with a heading that waits for its data: `{node, body, show(...children), fail(error, retry), wait()}`.
 * `minHeightPx` keeps its place, so that nothing moves when the data arrive.
 */
export function section({ title, minHeightPx = 120, note = null, actions = null, class: kind = "", isHeadingHidden = false }) {
  const id = uniqueId("section");
  const body = h("div", { class: "card-body", style: { "min-height": `${minHeightPx}px` } });
  const node = h("section", { class: `card ${kind}`, aria: { labelledby: id } },
    h("header", { class: isHeadingHidden ? "visually-hidden" : "card-head" },
      h("div", {}, h("h2", { id }, title), note && h("p", { class: "muted" }, note)), actions && h("div", { class: "row" }, actions)),
    body);
  const part = {
    node,
    body,
    wait: () => {
      node.setAttribute("aria-busy", "true");
      if (!body.hasChildNodes()) replace(body, skeleton(minHeightPx));
    },
    show: (...children) => {
      node.removeAttribute("aria-busy");
      replace(body, children);
    },
    fail: (error, retry) => part.show(errorState(error, retry)),
  };
  part.wait();
  return part;
}

/** A grey shape where something will be. */
export const skeleton = (heightPx = 80) => h("div", { class: "skeleton", style: { height: `${heightPx}px` }, aria: { hidden: "true" } });

/** Nothing to show, why, and what to do about it. */
export const emptyState = ({ title, text, action = null }) =>
  h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), text && h("p", { class: "muted" }, text), action);

/** A lake without readings: how to begin. */
export const emptyLake = (ctx) => h("div", { class: "card empty-lake" },
  h("h2", {}, "No readings yet"),
  h("p", {}, "Bring a CSV file with three columns: timestamp, appliance, kwh. Totals, peaks, what went wrong and the next seven days follow by themselves."),
  h("p", { class: "row" }, h("a", { class: "button primary", href: ctx.href("/data") }, "Bring a file")),
  h("p", { class: "muted" }, "Or in a terminal:"),
  h("pre", { class: "command" }, h("code", {}, "energy run FILE.csv")),
  h("p", { class: "muted" }, "No file at hand? ", h("code", {}, "energy generate"), " makes one with known faults."));

/** What went wrong, in words, with a way to try again. An aborted request is none of the reader's business. */
export function errorState(error, retry = null) {
  return h("div", { class: "error-state", role: "alert" }, icon(WARNING),
    h("div", {}, h("p", { class: "error-title" }, error.message),
      retry && h("button", { type: "button", class: "button", onclick: retry }, "Try again")));
}

/** A number with its name: `tile({label, value, notes: [...]})`. */
export const tile = ({ label, value, notes = [], href = null }) =>
  h("div", { class: "tile" },
    h("dt", {}, label), h("dd", { class: "tile-value" }, href ? h("a", { href }, value) : value),
    notes.filter(Boolean).map((note) => h("dd", { class: "tile-note" }, note)));

/** Several choices, one taken: `segments({label, choices: {day: "Days"}, chosen, onChoose})`. */
export function segments({ label, choices, chosen, onChoose }) {
  const node = h("div", { class: "segments", role: "group", aria: { label } });
  const buttons = Object.entries(choices).map(([value, text]) => h("button", {
    type: "button", class: "segment", dataset: { value }, aria: { pressed: value === chosen },
    onclick: () => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.value === value));
      onChoose(value);
    },
  }, text));
  return replace(node, buttons);
}

/** A short word on a coloured ground; the word says it, the colour only helps. `tone`: neutral, good, warn, bad. */
export const badge = (text, tone = "neutral") => h("span", { class: "badge", dataset: { tone } }, text);

/** Whether an error only means that its request is no longer wanted. */
export const isAborted = (error) => error?.name === "AbortError";
