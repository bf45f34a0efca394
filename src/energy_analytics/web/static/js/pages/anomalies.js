/** Anomalies: what went out of the usual, what it cost, and the readings that show it. */

import { h, replace } from "../dom.js";
import * as format from "../format.js";
import { choice, growingList, tick } from "../parts/controls.js";
import * as dismissal from "../parts/dismissal.js";
import { episodeChart } from "../parts/episode-chart.js";
import { chosen, costWords, episodeCard, ORDERS, STATUSES, when } from "../parts/episodes.js";
import { keepFocus } from "../parts/focus.js";
import { onlyNews } from "../parts/news.js";
import { emptyLake, emptyState, errorState, isAborted, page, segments, skeleton } from "../ui.js";

const CARDS_AT_A_TIME = 25;

/** What the address asks for; it is kept there, so that a link shows the same. */
function filterOf(query) {
  const status = query.get("status");
  return {
    scope: query.get("when") === "period" ? "period" : "all",
    appliance: query.get("appliance") ?? "",
    kind: query.get("kind") ?? "",
    status: STATUSES.some(([name]) => name === status) ? status : "standing",
    sort: query.get("sort") in ORDERS ? query.get("sort") : "cost",
    isDismissedShown: query.get("dismissed") === "shown",
    id: query.get("id"),
  };
}

const queryOf = (filter) => ({
  when: filter.scope === "period" ? "period" : null,
  appliance: filter.appliance || null,
  kind: filter.kind || null,
  status: filter.status === "standing" ? null : filter.status,
  sort: filter.sort === "cost" ? null : filter.sort,
  dismissed: filter.isDismissedShown ? "shown" : null,
  id: filter.id,
});

/** Show the page. */
export async function render(main, ctx) {
  if (!ctx.period) return void page(main, { title: "Anomalies" }, emptyLake(ctx));
  const view = new AnomaliesView(main, ctx);
  ctx.onChange(({ what, signal }) => view.changed(what, signal));
  await view.load(ctx.signal);
  await view.reveal();
  return () => view.close();
}

class AnomaliesView {
  constructor(main, ctx) {
    this.ctx = ctx;
    this.filter = filterOf(new URLSearchParams(location.search));
    this.periodLabel = ctx.period.label;
    this.data = null;
    this.opened = null;
    this.fresh = onlyNews();
    this.controls = h("div", { class: "filters", role: "search", aria: { label: "Which episodes" } });
    this.summary = h("p", { class: "list-summary", role: "status" });
    this.list = growingList({ step: CARDS_AT_A_TIME, unit: "episodes", class: "episodes", draw: (one) => this.card(one) });
    this.body = h("div", { class: "stack" }, skeleton(480));
    page(main, { title: "Anomalies", lead: "Times in which an appliance used more or less than usual, or not as usual." },
      this.controls, h("h2", { class: "visually-hidden" }, "Episodes"), this.summary, this.body);
  }

  async changed(what, signal) {
    if (what === "uploads") return;
    if (this.ctx.period.label !== this.periodLabel && what === "period") this.filter.scope = "period";
    this.periodLabel = this.ctx.period.label;
    this.keep();
    await this.load(signal);
  }

  async load(signal) {
    const { site, period } = this.ctx;
    let answer;
    const range = this.filter.scope === "period" ? period.params : {};
    try {
      answer = await this.ctx.api.get("/episodes", { site: site.site, include_dismissed: true, ...range }, { signal });
    } catch (error) {
      if (isAborted(error)) throw error;
      this.fresh.forget();
      replace(this.body, errorState(error, () => this.load(this.ctx.signal)));
      return;
    }
    this.fresh(answer, () => {
      this.data = { ...answer, episodes: answer.episodes.map((one) => ({ ...one })) };
      this.drawControls();
      this.draw({ atLeast: this.list.shown() });
    });
  }

  /** Write the filter into the address. */
  keep() {
    history.replaceState(null, "", this.ctx.href(location.pathname, queryOf(this.filter)));
  }

  choose(change) {
    Object.assign(this.filter, change);
    this.keep();
    if ("scope" in change) this.load(this.ctx.signal);
    else this.draw();
  }

  drawControls() {
    if (this.controls.contains(document.activeElement)) return;
    const { filter } = this;
    const named = (key) => [...new Set([...this.data.episodes.map((one) => one[key]), filter[key]])]
      .filter(Boolean).toSorted((a, b) => a.localeCompare(b)).map((name) => [name, name]);
    replace(this.controls,
      segments({
        label: "Time", choices: { all: "All time", period: this.ctx.period.label }, chosen: filter.scope,
        onChoose: (scope) => this.choose({ scope }),
      }),
      choice({ label: "Appliance", choices: [["", "All"], ...named("appliance")], chosen: filter.appliance, onChoose: (appliance) => this.choose({ appliance }) }),
      choice({ label: "Kind", choices: [["", "All"], ...named("kind")], chosen: filter.kind, onChoose: (kind) => this.choose({ kind }) }),
      choice({ label: "Status", choices: STATUSES, chosen: filter.status, onChoose: (status) => this.choose({ status }) }),
      choice({
        label: "Order", choices: Object.entries(ORDERS).map(([name, { label }]) => [name, label]), chosen: filter.sort,
        onChoose: (sort) => this.choose({ sort }),
      }),
      tick({ label: "Show dismissed", isTicked: filter.isDismissedShown, onChange: (isDismissedShown) => this.choose({ isDismissedShown }) }));
  }

  draw({ atLeast = 0 } = {}) {
    keepFocus(this.body, () => this.drawList(atLeast), this.controls.querySelector("select"));
  }

  drawList(atLeast) {
    const shown = chosen(this.data.episodes, this.filter);
    this.summarise(shown);
    this.closeDetail();
    if (!shown.length) {
      replace(this.body, this.nothing());
      return;
    }
    this.list.show(shown, { atLeast });
    if (!this.list.isConnected) replace(this.body, this.list);
    const opened = this.filter.id && this.cardOf(this.filter.id);
    if (opened) this.open(opened, this.episodeOf(this.filter.id));
  }

  summarise(shown) {
    const put = this.data.episodes.filter((one) => one.dismissed).length;
    const costs = shown.map((one) => one.cost).filter((cost) => cost !== null && cost > 0);
    const sum = costs.reduce((total, cost) => total + cost, 0);
    this.summary.textContent = [
      `${format.count(shown.length, "episode")}.`,
      costs.length ? `Those that used more than expected cost ${costWords(sum, this.data.currency)} than usual.` : "",
      put && !this.filter.isDismissedShown ? `${format.count(put, "dismissed one")} not shown.` : "",
    ].filter(Boolean).join(" ");
  }

  nothing() {
    const isNarrowed = this.data.episodes.some((one) => !one.dismissed);
    if (isNarrowed) {
      return emptyState({
        title: "No episode matches these choices.", text: "Other choices above show more.",
        action: h("button", { type: "button", class: "button", onclick: () => this.reset() }, "Show all"),
      });
    }
    return this.data.episodes.length
      ? emptyState({ title: "All episodes are dismissed.", text: "Tick “Show dismissed” to see them again." })
      : emptyState({
        title: this.filter.scope === "period" ? "Nothing unusual in this time." : "Nothing unusual was found.",
        text: "Of an appliance, what is usual is known after a few weeks of readings; before that, none of it can be unusual.",
      });
  }

  reset() {
    Object.assign(this.filter, { appliance: "", kind: "", status: "standing" });
    this.keep();
    this.drawControls();
    this.draw();
    this.controls.querySelector("select").focus();
  }

  episodeOf(id) {
    return this.data.episodes.find((one) => one.id === id);
  }

  cardOf(id) {
    return [...this.list.list.children].find((card) => card.dataset.id === id);
  }

  card(episode) {
    const card = episodeCard(episode, {
      currency: this.data.currency,
      onToggle: () => this.toggle(card, episode),
      onDismiss: () => this.dismiss(episode),
    });
    return card;
  }

  toggle(card, episode) {
    const isOpen = this.opened?.card === card;
    this.closeDetail();
    this.filter.id = isOpen ? null : episode.id;
    if (!isOpen) this.open(card, episode);
    this.keep();
  }

  open(card, episode) {
    const detail = episodeChart(this.ctx, episode);
    card.open(detail.node);
    this.opened = { card, detail };
  }

  closeDetail() {
    this.opened?.detail.remove();
    this.opened?.card.close();
    this.opened = null;
  }

  dismiss(episode) {
    dismissal.change({
      api: this.ctx.api,
      path: `/episodes/${encodeURIComponent(episode.id)}/dismissal`,
      site: this.ctx.site.site,
      isDismissed: !episode.dismissed,
      messages: {
        dismissed: `Dismissed: ${episode.appliance}, ${when(episode)}.`,
        restored: `${episode.appliance}, ${when(episode)}, is shown again.`,
      },
      onChange: (isDismissed) => {
        this.episodeOf(episode.id).dismissed = isDismissed;
        this.fresh.forget();
        this.draw({ atLeast: this.list.shown() });
      },
    });
  }

  /** Bring the episode of the address into view, whatever the filter hides. */
  async reveal() {
    const { id } = this.filter;
    if (!id || !this.data) return;
    const episode = this.episodeOf(id);
    if (!episode) {
      this.summary.append(" The episode of this link is not among them: a later upload has changed what is unusual.");
      return;
    }
    if (episode.dismissed) this.filter.isDismissedShown = true;
    if (!chosen([episode], this.filter).length) Object.assign(this.filter, { appliance: "", kind: "", status: "all" });
    if (!this.cardOf(id)) {
      this.drawControls();
      this.draw({ atLeast: chosen(this.data.episodes, this.filter).findIndex((one) => one.id === id) + 1 });
    }
    const card = this.cardOf(id);
    card.scrollIntoView({ block: "start" });
    card.querySelector(".episode-toggle").focus({ preventScroll: true });
  }

  close() {
    this.opened?.detail.remove();
  }
}
