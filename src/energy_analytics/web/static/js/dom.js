/** Building elements. Text is always a text node: nothing from the data is ever read as markup. */

const SVG = "http://www.w3.org/2000/svg";

function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on") && typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "aria") for (const [key, text] of Object.entries(value)) setAttribute(node, `aria-${key}`, text === false ? "false" : text);
  else if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
  else if (name === "value") node.value = value;
  else node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
}

function build(node, attrs, children) {
  for (const [name, value] of Object.entries(attrs ?? {})) setAttribute(node, name, value);
  node.append(...nodesOf(children));
  return node;
}

const nodesOf = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");

/**
 * An element: `h("a", {class: "link", href: "/", onclick: go, dataset: {id: 1}, aria: {label: "Home"}, style: {"--n": 3}}, "Home")`.
 * null, undefined and false among attributes and children are left out; arrays of children are flattened.
 */
export const h = (tag, attrs, ...children) => build(document.createElement(tag), attrs, children);

/** The same for an SVG element. */
export const svg = (tag, attrs, ...children) => build(document.createElementNS(SVG, tag), attrs, children);

/** A line icon of one path, 24 x 24, that says nothing to a screen reader. */
export const icon = (path) => svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: path }));

/** Put `children` in the place of what is in `node`; returns `node`. */
export function replace(node, ...children) {
  node.replaceChildren(...nodesOf(children));
  return node;
}

let lastId = 0;

/** An id that no other element of the page has. */
export const uniqueId = (prefix) => `${prefix}-${(lastId += 1)}`;
