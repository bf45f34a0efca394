/** A place to drop files on, and a button that chooses them: the same for mouse, keyboard and screen reader. */

import { h, icon } from "../dom.js";

const UPLOAD = "M12 16V4M6 10l6-6 6 6M4 20h16";

/** `dropZone({text, hint, button, accept, isMultiple, onFiles})`: `onFiles(files)` gets an array that is not empty. */
export function dropZone({ text, hint, button, accept, isMultiple = false, onFiles }) {
  const give = (list) => {
    const files = [...(list ?? [])];
    if (files.length) onFiles(isMultiple ? files : files.slice(0, 1));
  };
  const input = h("input", {
    type: "file", accept, multiple: isMultiple, hidden: true,
    onchange: () => {
      give(input.files);
      input.value = ""; // so that the same file can be chosen again
    },
  });
  const node = h("div", { class: "drop-zone" }, icon(UPLOAD),
    h("p", { class: "drop-text" }, text),
    h("button", { type: "button", class: "button primary", onclick: () => input.click() }, button), input,
    hint && h("p", { class: "muted" }, hint));
  let depth = 0; // dragging over a child leaves its parent: count
  const hover = (change) => {
    depth = change === 0 ? 0 : depth + change;
    node.classList.toggle("is-over", depth > 0);
  };
  node.addEventListener("dragenter", (event) => { event.preventDefault(); hover(1); });
  node.addEventListener("dragleave", () => hover(-1));
  node.addEventListener("dragover", (event) => event.preventDefault());
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    hover(0);
    give(event.dataTransfer.files);
  });
  return node;
}

/** A file that misses the zone must not replace the page: `const stop = keepPage()`. */
export function keepPage() {
  const stop = new AbortController();
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => event.preventDefault(), { signal: stop.signal });
  }
  return () => stop.abort();
}
