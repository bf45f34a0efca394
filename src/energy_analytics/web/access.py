"""Who may ask: the token, the Host header, other sites' requests, and the headers that browsers enforce."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
API: Final = "/api/"
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_OUR_FAULT: Final = "Something went wrong on the server, which is a fault of the program. Its log tells more."

Kind = Literal["none", "token", "cognito"]


@dataclass(frozen=True, slots=True)
class Access:
    """How a person shows that they may ask."""

    kind: Kind
    hosts: frozenset[str] = frozenset()
    """Names under which an open server answers, in lower case; a page elsewhere could point a name of its own here."""
    _token: str = field(default="", repr=False)
    domain: str = ""
    client_id: str = ""
    issuer: str = ""

    @classmethod
    def open(cls, hosts: Iterable[str] = LOOPBACK) -> "Access":
        """Let everyone ask who reaches the server under one of these names: for loopback alone."""
        return cls("none", frozenset(host.lower().strip("[]") for host in hosts))

    @classmethod
    def token(cls, token: str) -> "Access":
        """Ask for a token with each request to the API."""
        if not token:
            raise ValueError("An empty token would let everyone in.")
        return cls("token", _token=token)

    @classmethod
    def gateway(cls, *, domain: str, client_id: str, issuer: str = "") -> "Access":
        """Trust the gateway in front, which lets nobody pass without a token of the user pool's."""
        return cls("cognito", domain=domain, client_id=client_id, issuer=issuer)

    def admits(self, headers: Headers) -> bool:
        """Tell whether the token fits, in a time that does not tell how much of it does."""
        if self.kind != "token":
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token.encode())

    def knows(self, headers: Headers) -> bool:
        """Tell whether the name that the server was reached under is one of its own."""
        if self.kind != "none":
            return True
        try:
            return (urlsplit(f"//{headers.get('host', '')}").hostname or "") in self.hosts
        except ValueError:
            return False


def content_security_policy(access: Access, *, bucket_origin: str = "") -> str:
    """Return what the dashboard's pages may load: only their own server's things, and what signing in needs."""
    domain = access.domain.rstrip("/")
    if domain and "://" not in domain:
        domain = f"https://{domain}"
    connect = " ".join(part for part in ("'self'", domain, bucket_origin) if part)
    return "; ".join((
        "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:",
        f"connect-src {connect}", "font-src 'self'", "frame-src 'self' blob:", "manifest-src 'self'",
        "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'",
    ))  # fmt: skip


REPORT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""For the report's own page, which has no script and which the dashboard shows within one of its own."""


class Guard:
    """ASGI middleware: refuses what must not pass, and puts the security headers on all that is answered."""

    def __init__(self, app: ASGIApp, *, access: Access, policy: str) -> None:
        self._app = app
        self._access = access
        self._headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = _Sending(send, self._headers)
        refused = self._refusal(scope)
        if refused is None:
            try:
                await self._app(scope, receive, sending)
            except Exception:  # The server puts it into its log, and nobody else would give the answer these headers.
                if not sending.has_begun:
                    await problem(500, _OUR_FAULT, instance=scope["path"])(scope, receive, sending)
                raise
            return
        status, detail, headers = refused
        await problem(status, detail, instance=scope["path"], headers=headers)(scope, receive, sending)

    def _refusal(self, scope: Scope) -> tuple[int, str, dict[str, str]] | None:
        headers = Headers(scope=scope)
        if not self._access.knows(headers):
            return 403, "This server answers under its own name only, such as localhost.", {}
        if scope["method"] not in _READING and _is_of_another_site(headers):
            return 403, "Pages of other sites may not change anything here.", {}
        if scope["path"].startswith(API) and not self._access.admits(headers):
            return 401, "The token is missing or wrong.", {"WWW-Authenticate": "Bearer"}
        return None


class _Sending:
    """Sends an answer with the headers that all of them have."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send = send
        self._headers = headers
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


def _is_of_another_site(headers: Headers) -> bool:
    """Tell whether a browser says that another site's page makes the request; what is no browser says nothing."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
