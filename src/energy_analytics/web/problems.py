"""What can go wrong with a request, told as problem details (RFC 9457)."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import duckdb
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from ..calendar import UnknownHolidaysError
from ..intake import UnusableUploadError
from ..lake import GoneError, LakeError
from ..money import CarbonError
from ..settings import SettingsError
from ..tariff import TariffError
from ..words import without_credentials

MEDIA_TYPE: Final = "application/problem+json"
_AGAIN_SECONDS: Final = 1
"""After which a request that met a change of the lake may be sent again."""
_MOST_ERRORS: Final = 20
_SAID: Final = {
    404: "There is nothing at {path}.",
    405: "{path} cannot be asked with {method}.",
}
_TIME: Final = "A time is 2026-03-01, 2026-03-01T12:00 or 2026-03-01T12:00+01:00, of the years 1000 to 2999."
_ALLOWED: Final = {
    "name": "A file's name ends in .csv, .csv.gz, .tsv, .txt or .parquet,"
    " without a slash and with at most 70 letters before.",
    "site": "A site is a folder, or folders between slashes, each of at most 60 letters and digits,"
    " none beginning with a space, a dot or an underscore.",
    "from": _TIME,
    "to": _TIME,
}
"""What a parameter may be, for a person: its pattern is for programs."""
_OF_EXCEPTIONS: Final[Mapping[type[Exception], int]] = {
    UnusableUploadError: 422,
    TariffError: 409,
    CarbonError: 409,
    SettingsError: 409,
    UnknownHolidaysError: 409,
    GoneError: 503,
    LakeError: 503,
    duckdb.OutOfMemoryException: 503,
    duckdb.IOException: 503,
}
"""What the layers below raise for something that is no fault of ours. The first that fits counts."""


class ProblemError(Exception):
    """A request that cannot be answered; `detail` is a sentence for the person who asked."""

    def __init__(
        self, status: int, detail: str, *, errors: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers


def problem(
    status: int,
    detail: str,
    *,
    instance: str,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Write a problem as the answer to a request for `instance`."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": without_credentials(detail),
        "instance": instance,
    }
    if errors:
        content["errors"] = list(errors)
    return Response(orjson.dumps(content, default=str), status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI, *, page: Callable[[Request], Response | None]) -> None:
    """Have every exception answered as a problem; what is a fault of ours is left to the outermost middleware.

    `page` gives what a person sees at an address where there is nothing, None to whom a problem says more.
    """

    def nothing_there(request: Request, error: Exception) -> Response:
        shown = page(request) if isinstance(error, HTTPException) and error.status_code == 404 else None
        return shown or _of_routing(request, error)

    app.add_exception_handler(ProblemError, _own)
    app.add_exception_handler(HTTPException, nothing_there)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    for kind in _OF_EXCEPTIONS:
        app.add_exception_handler(kind, _of_below)


def _own(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - what it was registered for
    return problem(
        error.status, error.detail, instance=request.url.path, errors=error.errors, headers=dict(error.headers)
    )


def _of_routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it was registered for
    said = _SAID.get(error.status_code, str(error.detail))
    detail = said.format(path=request.url.path, method=request.method) if error.status_code in _SAID else said
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return problem(error.status_code, detail, instance=request.url.path, headers=headers)


def _methods(request: Request) -> list[str]:
    """Return all methods that an address knows; the routing tells those of its first route only."""
    found = set()
    for method in ("GET", "POST", "PUT", "DELETE"):
        scope = dict(request.scope) | {"method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes):
            found.add(method)
    return sorted(found)


def _of_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it was registered for
    faults = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": _said_of(one)}
        for one in error.errors()[:_MOST_ERRORS]
    ]
    told = "; ".join(f"{fault['where'].partition('.')[2] or fault['where']}: {fault['what']}" for fault in faults)
    return problem(
        422, f"The request cannot be understood: {told.removesuffix('.')}.", instance=request.url.path, errors=faults
    )


def _said_of(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "string_pattern_mismatch" and fault["loc"][-1] in _ALLOWED:
        return _ALLOWED[fault["loc"][-1]]
    return str(fault["msg"])


def _of_below(request: Request, error: Exception) -> Response:
    status = next(number for kind, number in _OF_EXCEPTIONS.items() if isinstance(error, kind))
    detail = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        detail = "The memory that the engine may use was not enough; set memory_limit_mb higher, or ask for less."
    elif isinstance(error, duckdb.IOException | GoneError):
        detail = "The lake changed while it was read. Ask again."
    headers = {"Retry-After": str(_AGAIN_SECONDS)} if status == 503 else None
    return problem(status, detail, instance=request.url.path, headers=headers)
