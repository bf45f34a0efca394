/** Small controls that several pages use. */

import { h, uniqueId } from "../dom.js";

/** A labelled list to choose from: `{label, choices: [[value, text]], chosen, onChoose}`; the select is `.control`. */
export function choice({ label, choices, chosen, onChoose }) {
  const id = uniqueId("choice");
  const control = h("select", { id, onchange: (event) => onChoose(event.target.value) }, choices.map(([value, text]) =>
    h("option", { value, selected: value === chosen }, text)));
  const node = h("div", { class: "field" }, h("label", { for: id }, label), control);
  node.control = control;
  return node;
}

/** A labelled box to tick. */
export function tick({ label, isTicked, onChange }) {
  const id = uniqueId("tick");
  return h("div", { class: "tick" },
    h("input", { type: "checkbox", id, checked: isTicked, onchange: (event) => onChange(event.target.checked) }),
    h("label", { for: id }, label));
}

/** Names and values side by side: `[[name, value]]`; what is null is left out. */
export const facts = (entries) => h("dl", { class: "facts" }, entries
  .filter(([, value]) => value !== null && value !== undefined)
  .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

/** The first letter of a sentence as it should be. */
export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");

/** A list of which as much is shown as asked for: `{step, unit, draw: item => node}`; `.show(items, {atLeast})`. */
export function growingList({ step, unit, draw, class: kind }) {
  const list = h("ul", { class: kind });
  const rest = h("p", { class: "row more" });
  const node = h("div", {}, list, rest);
  let items = [];
  const grow = (upTo) => {
    const first = list.children.length;
    list.append(...items.slice(first, upTo).map(draw));
    const hidden = items.length - list.children.length;
    rest.replaceChildren(...(hidden > 0 ? [more(hidden)] : []));
    return list.children[first];
  };
  const more = (hidden) => h("button", {
    type: "button", class: "button",
    onclick: () => grow(list.children.length + step)?.querySelector("button")?.focus(),
  }, `Show ${Math.min(step, hidden)} more ${unit} (${hidden} not shown)`);
  node.show = (next, { atLeast = 0 } = {}) => {
    items = next;
    list.replaceChildren();
    grow(Math.max(step, atLeast));
  };
  node.shown = () => list.children.length;
  node.list = list;
  return node;
}
