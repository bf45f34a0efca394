/** Where the keyboard is while a list is drawn anew. Items have `data-id`, what can be focused in them `data-control`. */

const placeOf = (element) => ({ id: element.closest("[data-id]")?.dataset.id, control: element.dataset.control });

const find = (node, { id, control }) =>
  id && control ? node.querySelector(`[data-id="${CSS.escape(id)}"] [data-control="${control}"]`) : null;

/** Draw, and put the focus back where it was in `node`: on the same item, else its neighbour, else on `otherwise`. */
export function keepFocus(node, draw, otherwise) {
  const active = node.contains(document.activeElement) ? document.activeElement : null;
  const item = active?.closest("[data-id]");
  const { id, control } = active ? placeOf(active) : {};
  const neighbours = item ? [item.nextElementSibling, item.previousElementSibling].map((one) => one?.dataset.id) : [];
  draw();
  if (!active || document.activeElement === active) return;
  const next = [id, ...neighbours].map((one) => find(node, { id: one, control })).find(Boolean);
  (next ?? otherwise)?.focus({ preventScroll: true });
}
