/** Forecast models and what their scores mean, in plain words. */

import { h } from "../dom.js";
import * as format from "../format.js";
import { table } from "../table.js";
import { badge } from "../ui.js";

const NAMES = {
  ensemble: "Ensemble",
  prophet: "Prophet",
  moving_average: "Moving average",
  seasonal_naive: "Same day of last week",
};
const NAIVE = "seasonal_naive";

/** The name of a model as a reader knows it. */
export const modelName = (model) => NAMES[model] ?? model.replaceAll("_", " ");

const share = (value) => (value === null ? null : 100 * value);

/** What the measures mean, each in a sentence about the model in use. */
export function meaning({ scores, model, interval_level: level }) {
  const used = scores.find((one) => one.model === model);
  if (!used) return [];
  const promised = format.percent(share(level ?? 0.8));
  return [
    `Each model forecast ${format.count(used.days, "day")} of this site’s own past, from the days before alone.`,
    used.mase !== null && ["MASE ", `weighs the mean error against that of taking the same day of the week before, over the year until the forecast: the lower, the better. ${modelName(model)} has ${format.number(used.mase, 2)}.`],
    used.wape !== null && ["WAPE ", `is the error as a share of what was used: the days were off by ${format.percent(share(used.wape))} on average.`],
    used.coverage !== null && ["Coverage ", `is how often a day fell into the range, which is made for ${promised} of the days: ${format.percent(share(used.coverage))} did.`],
  ].filter(Boolean);
}

/** Whether the model in use beats repeating the last week, in a sentence; null where that cannot be told. */
export function merit({ scores, model }) {
  const used = scores.find((one) => one.model === model);
  const naive = scores.find((one) => one.model === NAIVE);
  if (!used?.mase || !naive?.mase || model === NAIVE) return null;
  const gain = 100 * (1 - used.mase / naive.mase);
  return gain > 0
    ? `The model in use was ${format.percent(gain)} closer to what was read than repeating the last week.`
    : "No model was closer to what was read than repeating the last week.";
}

/** The models tried, the best first. */
export const scoreboard = ({ scores, model }) => table({
  caption: "Models tried on this site’s readings",
  sort: { key: "mase", descending: false },
  rows: scores,
  columns: [
    {
      key: "model", label: "Model", isRowHeader: true, value: (row) => modelName(row.model),
      cell: (row) => h("span", { class: "row tight" }, modelName(row.model), row.model === model && badge("in use", "good")),
    },
    { key: "mase", label: "MASE", isNumeric: true, cell: (row) => format.number(row.mase, 2) },
    { key: "wape", label: "WAPE", isNumeric: true, cell: (row) => format.percent(share(row.wape)) },
    { key: "coverage", label: "Coverage", isNumeric: true, cell: (row) => format.percent(share(row.coverage)) },
    { key: "days", label: "Days tried", isNumeric: true, cell: (row) => format.number(row.days) },
  ],
});
