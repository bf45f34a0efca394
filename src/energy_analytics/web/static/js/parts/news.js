/** Drawing only what has changed: a page that is told of news often gets the same answer again. */

/** `const fresh = onlyNews()`; `fresh(answer, show)` calls `show(answer)` unless the answer is the one shown last. */
export function onlyNews() {
  let shown = null;
  const fresh = (answer, show) => {
    const text = JSON.stringify(answer);
    if (text === shown) return;
    show(answer);
    shown = text;
  };
  /** Something else stands there now. */
  fresh.forget = () => { shown = null; };
  return fresh;
}
