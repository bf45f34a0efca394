/** Changes as they happen: server-sent events read by fetch (so that a header can be sent), or polling with ETags. */

import { address, get, request } from "./api.js";

const SILENCE_MS = 45_000; // the server sends something every 15 s
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const POLL_MS = 10_000;
const HIDDEN_MS = 60_000; // a browser opens six connections to a server: a tab that nobody sees gives its own back

/**
 * Watch the server. `onState({sites: {site: version}, uploads: {key: state}})` is called at the start and at each change,
 * `onStatus("live" | "reconnecting" | "offline")` as the connection comes and goes, `site()` gives the site to poll.
 */
export function start({ kind, site, onState, onStatus }) {
  const once = kind === "polling" ? () => poll({ site, onState, onStatus }) : () => follow({ onState, onStatus });
  keepOn(once, onStatus);
}

async function keepOn(once, onStatus) {
  let waitMs = FIRST_WAIT_MS;
  for (;;) {
    await visible();
    const began = Date.now();
    try {
      await once();
    } catch (error) {
      console.info("The connection was lost:", error.message);
    }
    if (Date.now() - began > SILENCE_MS) waitMs = FIRST_WAIT_MS;
    onStatus(navigator.onLine && waitMs < 8 * FIRST_WAIT_MS ? "reconnecting" : "offline");
    await pause(waitMs * (0.75 + Math.random() / 2));
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** Wait until someone looks. */
const visible = () =>
  document.hidden ? new Promise((resolve) => { document.addEventListener("visibilitychange", resolve, { once: true }); }) : undefined;

/** Wait, but not longer than until the network is back. */
function pause(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}

async function follow({ onState, onStatus }) {
  const stop = new AbortController();
  let watchdog = 0;
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => stop.abort(), SILENCE_MS);
  };
  const lost = () => stop.abort();
  let farewell = 0;
  const seen = () => {
    clearTimeout(farewell);
    if (document.hidden) farewell = setTimeout(lost, HIDDEN_MS);
  };
  addEventListener("offline", lost);
  document.addEventListener("visibilitychange", seen);
  heard();
  try {
    const response = await request(address("/events"), { headers: { Accept: "text/event-stream" }, signal: stop.signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const take = eventReader((event) => {
      if (event.name === "state") onState(JSON.parse(event.data));
    });
    onStatus("live");
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      take(value);
    }
  } finally {
    clearTimeout(watchdog);
    clearTimeout(farewell);
    removeEventListener("offline", lost);
    document.removeEventListener("visibilitychange", seen);
    stop.abort();
  }
}

/** Takes pieces of an event stream and calls `onEvent({name, data})` for each whole event. */
export function eventReader(onEvent) {
  let rest = "";
  return (piece) => {
    const blocks = (rest + piece).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { name: "message", data: [] };
      for (const line of block.split("\n")) {
        if (line.startsWith("event:")) event.name = line.slice(6).trim();
        if (line.startsWith("data:")) event.data.push(line.slice(5).replace(/^ /, ""));
      }
      if (event.data.length) onEvent({ name: event.name, data: event.data.join("\n") });
    }
  };
}

async function poll({ site, onState, onStatus }) {
  for (;;) {
    if (!document.hidden) {
      const asked = site();
      const state = await get("/state", { site: asked }); // the answer is kept by its ETag: unchanged costs nothing
      onStatus("live");
      onState({ sites: { [asked]: state.version }, uploads: { waiting: state.waiting } });
    }
    await pause(POLL_MS);
  }
}
