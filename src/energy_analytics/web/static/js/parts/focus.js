/** Where the keyboard goes when what it was on is taken away. */

/** The element that comes next in a list, else the one before, else `otherwise`: asked for before the change. */
export function neighbourOf(item, selector, otherwise) {
  const after = item.nextElementSibling?.querySelector(selector);
  const before = item.previousElementSibling?.querySelector(selector);
  return after ?? before ?? otherwise;
}
