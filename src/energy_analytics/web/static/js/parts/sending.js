/** Sending a file to where the server says: straight to it, or as a form to the bucket. Neither reads it into memory. */

import { get, Problem } from "../api.js";
import * as auth from "../auth.js";

/**
 * Send a file; resolves to its key. `onProgress(share)` is told from 0 to 1, `signal` stops it.
 * Throws a `Problem` with the server's words.
 */
export async function sendFile(file, { site, onProgress, signal }) {
  if (!file.size) throw new Problem({ title: "The file is empty.", status: 422 });
  const target = await get("/uploads/target", { site, name: file.name, size_bytes: file.size }, { signal });
  const isForm = Boolean(target.fields);
  const once = async () => post(target.url, {
    body: isForm ? formOf(target.fields, file) : file,
    headers: isForm ? {} : { Accept: "application/json", "Content-Type": "application/octet-stream", ...(await auth.headers()) },
    onProgress,
    signal,
  });
  let response = await once();
  if (response.status === 401 && !isForm && auth.isNeeded()) {
    await auth.renew();
    response = await once();
  }
  if (response.status >= 400) throw refusal(response);
  return response.body?.key ?? target.key;
}

function formOf(fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file); // S3 reads nothing that comes after the file
  return form;
}

/** POST with progress, which fetch does not tell: `{status, body}`. */
function post(url, { body, headers, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const stop = () => xhr.abort();
    xhr.open("POST", url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener("progress", (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); });
    xhr.addEventListener("load", () => resolve({ status: xhr.status, text: xhr.responseText, body: jsonOf(xhr) }));
    xhr.addEventListener("error", () => reject(new Problem({ title: "The file could not be sent", detail: "The connection was lost. Nothing was kept; try again." })));
    xhr.addEventListener("abort", () => reject(new DOMException("Stopped", "AbortError")));
    xhr.addEventListener("loadend", () => signal.removeEventListener("abort", stop));
    signal.addEventListener("abort", stop);
    xhr.send(body);
  });
}

const jsonOf = (xhr) => ((xhr.getResponseHeader("content-type") ?? "").includes("json") ? JSON.parse(xhr.responseText) : null);

/** The server's problem, or what S3 says as XML, as words. */
function refusal({ status, text, body }) {
  if (body) return new Problem({ title: body.title, detail: body.detail ?? "", status, errors: body.errors });
  const said = new DOMParser().parseFromString(text, "text/xml").querySelector("Message")?.textContent;
  return new Problem({ title: "The file was refused", detail: said ?? `The server answered ${status}.`, status });
}
