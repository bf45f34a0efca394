"""Visiting the web dashboard as a browser does: its address, the hosted login with PKCE, and requests with a token."""

import base64
import hashlib
import http.client
import json
import re
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from emulator import Emulator

PASSWORD = "Kilowatt-hours 4 all!"  # noqa: S105 - of nobody


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as data."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Visitor:
    """Somebody at the dashboard's address."""

    aws: Emulator
    url: str

    def get(self, path: str, token: str | None = None, **headers: str) -> Answer:
        """Read something."""
        return self.ask("GET", path, token, **headers)

    def ask(
        self, method: str, path: str, token: str | None = None, body: bytes | None = None, **headers: str
    ) -> Answer:
        """Send a request. The emulator listens on the loopback address under the API's name."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        return request(self.aws, method, path, body, given, host=urlsplit(self.url).netloc)


def request(
    aws: Emulator, method: str, path: str, body: bytes | None, headers: Mapping[str, str], host: str | None = None
) -> Answer:
    """Send one request to the emulator."""
    place = urlsplit(aws.endpoint)
    context = ssl.create_default_context(cafile=str(aws.ca_bundle))
    connection = http.client.HTTPSConnection(str(place.hostname), place.port, timeout=60, context=context)
    try:
        connection.request(method, path, body, {"Host": host or place.netloc, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def add_user(aws: Emulator, pool_id: str, email: str) -> str:
    """Make a user as the guide says; return the temporary password, which the mail would tell."""
    temporary = f"Aa1!{secrets.token_urlsafe(12)}"
    aws.client("cognito-idp").admin_create_user(
        UserPoolId=pool_id,
        Username=email,
        TemporaryPassword=temporary,
        UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
    )
    return temporary


def sign_in(aws: Emulator, client_id: str, url: str, *, email: str, password: str, new: str | None = None) -> Any:
    """Sign in by the hosted login, as the page in the browser does; return what the token endpoint gives."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = f"{url}signed-in"
    asked = {
        "client_id": client_id,
        "redirect_uri": back,
        "response_type": "code",
        "scope": "openid email",
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    shown = request(aws, "GET", f"/oauth2/authorize?{urlencode(asked)}", None, {})
    assert shown.status == 200, shown.body
    given = _form(aws, "/login", asked | {"username": email, "password": password})
    if new is not None:
        [session] = re.findall(rb'name="np_token" value="([^"]+)"', given.body)
        given = _form(aws, "/login", {"np_token": session.decode(), "new_password": new, "confirm_password": new})
    assert given.status == 302, given.body
    assert given.headers["location"].startswith(back)
    [code] = parse_qs(urlsplit(given.headers["location"]).query)["code"]
    exchange = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": back, "code": code}
    tokens = _form(aws, "/oauth2/token", exchange | {"code_verifier": verifier})
    assert tokens.status == 200, tokens.body
    return tokens.json()


def _form(aws: Emulator, path: str, fields: Mapping[str, str]) -> Answer:
    return request(aws, "POST", path, urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
