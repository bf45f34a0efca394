/** A chart on the page: a figure with heading, summary, drawing, legend and the same data as a table. */

import { h, replace, uniqueId } from "./dom.js";
import { table } from "./table.js";

const COLOURS = 10;
const PRINT_WIDTH_PX = 680;
const charts = new Set();
let appliances = [];
let theme = null;
let plotly = null;
let drawing = Promise.resolve();

/** The site's appliances, largest first: an appliance has the same colour on every page. */
export function setAppliances(names) {
  appliances = names;
}

/** The colour of an appliance: the ten largest have their own, the others share one. */
export function colourOf(appliance) {
  const { series, others } = currentTheme();
  const place = appliances.indexOf(appliance);
  return place >= 0 && place < COLOURS ? series[place] : others;
}

/** The same as the style sheet's name for it, for marks in the page: they follow the theme by themselves. */
export function markOf(appliance) {
  const place = appliances.indexOf(appliance);
  return `var(--${place >= 0 && place < COLOURS ? `series-${place + 1}` : "others"})`;
}

/** `[{appliance, kwh}]` with all but the site's ten largest appliances added up: `{name, values, colour}`, largest first. */
export function grouped(series) {
  const place = ({ appliance }) => (appliances.indexOf(appliance) + 1 || Infinity);
  const ordered = series.toSorted((a, b) => place(a) - place(b));
  const own = ordered.slice(0, COLOURS).map(({ appliance, kwh }) => ({ name: appliance, values: kwh, colour: colourOf(appliance) }));
  const rest = ordered.slice(COLOURS);
  if (!rest.length) return own;
  const sum = rest[0].kwh.map((_, index) => total(rest.map(({ kwh }) => kwh[index])));
  return [...own, { name: rest.length === 1 ? "1 other" : `${rest.length} others`, values: sum, colour: currentTheme().others }];
}

/** The sum of what is known, null when nothing is. */
export function total(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
}

/** Colours of the page as it is now, read from its style sheet. */
export function currentTheme() {
  if (theme) return theme;
  const probe = h("span", { hidden: true });
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  theme = {
    text: colour("text"), muted: colour("muted"), grid: colour("grid"), surface: colour("surface"), line: colour("border"),
    accent: colour("accent"), warn: colour("warn"), others: colour("others"), heatLow: colour("heat-low"), heatMid: colour("heat-mid"), heatHigh: colour("heat-high"),
    series: Array.from({ length: COLOURS }, (_, index) => colour(`series-${index + 1}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return theme;
}

/** The same colour, let through in part. */
export const faint = (colour, alpha) => colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);

/** Draw every chart again, in the colours that hold now. */
export function redrawCharts() {
  theme = null;
  for (const chart of charts) {
    if (chart.node.isConnected) chart.redraw();
    else chart.remove();
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);

addEventListener("beforeprint", () => {
  const { theme: chosen } = document.documentElement.dataset;
  document.documentElement.dataset.theme = "light";
  theme = null;
  for (const chart of charts) chart.drawNow({ width: PRINT_WIDTH_PX, hasNewColours: true });
  addEventListener("afterprint", () => {
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
    redrawCharts();
  }, { once: true });
});

/** Plotly, loaded when the first chart asks for it, after what the page can show without. */
function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = h("script", { src: document.body.dataset.plotly });
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error("Plotly was not loaded")));
    const begin = () => document.head.append(script);
    if (window.requestIdleCallback) requestIdleCallback(begin, { timeout: 400 });
    else setTimeout(begin, 100);
  });
  return plotly;
}

/** One drawing after the other, with room for clicks and scrolling between them. */
function queue(draw) {
  drawing = drawing.then(() => new Promise((resolve) => { setTimeout(resolve, 0); })).then(draw);
  return drawing;
}

/**
 * A chart of `build(options, theme)`, which gives `{traces, layout, axis, yaxis, legend, table}`.
 * Options of every chart: `title`, `summary` (a sentence), `isTitleHidden`, `height` (px; the least, if `isFilling` its box), `onZoom(from, to)`.
 * Returns `{node, update(options), remove()}`.
 */
export function createChart(build, firstOptions) {
  let options = firstOptions;
  const [titleId, summaryId] = [uniqueId("chart"), uniqueId("summary")];
  const hidden = new Set();
  const title = h("h3", { id: titleId });
  const summary = h("p", { id: summaryId, class: "chart-summary" });
  const plot = h("div", { class: "plot", role: "img", aria: { labelledby: `${titleId} ${summaryId}` } });
  const legend = h("div", { class: "legend", role: "group", aria: { label: "Series" } });
  const details = h("details", { class: "chart-table" });
  const node = h("figure", { class: "chart", aria: { labelledby: titleId, describedby: summaryId } },
    h("figcaption", {}, title, summary), plot, legend,
    h("div", { class: "chart-foot" }, details, h("button", { type: "button", class: "link-button quiet no-print", onclick: () => savePicture(plot, options.title) }, "Save picture")));
  details.addEventListener("toggle", () => showTable());

  const showTable = () => {
    if (!details.open) return;
    const { columns, rows } = build(options, currentTheme()).table;
    details.querySelector(".table-box")?.remove();
    details.append(table({ caption: options.title, columns, rows, isCompact: true }));
  };

  const showLegend = (entries) => replace(legend, (entries ?? []).length < 2 ? [] : entries.map(({ name, label = name, colour, mark = "block" }) =>
    h("button", {
      type: "button", class: "legend-item", aria: { pressed: !hidden.has(name) }, title: "Show or hide",
      onclick: (event) => {
        if (!hidden.delete(name)) hidden.add(name);
        event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(name)));
        chart.redraw();
      },
    }, h("span", { class: "legend-mark", dataset: { mark }, style: { "--mark": colour } }), label)));

  const drawNow = ({ width, hasNewColours } = {}) => {
    if (!window.Plotly || !node.isConnected) return;
    const built = build(options, currentTheme());
    if (hasNewColours) showLegend(built.legend);
    const traces = built.traces.map((trace) => ({ ...trace, visible: !hidden.has(trace.legendgroup ?? trace.name) }));
    window.Plotly.react(plot, traces, layoutOf({ built, options, width }), CONFIG);
    plot.removeAllListeners?.("plotly_relayout");
    if (options.onZoom) plot.on("plotly_relayout", (event) => zoomed(event, options.onZoom));
  };

  const chart = {
    node,
    drawNow,
    redraw: () => {
      const { legend: entries } = build(options, currentTheme());
      if (!legend.contains(document.activeElement)) showLegend(entries);
      queue(async () => {
        try {
          await loadPlotly();
          drawNow();
        } catch (error) {
          console.error(error);
          replace(plot, h("p", { class: "muted" }, "The chart could not be drawn. The table below has its numbers."));
        }
      });
    },
    update: (next) => {
      options = { ...options, ...next };
      title.textContent = options.title;
      title.classList.toggle("visually-hidden", Boolean(options.isTitleHidden));
      summary.textContent = options.summary ?? "";
      plot.style[options.isFilling ? "minHeight" : "height"] = `${options.height ?? 300}px`;
      if (!details.hasChildNodes()) details.append(h("summary", {}, "Show as table"));
      showTable();
      chart.redraw();
      return chart;
    },
    remove: () => {
      charts.delete(chart);
      sizes.disconnect();
      window.Plotly?.purge(plot);
    },
  };
  const sizes = new ResizeObserver(() => {
    if (plot.querySelector(".main-svg") && node.isConnected) window.Plotly.Plots.resize(plot);
  });
  sizes.observe(plot);
  charts.add(chart);
  return chart.update(options);
}

// No bar of buttons over the drawing: to a screen reader the drawing is one picture, and what it could do stands below it.
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false };

function savePicture(plot, title) {
  const filename = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return window.Plotly?.downloadImage(plot, { format: "png", scale: 2, filename, width: plot.clientWidth, height: plot.clientHeight });
}

function zoomed(event, onZoom) {
  const [from, to] = [event["xaxis.range[0]"], event["xaxis.range[1]"]];
  if (from && to) onZoom(String(from).replace(" ", "T").slice(0, 19), String(to).replace(" ", "T").slice(0, 19));
}

/** The decimal sign and the sign between thousands, as the browser's numbers have them. */
function separators() {
  const parts = new Intl.NumberFormat(undefined, { useGrouping: "always" }).formatToParts(1234567.8);
  const of = (type, otherwise) => parts.find((part) => part.type === type)?.value ?? otherwise;
  return of("decimal", ".") + of("group", " ");
}

function layoutOf({ built, options, width }) {
  const base = baseLayout(options, currentTheme());
  return {
    ...base,
    ...built.layout,
    xaxis: { ...base.xaxis, ...built.axis },
    yaxis: { ...base.yaxis, ...built.yaxis },
    height: options.isFilling && !width ? undefined : options.height ?? 300,
    width,
    autosize: !width,
  };
}

function baseLayout({ onZoom }, { text, muted, grid, surface, line, font }) {
  const axis = { gridcolor: grid, linecolor: line, zeroline: false, tickfont: { color: muted, size: 12 }, automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: font, color: text, size: 13 },
    separators: separators(),
    margin: { l: 44, r: 8, t: 12, b: 32 },
    showlegend: false,
    hovermode: "x unified",
    hoverlabel: { bgcolor: surface, bordercolor: line, font: { family: font, color: text, size: 13 } },
    dragmode: onZoom && !matchMedia("(pointer: coarse)").matches ? "zoom" : false,
    xaxis: { ...axis, showgrid: false, fixedrange: !onZoom },
    yaxis: { ...axis, rangemode: "tozero", fixedrange: true, nticks: 6 },
  };
}
