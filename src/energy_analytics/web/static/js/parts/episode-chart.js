/** The readings of an episode against what was to be expected, with some days before and after. */

import * as charts from "../charts.js";
import { h } from "../dom.js";
import { errorState, isAborted, skeleton } from "../ui.js";
import { excessWords, when } from "./episodes.js";

const HEIGHT_PX = 260;

/** A node that fetches and draws: `{node, remove()}`. */
export function episodeChart(ctx, episode) {
  const stop = new AbortController();
  const node = h("div", { class: "episode-chart" }, skeleton(HEIGHT_PX + 60));
  const part = { node, chart: null, remove: () => { stop.abort(); part.chart?.remove(); } };
  fill(part, ctx, episode, AbortSignal.any([stop.signal, ctx.signal]));
  return part;
}

async function fill(part, ctx, episode, signal) {
  try {
    const { series } = await ctx.api.get(`/episodes/${encodeURIComponent(episode.id)}`, { site: ctx.site.site }, { signal });
    part.chart = draw(episode, series);
    part.node.replaceChildren(part.chart.node);
  } catch (error) {
    if (isAborted(error)) return;
    part.node.replaceChildren(errorState(error, () => {
      part.node.replaceChildren(skeleton(HEIGHT_PX + 60));
      fill(part, ctx, episode, signal);
    }));
  }
}

const draw = (episode, series) => charts.line({
  title: `${episode.appliance}, used and expected`,
  isTitleHidden: true,
  summary: `The shaded time is the episode, ${when(episode)}: ${excessWords(episode)} than expected.`,
  height: HEIGHT_PX,
  timestamps: series.timestamps,
  resolution: series.resolution,
  series: [
    { name: "Used", values: series.actual_kwh },
    { name: "Expected", values: series.expected_kwh, isDashed: true },
  ],
  marks: [{ from: episode.start, to: episode.end, label: episode.kind }],
});
