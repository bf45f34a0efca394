/** Files on their way: one after the other, told from the first byte to the verdict. They go on while other pages are shown. */

import { get } from "../api.js";
import { isAborted } from "../ui.js";
import { sendFile } from "./sending.js";

const FIRST_LOOK_MS = 600;
const LONGEST_LOOK_MS = 5_000;
const PATIENCE_MS = 30_000;

/** What can be said of a job: `state` is queued, sending, waiting, running, succeeded, failed, refused or stopped. */
class Job {
  constructor(file, site) {
    Object.assign(this, { file, site, state: "queued", share: 0, key: null, verdict: null, error: null, isSlow: false, listener: null, stop: new AbortController() });
  }

  set(change) {
    Object.assign(this, change);
    this.listener?.(this);
  }
}

const jobs = [];
let turn = Promise.resolve();
let wake = null;

/** Jobs of this tab, the newest first. */
export const all = () => jobs;

/** Whether a file is on its way, so that closing the tab would lose it. */
export const isSending = () => jobs.some((job) => job.state === "queued" || job.state === "sending");

/** Send files to a site, each after the one before. */
export function add(files, site) {
  const added = files.map((file) => new Job(file, site));
  jobs.unshift(...added);
  for (const job of added) {
    turn = turn.then(() => send(job));
  }
  return added;
}

/** Send a file again that did not arrive. */
export function retry(job) {
  job.stop = new AbortController();
  job.set({ state: "queued", share: 0, error: null });
  turn = turn.then(() => send(job));
}

/** Stop sending. */
export function stop(job) {
  job.stop.abort();
  job.set({ state: "stopped" });
}

/** Take a job off the list. */
export function forget(job) {
  jobs.splice(jobs.indexOf(job), 1);
}

/** The server has news of uploads: look now. */
export function lookNow() {
  wake?.();
}

addEventListener("beforeunload", (event) => { if (isSending()) event.preventDefault(); });

async function send(job) {
  if (job.state === "stopped") return;
  job.set({ state: "sending" });
  try {
    const key = await sendFile(job.file, { site: job.site, onProgress: (share) => job.set({ share }), signal: job.stop.signal });
    job.set({ state: "waiting", share: 1, key });
    await follow(job);
  } catch (error) {
    if (isAborted(error)) job.set({ state: "stopped" });
    else job.set({ state: "refused", error });
  }
}

/** Ask how the run stands until there is a verdict. A file that waits long does not hold up the next. */
async function follow(job) {
  const path = `/uploads/${job.key.split("/").map(encodeURIComponent).join("/")}`;
  const began = Date.now();
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 1.4, LONGEST_LOOK_MS)) {
    const verdict = await lookAt(path, job);
    if (verdict?.state === "succeeded" || verdict?.state === "failed") {
      job.set({ state: verdict.state, verdict });
      return;
    }
    const isSlow = Date.now() - began > PATIENCE_MS;
    if (verdict && (verdict.state !== job.state || isSlow !== job.isSlow)) job.set({ state: verdict.state, isSlow });
    await pause(waitMs);
  }
}

/** How an upload stands; null when the server cannot tell for the moment. */
async function lookAt(path, job) {
  try {
    return await get(path, {}, { signal: job.stop.signal });
  } catch (error) {
    const isPassing = error.status === 0 || error.status === 404 || error.status >= 500;
    if (!isPassing) throw error;
    return null;
  }
}

function pause(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
