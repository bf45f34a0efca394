/** What lies above the page: dialogs, questions, short notices, and the place of a popup. */

import { h, icon, uniqueId } from "./dom.js";

const TOAST_MS = 6_000;
const CLOSE = "M6 6l12 12M18 6L6 18";

/** Open a dialog: `modal({title, content, isClosable})`; returns the element, `.close()` ends it and gives focus back. */
export function modal({ title, content, isClosable = true }) {
  const id = uniqueId("dialog");
  const closer = h("button", { type: "button", class: "icon-button", aria: { label: "Close" }, onclick: () => node.close() }, icon(CLOSE));
  const node = h("dialog", { class: "dialog", aria: { labelledby: id } },
    h("header", { class: "dialog-head" }, h("h2", { id }, title), isClosable && closer), content);
  node.addEventListener("cancel", (event) => { if (!isClosable) event.preventDefault(); });
  node.addEventListener("close", () => node.remove());
  document.body.append(node);
  node.showModal();
  return node;
}

/** Ask before something is done: resolves to true or false. */
export function confirm({ title, text, action, isDangerous = false }) {
  return new Promise((resolve) => {
    let answer = false;
    const answerWith = (value) => () => {
      answer = value;
      node.close();
    };
    const node = modal({
      title,
      content: h("div", { class: "stack" }, h("p", {}, text),
        h("div", { class: "row end" },
          h("button", { type: "button", class: "button", onclick: answerWith(false) }, "Cancel"),
          h("button", { type: "button", class: `button ${isDangerous ? "danger" : "primary"}`, onclick: answerWith(true) }, action))),
    });
    node.addEventListener("close", () => resolve(answer));
  });
}

/**
 * A notice, read aloud: `toast("Dismissed", {action: {label: "Undo", run}})`. `kind` is "info" or "error".
 * One that only tells goes by itself; one with something to do stays, however long it takes to get there, until it is
 * closed, another of its kind takes its place, or the page is left.
 */
export function toast(text, { kind = "info", action = null } = {}) {
  let cameFrom = null;
  const close = () => {
    const hasFocus = node.contains(document.activeElement);
    node.remove();
    if (hasFocus) (cameFrom?.isConnected ? cameFrom : document.querySelector("main")).focus({ preventScroll: true });
  };
  const node = h("div", { class: "toast", dataset: { kind }, role: kind === "error" ? "alert" : "status" },
    h("span", {}, text),
    action && h("button", { type: "button", class: "link-button", onclick: () => { close(); action.run(); } }, action.label),
    h("button", { type: "button", class: "icon-button", aria: { label: "Close notice" }, onclick: close }, icon(CLOSE)));
  node.addEventListener("focusin", ({ relatedTarget }) => { if (!node.contains(relatedTarget)) cameFrom = relatedTarget; });
  const place = document.getElementById("toasts");
  place.querySelector(`[data-kind="${kind}"]`)?.remove();
  place.append(node);
  if (action) return;
  let timer = setTimeout(close, TOAST_MS);
  node.addEventListener("pointerenter", () => clearTimeout(timer));
  node.addEventListener("focusin", () => clearTimeout(timer));
  node.addEventListener("pointerleave", () => { timer = setTimeout(close, TOAST_MS); });
}

/** Take away what was said of a page that is left. */
export function clearToasts() {
  document.getElementById("toasts").replaceChildren();
}

/** Say something to a screen reader only. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Put a popup below what opens it, within the window. */
export function placeBelow(popup, anchor) {
  const box = anchor.getBoundingClientRect();
  const widthPx = Math.min(340, innerWidth - 16);
  popup.style.width = `${widthPx}px`;
  popup.style.left = `${Math.max(8, Math.min(box.left, innerWidth - widthPx - 8))}px`;
  popup.style.top = `${box.bottom + 6}px`;
}
