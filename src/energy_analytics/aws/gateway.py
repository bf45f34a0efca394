"""Between the HTTP API and the dashboard's application: who may pass, and how big an answer may be.

The API's authorizer has looked at the token before the function is called. This is the second look: at the path that
the application will see, which is decoded once more than the one that the API chose its route by.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Final, Protocol

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guarded(Protocol):
    """An application as the adapter takes one."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Answer a request."""


ANSWER_LIMIT_BYTES: Final = 6 * 1024 * 1024 - 4096
"""Of a function's answer, as JSON, less what its headers take. Lambda sends no more than 6 MB."""
_MEASURED_FROM: Final = ANSWER_LIMIT_BYTES // 6
"""A text's characters take at most six bytes each in JSON, so a shorter one needs no look."""
_MB: Final = 1_000_000


def signed_in_only(app: Application, *, client_id: str) -> Guarded:
    """Return the application with its API shut to every event that the API's authorizer has not let through."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_of_the_api(scope["path"]) and not is_signed_in(scope, client_id=client_id):
            await _refuse(scope["path"], send)
            return
        await app(scope, receive, send)

    return guarded


def is_signed_in(scope: Mapping[str, Any], *, client_id: str) -> bool:
    """Tell whether the event behind a request carries the claims of an access token that this client was given."""
    claims = claims_of(scope.get("aws.event", {}))
    return claims.get("client_id") == client_id and claims.get("token_use") == "access" and bool(claims.get("sub"))


def claims_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the authorizer has put into an event, nothing when there was none."""
    found: Any = event
    for name in ("requestContext", "authorizer", "jwt", "claims"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def within_limit(answer: dict[str, Any], *, path: str) -> dict[str, Any]:
    """Return the answer, or in place of one that Lambda would not send a problem that says what to do."""
    body = answer.get("body", "")
    if len(body) <= _MEASURED_FROM:
        return answer
    size = len(body) if answer.get("isBase64Encoded") else len(json.dumps(body))
    if size <= ANSWER_LIMIT_BYTES:
        return answer
    sent = len(base64.b64decode(body)) if answer.get("isBase64Encoded") else len(body.encode())
    problem = {
        "type": "about:blank",
        "title": "Answer too large",
        "status": 413,
        "detail": (
            f"The answer has {sent / _MB:.1f} MB packed, and about 4.7 MB pass through AWS Lambda. Ask for a shorter "
            "period or a coarser resolution; `energy query` and Athena have no such limit."
        ),
        "instance": path,
    }
    return {
        "statusCode": 413,
        "headers": {"content-type": "application/problem+json", "cache-control": "no-store"},
        "body": json.dumps(problem),
        "isBase64Encoded": False,
    }


def _is_of_the_api(path: str) -> bool:
    """Tell whether a path is, or could be taken for, one of the API's."""
    return path.lstrip("/").lower().startswith("api")


async def _refuse(path: str, send: Send) -> None:
    problem = {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Sign in to the dashboard, and send the access token with the request.",
        "instance": path,
    }
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        (b"www-authenticate", b"Bearer"),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
