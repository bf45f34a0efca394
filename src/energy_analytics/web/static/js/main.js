/** The application: what is shown, for which site and period, kept true as the lake changes. */

import * as api from "./api.js";
import * as auth from "./auth.js";
import { h, replace } from "./dom.js";
import * as live from "./live.js";
import { periodOf } from "./period.js";
import { periodPicker, showConnection, sitePicker, themePicker } from "./pickers.js";
import { redrawCharts, setAppliances } from "./plot.js";
import * as router from "./router.js";
import { announce, clearToasts, emptyState, errorState, isAborted, page, toast } from "./ui.js";

const main = document.getElementById("main");
const SITE_KEY = "energy-site";
const app = { config: null, sites: [], uploads: {}, shown: null };

/** The site of the address, else the one looked at last, else the first with readings. */
function siteOfAddress() {
  const query = new URLSearchParams(location.search);
  const wanted = query.has("site") ? query.get("site") : localStorage.getItem(SITE_KEY);
  return app.sites.find((one) => one.site === wanted) ?? app.sites.find((one) => one.first) ?? app.sites[0] ?? null;
}

function navigate({ path, query, isReplaced = false } = {}) {
  router.go(router.href(path, query), { isReplaced });
  return show();
}

function drawHeader({ site, period }) {
  sitePicker(document.getElementById("site-picker"), { sites: app.sites, site, navigate });
  periodPicker(document.getElementById("period-picker"), { site, period, navigate });
  const route = router.match(location.pathname);
  for (const link of document.querySelectorAll("[data-page]")) {
    link.href = router.href(link.dataset.page);
    if (link.dataset.page === route?.page && !link.classList.contains("brand")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Show what the address says: the same page of the same site is told of its new period, any other is rendered. */
async function show({ isFirst = false, isBack = false } = {}) {
  const site = siteOfAddress();
  const period = periodOf(new URLSearchParams(location.search), site);
  if (site) {
    localStorage.setItem(SITE_KEY, site.site);
    setAppliances((site.appliances ?? []).map((one) => one.appliance));
  }
  drawHeader({ site, period });
  const key = `${location.pathname}\n${site?.site ?? ""}\n${Boolean(period)}`;
  if (app.shown?.key === key && app.shown.listeners.size) return tell({ what: "period", site, period });
  return open({ key, site, period, isFirst, isBack });
}

async function open({ key, site, period, isFirst, isBack }) {
  app.shown?.stop.abort();
  app.shown?.cleanup?.();
  clearToasts();
  const shown = { key, stop: new AbortController(), listeners: new Map(), cleanup: null };
  app.shown = shown;
  const route = router.match(location.pathname);
  shown.ctx = contextOf({ shown, route, site, period });
  try {
    if (!route) return missing(shown.ctx);
    const { render } = await route.load();
    if (app.shown !== shown) return undefined;
    const rendered = render(main, shown.ctx);
    if (!isFirst) arrive({ isBack });
    nameWindow();
    const cleanup = await rendered;
    if (app.shown === shown) shown.cleanup = cleanup;
    else cleanup?.();
    nameWindow();
  } catch (error) {
    if (app.shown !== shown || isAborted(error)) return undefined;
    failed(error);
  }
  return undefined;
}

function contextOf({ shown, route, site, period }) {
  return {
    site, period, api, navigate,
    sites: app.sites,
    config: app.config,
    params: route?.params ?? {},
    uploads: app.uploads,
    href: router.href,
    signal: shown.stop.signal,
    onChange: (listener) => shown.listeners.set(listener, null),
  };
}

/** Tell the page of a change; each call of a listener ends what its call before still waited for. */
function tell({ what, site, period, uploads = app.uploads }) {
  const { listeners, ctx, stop } = app.shown;
  Object.assign(ctx, { site, period, uploads, sites: app.sites });
  return Promise.all([...listeners].map(async ([listener, before]) => {
    before?.abort();
    const own = new AbortController();
    listeners.set(listener, own);
    try {
      await listener({ what, uploads, signal: AbortSignal.any([own.signal, stop.signal]) });
    } catch (error) {
      if (!isAborted(error)) toast(`Not refreshed: ${error.message}`, { kind: "error" });
    }
  }));
}

function missing(ctx) {
  page(main, { title: "No such page" }, emptyState({
    title: "Nothing is at this address.",
    action: h("a", { class: "button", href: ctx.href("/") }, "To the overview"),
  }));
  nameWindow();
}

function failed(error) {
  page(main, { title: "This page could not be shown" }, h("div", { class: "card" }, errorState(error, () => location.reload())));
  nameWindow();
}

function nameWindow() {
  const title = main.querySelector("h1")?.textContent;
  document.title = title ? `${title} \u00b7 Energy` : "Energy";
}

/** A new page begins at its top, and a screen reader and the keyboard begin there with it. */
function arrive({ isBack }) {
  if (!isBack) scrollTo(0, 0);
  main.focus({ preventScroll: true });
  announce(main.querySelector("h1")?.textContent ?? "");
}

/** The server says how things stand: ask for the sites again if one has changed, and tell the page. */
async function heard({ sites = {}, uploads = {} }) {
  const isNews = Object.entries(sites).some(([name, version]) => app.sites.find((one) => one.site === name)?.version !== version);
  const isUploadNews = JSON.stringify(uploads) !== JSON.stringify(app.uploads);
  app.uploads = uploads;
  if (isNews) await loadSites();
  if (!app.shown || !(isNews || isUploadNews)) return;
  const site = siteOfAddress();
  const period = periodOf(new URLSearchParams(location.search), site);
  const { ctx } = app.shown;
  const isSame = site?.site === ctx.site?.site && Boolean(period) === Boolean(ctx.period);
  if (!isSame) return void show();
  if (isNews) setAppliances((site?.appliances ?? []).map((one) => one.appliance));
  if (isNews && period?.label !== ctx.period?.label) drawHeader({ site, period });
  await tell({ what: isNews ? "data" : "uploads", site, period, uploads });
}

async function loadSites() {
  app.sites = (await api.get("/sites")).sites;
}

function connect() {
  const connection = document.getElementById("connection");
  let turn = Promise.resolve();
  live.start({
    kind: app.config.live,
    site: () => siteOfAddress()?.site ?? "",
    onState: (state) => { turn = turn.then(() => heard(state)).catch((error) => console.info("Not refreshed:", error.message)); },
    onStatus: (status) => showConnection(connection, status),
  });
}

async function begin() {
  themePicker(document.getElementById("theme-picker"), redrawCharts);
  try {
    app.config = await (await api.request("/config.json")).json();
    await auth.start(app.config);
    if (auth.isNeeded()) {
      replace(document.getElementById("account"), h("button", { type: "button", class: "link-button", onclick: auth.signOut }, "Sign out"));
    }
    await loadSites();
  } catch (error) {
    return failedToBegin(error);
  }
  router.follow(show);
  connect();
  return show({ isFirst: true });
}

function failedToBegin(error) {
  const again = () => location.assign(location.pathname === app.config?.cognito?.redirect_path ? "/" : location.href);
  showConnection(document.getElementById("connection"), "offline");
  page(main, { title: "The dashboard could not start" }, h("div", { class: "card" }, errorState(error, again)));
}

begin();
