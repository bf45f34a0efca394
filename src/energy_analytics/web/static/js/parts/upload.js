/** Bringing files: where to, the place to drop them, and how each of them fares. */

import { h, replace, uniqueId } from "../dom.js";
import * as format from "../format.js";
import { siteName } from "../pickers.js";
import { announce, errorState } from "../ui.js";
import { choice } from "./controls.js";
import { dropZone } from "./drop-zone.js";
import * as jobs from "./upload-jobs.js";
import { sentenceOf, verdict } from "./verdict.js";

const NEW_SITE = "\u0000new"; // no site can have this name
const UNDER_WAY = ["queued", "sending", "waiting", "running"];

const STATE_WORDS = {
  queued: "Waits for the files before it",
  waiting: "Arrived; waits for its run",
  running: "Being read and analysed",
  stopped: "Stopped; nothing was kept",
};

/** The part of the page: `{node, remove()}`. */
export function upload(ctx) {
  const list = h("ul", { class: "jobs" });
  const target = siteChoice(ctx);
  const isPresigned = ctx.config.uploads === "presigned";
  const zone = dropZone({
    text: "Drop files here",
    hint: `CSV, ${isPresigned ? "or CSV packed as .gz" : "packed as .gz or not, TSV or Parquet"}, with the columns timestamp, appliance, kwh. ${ctx.config.max_upload_bytes ? `At most ${format.bytes(ctx.config.max_upload_bytes)} each. ` : ""}A file with the name of an earlier one replaces it, as a correction.`,
    button: "Choose files",
    accept: isPresigned ? ".csv,.gz" : ".csv,.gz,.tsv,.txt,.parquet",
    isMultiple: true,
    onFiles: (files) => {
      const added = jobs.add(files, target.site());
      list.prepend(...added.map((job) => jobCard(job, { ctx, list })));
      announce(`${format.count(files.length, "file")} on the way.`);
    },
  });
  list.append(...jobs.all().map((job) => jobCard(job, { ctx, list })));
  return {
    node: h("div", { class: "stack" }, target.node, zone, list),
    remove: () => { for (const job of jobs.all()) if (job.listener?.list === list) job.listener = null; },
  };
}

/** The site that files are brought to: one that is there, or a new one by its name. */
function siteChoice(ctx) {
  const nameId = uniqueId("site-name");
  const name = h("input", { id: nameId, type: "text", autocomplete: "off", spellcheck: "false", maxlength: 200 });
  const field = h("div", { class: "field" },
    h("label", { for: nameId }, "Name of the new site"), name,
    h("p", { class: "muted" }, ctx.sites.some((one) => one.site === "") ? "For example plant-a." : "Optional. For example plant-a."));
  if (!ctx.sites.length) return { node: h("div", { class: "filters" }, field), site: () => name.value.trim() };
  const select = choice({
    label: "Site",
    choices: [...ctx.sites.map((one) => [one.site, siteName(one)]), [NEW_SITE, "A new site …"]],
    chosen: ctx.site.site,
    onChoose: (value) => {
      field.hidden = value !== NEW_SITE;
      if (!field.hidden) name.focus();
    },
  });
  field.hidden = true;
  const { control } = select;
  return { node: h("div", { class: "filters" }, select, field), site: () => (control.value === NEW_SITE ? name.value.trim() : control.value) };
}

/** How one file fares. Its words are read aloud as they change; its progress is not, there is too much of it. */
function jobCard(job, { ctx, list }) {
  const words = h("p", { class: "muted", role: "status" });
  const bar = h("progress", { max: 100, aria: { label: `${job.file.name}, sent` } });
  const actions = h("div", { class: "row" });
  const result = h("div", {});
  const place = job.site ? `to ${job.site}` : "to the root site";
  const node = h("li", { class: "job" },
    h("div", { class: "row spread" },
      h("p", {}, h("strong", {}, job.file.name), " ", h("span", { class: "muted" }, `${format.bytes(job.file.size)}, ${place}`)), actions),
    bar, words, result);
  const draw = () => {
    bar.hidden = !UNDER_WAY.includes(job.state);
    if (job.state === "running" || job.state === "waiting") bar.removeAttribute("value");
    else bar.value = 100 * job.share;
    const said = wordsOf(job);
    if (words.textContent !== said) words.textContent = said;
    words.classList.toggle("visually-hidden", Boolean(job.verdict)); // the verdict below says the same
    node.dataset.state = job.state;
  };
  let drawnState = null;
  job.listener = () => {
    draw();
    if (job.state === drawnState) return;
    drawnState = job.state;
    replace(actions, actionsOf(job, node));
    replace(result, resultOf(job, ctx));
  };
  job.listener.list = list; // whose card it is
  job.listener();
  return node;
}

function wordsOf(job) {
  if (job.state === "sending") return job.share < 1 ? "Sending" : "Sent; the server is taking it in";
  if (job.state === "waiting" && job.isSlow) return "Arrived; still waits for its run. You may leave this page: the run goes on without it.";
  if (job.state === "succeeded") return `Done. ${sentenceOf(job.verdict)}`;
  if (job.state === "failed") return `Not usable. ${job.verdict.error ?? ""}`;
  if (job.state === "refused") return "Not sent.";
  return STATE_WORDS[job.state];
}

function actionsOf(job, node) {
  if (job.state === "queued" || job.state === "sending") {
    return h("button", { type: "button", class: "button small", aria: { label: `Stop sending ${job.file.name}` }, onclick: () => jobs.stop(job) }, "Stop");
  }
  if (UNDER_WAY.includes(job.state)) return null;
  return h("button", {
    type: "button", class: "button small", aria: { label: `Close: ${job.file.name}` },
    onclick: () => {
      jobs.forget(job);
      const next = node.nextElementSibling?.querySelector("button") ?? node.closest(".stack").querySelector(".drop-zone button");
      node.remove();
      next.focus();
    },
  }, "Close");
}

/** Whether the same file may be taken another time; a form for the bucket that was too old (403) is made anew. */
const isPassing = ({ status }) => status === 0 || status === 403 || status >= 500;

function resultOf(job, ctx) {
  if (job.verdict) return verdict(job.verdict, ctx);
  if (job.error) return errorState(job.error, isPassing(job.error) ? () => jobs.retry(job) : null);
  return null;
}
