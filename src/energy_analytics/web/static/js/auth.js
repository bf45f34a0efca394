/** Who is asking: nobody in particular, the holder of a token, or a person who signs in at Cognito's hosted login. */

import * as cognito from "./cognito.js";
import { h } from "./dom.js";
import { modal } from "./overlays.js";

const TOKEN_KEY = "energy-token";
let kind = "none";
let renewing = null;

/** Take the server's word for how to sign in. For Cognito this may leave for the login and not return. */
export async function start(config) {
  kind = config.auth;
  if (kind === "cognito") await cognito.start(config.cognito);
  if (kind === "token" && !sessionStorage.getItem(TOKEN_KEY)) await renew();
}

export const isNeeded = () => kind !== "none";

/** The header of a request. */
export async function headers() {
  if (kind === "none") return {};
  const token = kind === "token" ? sessionStorage.getItem(TOKEN_KEY) : await cognito.accessToken();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** The server refused what was sent: ask again. Requests that come meanwhile wait for the same answer. */
export function renew() {
  renewing ??= (kind === "token" ? askForToken() : cognito.renew()).finally(() => { renewing = null; });
  return renewing;
}

/** Forget who it was. */
export async function signOut() {
  sessionStorage.removeItem(TOKEN_KEY);
  if (kind === "cognito") cognito.signOut();
  else location.reload();
}

async function isAccepted(token) {
  const response = await fetch("/api/v1/sites", { headers: { Authorization: `Bearer ${token}` } });
  return response.status !== 401;
}

function askForToken() {
  sessionStorage.removeItem(TOKEN_KEY);
  return new Promise((resolve) => {
    const field = h("input", { type: "password", name: "token", required: true, autocomplete: "current-password", id: "token", autofocus: true });
    const refusal = h("p", { class: "field-error", role: "alert" });
    const submit = async (event) => {
      event.preventDefault();
      const token = field.value.trim();
      if (!(await isAccepted(token))) {
        refusal.textContent = "The server does not know this token.";
        field.select();
        return;
      }
      sessionStorage.setItem(TOKEN_KEY, token);
      dialog.close();
      resolve();
    };
    const dialog = modal({
      title: "Sign in",
      isClosable: false,
      content: h("form", { onsubmit: submit, class: "stack" },
        h("label", { for: "token" }, "Access token"), field, refusal,
        h("p", { class: "muted" }, "It is the value of ENERGY_API_TOKEN of the server. It is kept until this tab is closed."),
        h("button", { class: "button primary", type: "submit" }, "Sign in")),
    });
  });
}
