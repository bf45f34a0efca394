/** Sign-in by Cognito's hosted login: authorization code with PKCE (RFC 7636). Tokens live in sessionStorage. */

const TOKENS_KEY = "energy-cognito-tokens";
const PENDING_KEY = "energy-cognito-pending";
const EARLY_MS = 60_000; // a token is renewed this long before it ends
let settings = null;

/** The login did not answer: the network's fault, not the token's. */
class UnreachedError extends Error {}

const base = () => (/^https?:\/\//.test(settings.domain) ? settings.domain : `https://${settings.domain}`).replace(/\/$/, "");
const redirectUri = () => location.origin + settings.redirect_path;
const stored = (key) => JSON.parse(sessionStorage.getItem(key) ?? "null");

const base64Url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const random = () => base64Url(crypto.getRandomValues(new Uint8Array(32)));

const challengeOf = async (verifier) =>
  base64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));

/** Finish a sign-in that has come back, or begin one when there are no tokens. */
export async function start(config) {
  settings = config;
  if (location.pathname === settings.redirect_path) return comeBack();
  if (!stored(TOKENS_KEY)) await leaveForLogin();
}

async function leaveForLogin() {
  const [state, verifier] = [random(), random()];
  const target = location.pathname === settings.redirect_path ? "/" : location.pathname + location.search;
  sessionStorage.setItem(PENDING_KEY, JSON.stringify({ state, verifier, target }));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: settings.client_id,
    redirect_uri: redirectUri(),
    scope: "openid email",
    state,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
  });
  location.assign(`${base()}/oauth2/authorize?${query}`);
  return new Promise(() => {}); // the page is left
}

async function comeBack() {
  const query = new URLSearchParams(location.search);
  const pending = stored(PENDING_KEY);
  sessionStorage.removeItem(PENDING_KEY);
  if (query.get("error")) throw new Error(`The login refused: ${query.get("error_description") ?? query.get("error")}`);
  if (!query.get("code")) {
    history.replaceState(null, "", "/");
    return stored(TOKENS_KEY) ? undefined : leaveForLogin();
  }
  if (!pending || pending.state !== query.get("state")) {
    throw new Error("This sign-in was not begun in this tab. Open the dashboard again to sign in.");
  }
  await exchange({ grant_type: "authorization_code", code: query.get("code"), redirect_uri: redirectUri(), code_verifier: pending.verifier });
  history.replaceState(null, "", pending.target);
}

async function exchange(form) {
  const response = await fetch(`${base()}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: settings.client_id, ...form }),
  }).catch(() => { throw new UnreachedError("The login cannot be reached. The network may be down."); });
  if (!response.ok) throw new Error(`The sign-in could not be finished: the login answered ${response.status}. Try again.`);
  const answer = await response.json();
  sessionStorage.setItem(TOKENS_KEY, JSON.stringify({
    access: answer.access_token,
    refresh: answer.refresh_token ?? stored(TOKENS_KEY)?.refresh ?? null,
    ends_ms: Date.now() + answer.expires_in * 1000,
  }));
}

let refreshing = null;

/** A token that is valid for a while yet. */
export async function accessToken() {
  const tokens = stored(TOKENS_KEY);
  if (tokens && tokens.ends_ms - Date.now() < EARLY_MS) await renew();
  return stored(TOKENS_KEY)?.access ?? null;
}

/** New tokens by the refresh token; without one, or when it has ended, by the login. */
export function renew() {
  refreshing ??= refresh().finally(() => { refreshing = null; });
  return refreshing;
}

async function refresh() {
  const token = stored(TOKENS_KEY)?.refresh;
  try {
    if (token) return await exchange({ grant_type: "refresh_token", refresh_token: token });
  } catch (error) {
    if (error instanceof UnreachedError) throw error;
  }
  sessionStorage.removeItem(TOKENS_KEY);
  return leaveForLogin();
}

/** Forget the tokens and end the login's own session. */
export function signOut() {
  sessionStorage.removeItem(TOKENS_KEY);
  const query = new URLSearchParams({ client_id: settings.client_id, logout_uri: `${location.origin}/` });
  location.assign(`${base()}/logout?${query}`);
}
