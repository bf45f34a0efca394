/** The API: GET with a cache kept true by ETags, changes, downloads. Errors are `Problem`s. */

import * as auth from "./auth.js";

const BASE = "/api/v1";
const CACHED_ANSWERS = 60;
const AT_A_TIME = 6; // requests: on AWS each is a function, of which a new account runs ten at a time
const BUSY = [429, 503];
const SAID = { // of what API Gateway answers by itself
  401: "This sign-in is not accepted. Sign out, and in again.",
  429: "The server has too much to do just now. Try again in a moment.",
  503: "The server has too much to do just now. Try again in a moment.",
};
const PAUSES_MS = [300, 1_000, 2_500]; // before a busy server is asked again
const answers = new Map();

/** What went wrong: `message` is a sentence, `title` the kind of problem, `status` is 0 when the server was not reached. */
export class Problem extends Error {
  constructor({ title, detail = "", status = 0, errors = [] }) {
    super(detail || title);
    Object.assign(this, { name: "Problem", title, detail, status, errors });
  }
}

/** The address of `path` with `params`: null is left out, an array is repeated, site "" is left out (the default). */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(name, one);
    }
  }
  const text = query.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

async function problemOf(response) {
  const body = (response.headers.get("content-type") ?? "").includes("json") ? await response.json() : {};
  return new Problem({
    title: body.title ?? SAID[response.status] ?? `The server answered ${response.status}.`,
    detail: typeof body.detail === "string" ? body.detail : "",
    status: response.status,
    errors: body.errors ?? [],
  });
}

let asked = 0;
const waiting = [];

/** Ask when fewer than AT_A_TIME are being asked. */
async function inTurn(ask) {
  if (asked < AT_A_TIME) asked += 1;
  else await new Promise((resolve) => { waiting.push(resolve); });
  try {
    return await ask();
  } finally {
    if (waiting.length) waiting.shift()();
    else asked -= 1;
  }
}

/** fetch; what only reads is asked again where the server is busy. */
async function fetchPatiently(url, options) {
  const pauses = (options.method ?? "GET") === "GET" ? PAUSES_MS : [];
  for (const ms of pauses) {
    const response = await inTurn(() => fetch(url, options));
    if (!BUSY.includes(response.status)) return response;
    await new Promise((resolve) => { setTimeout(resolve, ms * (0.75 + Math.random() / 2)); });
  }
  return inTurn(() => fetch(url, options));
}

async function reach(url, options) {
  try {
    return await fetchPatiently(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The server cannot be reached. It may have been stopped, or the network is down." });
  }
}

/** fetch with the sign-in's header; a 401 signs in again and tries once more. Throws a Problem for an error status. */
export async function request(url, { headers = {}, ...options } = {}) {
  const ask = async () => reach(url, { ...options, headers: { ...headers, ...(await auth.headers()) } });
  let response = await ask();
  if (response.status === 401 && auth.isNeeded()) {
    await auth.renew();
    response = await ask();
  }
  if (!response.ok && response.status !== 304) throw await problemOf(response);
  return response;
}

function remember(url, answer) {
  answers.delete(url);
  answers.set(url, answer);
  if (answers.size > CACHED_ANSWERS) answers.delete(answers.keys().next().value);
}

/** GET as JSON. An answer that has not changed since the last time is not sent again. */
export async function get(path, params = {}, { signal } = {}) {
  const url = address(path, params);
  const known = answers.get(url);
  const headers = { Accept: "application/json", ...(known ? { "If-None-Match": known.etag } : {}) };
  const response = await request(url, { headers, signal });
  if (response.status === 304) {
    remember(url, known);
    return known.body;
  }
  const body = await response.json();
  const etag = response.headers.get("etag");
  if (etag) remember(url, { etag, body });
  return body;
}

/** POST, PUT or DELETE. A plain object is sent as JSON; text, a File or a Blob as it is. Returns the JSON answer, or null. */
export async function send(method, path, params = {}, body = undefined, { signal, headers = {} } = {}) {
  const isPlain = body !== undefined && typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype;
  const response = await request(address(path, params), {
    method,
    signal,
    body: isPlain ? JSON.stringify(body) : body,
    headers: { Accept: "application/json", ...(isPlain ? { "Content-Type": "application/json" } : {}), ...headers },
  });
  return response.status === 204 ? null : response.json();
}

function saveAs(href, filename) {
  const link = document.createElement("a");
  link.href = href;
  link.download = filename;
  link.click();
}

/** Save an answer as a file. Without a sign-in the browser fetches it itself, so that nothing is held in memory. */
export async function download(path, params, filename) {
  const url = address(path, params);
  if (!auth.isNeeded()) return saveAs(url, filename);
  const blob = await (await request(url)).blob();
  const href = URL.createObjectURL(blob);
  saveAs(href, filename);
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
