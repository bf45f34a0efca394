/** Tables: sortable by the buttons in their heads, scrolling in a box of their own. */

import { h, replace } from "./dom.js";

const compare = (a, b) => {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return typeof a === "string" ? a.localeCompare(b) : a - b;
};

/**
 * `table({caption, columns, rows, sort, isCompact})` -> the box with the table; `.update(rows)` puts new rows, `.sorting()` tells the order.
 * A column is `{key, label, isNumeric, value: row => what it sorts by, cell: row => text or node, isRowHeader, isName, isSortable}`;
 * `value` is `row[key]` if left out, `cell` shows the value; `isName` lets a long one go over lines. `sort` is `{key, descending}`.
 */
export function table({ caption, columns, rows, sort = null, isCompact = false }) {
  const state = { rows, sort };
  const valueOf = (column, row) => (column.value ? column.value(row) : row[column.key]);
  const body = h("tbody");
  const heads = columns.map((column) => headCell(column, () => {
    const isSame = state.sort?.key === column.key;
    state.sort = { key: column.key, descending: isSame ? !state.sort.descending : Boolean(column.isNumeric) };
    draw();
  }));

  const draw = () => {
    const column = columns.find((one) => one.key === state.sort?.key);
    const sign = state.sort?.descending ? -1 : 1;
    const ordered = column ? state.rows.toSorted((a, b) => orderOf(valueOf(column, a), valueOf(column, b), sign)) : state.rows;
    heads.forEach((head, index) => markHead(head, columns[index], state.sort));
    replace(body, ordered.map((row) => h("tr", {}, columns.map((one) => bodyCell(one, one.cell ? one.cell(row) : valueOf(one, row))))));
  };
  draw();
  const box = h("div", { class: `table-box${isCompact ? " compact" : ""}`, tabindex: 0, role: "region", aria: { label: caption } },
    h("table", {}, h("caption", { class: "visually-hidden" }, caption), h("thead", {}, h("tr", {}, heads)), body));
  box.update = (next) => {
    state.rows = next;
    draw();
  };
  box.sorting = () => state.sort;
  return box;
}

/** What is unknown stays last in either order. */
function orderOf(a, b, sign) {
  const isUnknown = (value) => value === null || value === undefined;
  return isUnknown(a) || isUnknown(b) ? compare(a, b) : sign * compare(a, b);
}

function headCell(column, onClick) {
  const label = column.isSortable === false ? column.label
    : h("button", { type: "button", class: "sort", onclick: onClick }, column.label, h("span", { class: "sort-mark", aria: { hidden: "true" } }));
  return h("th", { scope: "col", class: column.isNumeric ? "numeric" : null }, label);
}

function markHead(head, column, sort) {
  if (column.isSortable === false) return;
  const isSorted = sort?.key === column.key;
  if (isSorted) head.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
  else head.removeAttribute("aria-sort");
}

function bodyCell(column, content) {
  const kind = column.isNumeric ? "numeric" : column.isName ? "name" : null;
  return h(column.isRowHeader ? "th" : "td", { scope: column.isRowHeader ? "row" : null, class: kind }, content ?? "\u2013");
}
