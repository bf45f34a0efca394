/** What stands in the header: the site, the period, the theme, and the state of the connection. */

import { addDays } from "./days.js";
import { h, icon, replace, uniqueId } from "./dom.js";
import { count } from "./format.js";
import { placeBelow } from "./overlays.js";
import { extentOf, PRESETS, queryOf, shifted } from "./period.js";

const THEME_KEY = "energy-theme";
const ICONS = {
  earlier: "M15 5l-7 7 7 7",
  later: "M9 5l7 7-7 7",
  down: "M6 9l6 6 6-6",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.400 1.400M17.600 17.600 19 19M19 5l-1.400 1.400M6.400 17.600 5 19",
  dark: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
};

/** The name a site goes by. */
export const siteName = (site) => site.name || site.site || "Root site";

/** Choose among sites; nothing to choose, nothing but the name. */
export function sitePicker(node, { sites, site, navigate }) {
  if (!site) return replace(node);
  if (sites.length === 1) return replace(node, h("span", { class: "site-name" }, siteName(site)));
  const id = uniqueId("site");
  const choose = (event) => navigate({ query: { site: event.target.value, period: null, from: null, to: null } });
  return replace(node,
    h("label", { for: id, class: "visually-hidden" }, "Site"),
    h("select", { id, onchange: choose, class: "site-select" }, sites.map((one) =>
      h("option", { value: one.site, selected: one.site === site.site }, siteName(one)))));
}

function presetButton(name, { period, choose }) {
  return h("button", {
    type: "button", class: "segment", aria: { pressed: period.preset === name },
    onclick: () => choose({ preset: name }),
  }, PRESETS[name].label);
}

function rangeForm({ site, period, choose }) {
  const { first, last } = extentOf(site);
  const [fromId, toId] = [uniqueId("from"), uniqueId("to")];
  const from = h("input", { type: "date", id: fromId, min: first, max: last, value: period.from, required: true });
  const to = h("input", { type: "date", id: toId, min: first, max: "9999-12-30", value: addDays(period.to, -1), required: true });
  const submit = (event) => {
    event.preventDefault();
    to.setCustomValidity(to.value < from.value ? "The last day comes before the first." : "");
    if (to.reportValidity()) choose({ preset: null, from: from.value, to: addDays(to.value, 1) });
  };
  return h("form", { class: "range-form", onsubmit: submit, novalidate: false },
    h("label", { for: fromId }, "First day"), from,
    h("label", { for: toId }, "Last day"), to,
    h("button", { type: "submit", class: "button primary" }, "Show"));
}

/** Presets, any range, and earlier and later. The open list survives nothing: it is built anew for each period. */
export function periodPicker(node, { site, period, navigate }) {
  if (!period) return replace(node);
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.control : null;
  const choose = (next) => navigate({ query: queryOf(next) });
  const arrow = (name, label, steps, isThere) => h("button", {
    type: "button", class: "icon-button", disabled: !isThere, dataset: { control: name },
    aria: { label }, title: label, onclick: () => choose(shifted(period, steps)),
  }, icon(ICONS[name]));
  const popup = h("div", { popover: "auto", class: "popup", id: uniqueId("period") },
    h("div", { class: "segments wrap", role: "group", aria: { label: "Period" } },
      Object.keys(PRESETS).map((name) => presetButton(name, { period, choose }))),
    rangeForm({ site, period, choose }));
  const button = h("button", {
    type: "button", class: "button period-button", popovertarget: popup.id, dataset: { control: "open" },
    aria: { label: `Period: ${period.label}, ${count(period.days, "day")}. Change` },
  }, h("span", {}, period.label), icon(ICONS.down));
  popup.addEventListener("beforetoggle", () => placeBelow(popup, button));
  replace(node,
    h("div", { class: "segments presets", role: "group", aria: { label: "Period" } },
      Object.keys(PRESETS).map((name) => {
        const segment = presetButton(name, { period, choose });
        segment.dataset.control = name;
        return segment;
      })),
    h("div", { class: "period-steps" },
      arrow("earlier", "Earlier", -1, period.hasEarlier), button, popup, arrow("later", "Later", 1, period.hasLater)));
  if (focused) refocus(node, focused);
  return node;
}

function refocus(node, control) {
  const same = node.querySelector(`[data-control="${control}"]`);
  (same && !same.disabled ? same : node.querySelector('[data-control="open"]'))?.focus({ preventScroll: true });
}

/** Light, dark, or as the system has it. */
export function themePicker(node, onTheme) {
  const order = ["auto", "light", "dark"];
  const stored = () => localStorage.getItem(THEME_KEY) ?? "auto";
  const button = h("button", { type: "button", class: "icon-button" });
  const show = () => {
    const label = `Theme: ${stored()}. Change`;
    button.setAttribute("aria-label", label);
    button.title = label;
    replace(button, icon(ICONS[stored()]));
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(stored()) + 1) % order.length];
    localStorage.setItem(THEME_KEY, next);
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    show();
    onTheme();
  });
  show();
  replace(node, button);
}

const CONNECTION = {
  connecting: ["Connecting", "Waiting for the server"],
  live: ["Live", "New readings show by themselves"],
  reconnecting: ["Reconnecting", "The connection was lost; what you see may be old"],
  offline: ["Offline", "The server cannot be reached; what you see may be old"],
};

/** Say how the connection is, in words. */
export function showConnection(node, state) {
  if (node.dataset.state === state) return;
  node.dataset.state = state;
  node.title = CONNECTION[state][1];
  node.querySelector(".connection-text").textContent = CONNECTION[state][0];
}
