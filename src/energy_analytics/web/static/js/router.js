/** Which page an address means, and addresses of pages. Page modules are imported when they are first needed. */

const ROUTES = [
  { path: /^\/(?:signed-in)?$/, page: "/", load: () => import("./pages/overview.js") },
  { path: /^\/appliances$/, page: "/appliances", load: () => import("./pages/appliances.js") },
  { path: /^\/appliances\/(?<name>.+)$/, page: "/appliances", load: () => import("./pages/appliance.js") },
  { path: /^\/anomalies$/, page: "/anomalies", load: () => import("./pages/anomalies.js") },
  { path: /^\/forecast$/, page: "/forecast", load: () => import("./pages/forecast.js") },
  { path: /^\/savings$/, page: "/savings", load: () => import("./pages/savings.js") },
  { path: /^\/data$/, page: "/data", load: () => import("./pages/data.js") },
];
/** What of the query string goes along from page to page. */
const KEPT = ["site", "period", "from", "to"];

/** The route of a path: `{page, params, load}`, or null. */
export function match(path) {
  for (const { path: pattern, page, load } of ROUTES) {
    const found = pattern.exec(path);
    if (!found) continue;
    try {
      const params = Object.fromEntries(Object.entries(found.groups ?? {}).map(([key, text]) => [key, decodeURIComponent(text)]));
      return { page, params, load };
    } catch (error) {
      if (error instanceof URIError) return null; // an address that was cut within a letter
      throw error;
    }
  }
  return null;
}

/** An address: `path` (as it is now if left out) with `query` over what is kept of the present one; null takes away. */
export function href(path = location.pathname, query = {}) {
  const present = new URLSearchParams(location.search);
  const isSamePath = path === location.pathname;
  const next = new URLSearchParams();
  for (const [key, value] of present) if (isSamePath || KEPT.includes(key)) next.set(key, value);
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined) next.delete(key);
    else next.set(key, value);
  }
  const text = next.toString();
  return text ? `${path}?${text}` : path;
}

/** Go to addresses of ours without loading the shell again: clicks on links are told to `onMove(isBack)`, as are back and forward. */
export function follow(onMove) {
  addEventListener("popstate", () => onMove({ isBack: true }));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    const isOurs = url.origin === location.origin && match(url.pathname) && !link.target && !link.hasAttribute("download");
    if (!isOurs || (url.hash && url.pathname === location.pathname && url.search === location.search)) return;
    event.preventDefault();
    go(url.pathname + url.search + url.hash);
    onMove({ isBack: false });
  });
}

/** Change the address; `isReplaced` leaves no step to go back to. */
export function go(address, { isReplaced = false } = {}) {
  if (isReplaced) history.replaceState(null, "", address);
  else if (address !== location.pathname + location.search) history.pushState(null, "", address);
}
