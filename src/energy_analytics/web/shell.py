"""The dashboard's pages: one shell for all of them, its scripts and styles, and the installed chart library."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from .. import __version__
from .bundle import bundled
from .caching import pack
from .problems import ProblemError

PAGES: Final = (
    "/", "/appliances", "/appliances/{name:path}", "/anomalies", "/forecast", "/savings", "/data", "/signed-in",
)  # fmt: skip
SCRIPT: Final = "all.js"
"""The name of all modules as one script."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_MISSING: Final = "<!doctype html><html lang=en><title>Energy</title><p>The dashboard's pages are not installed."
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_PACKED: Final = (".js", ".css", ".svg", ".html", ".json", ".webmanifest")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the dashboard, as it is sent."""

    content: bytes
    packed: bytes | None
    media_type: str
    tag: str


def router(config: Mapping[str, Any]) -> APIRouter:
    """Return the routes of the pages and of what they load. `config` is what the browser is told before signing in."""
    made = APIRouter(include_in_schema=False)
    for path in PAGES:
        made.add_api_route(path, _shown, methods=["GET"], response_class=HTMLResponse)
    made.add_api_route("/static/{path:path}", _static, methods=["GET"])

    @made.get("/config.json")
    async def told() -> JSONResponse:
        return JSONResponse(dict(config), headers={"Cache-Control": "no-store"})

    return made


def plotly_name() -> str:
    """Return the name of the chart library's file, which changes with its version."""
    return f"plotly-{version('plotly')}.min.js"


def no_such_page(request: Request) -> Response | None:
    """Return the shell for a browser that goes to an address of no page: it says so, and leads back."""
    is_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    return _page(status=404) if is_page and not request.url.path.startswith(("/api/", "/static/")) else None


def _shown(name: str = "") -> Response:
    return _page()


def _page(*, status: int = 200) -> Response:
    """Return the shell; its script shows the page of the address."""
    source = _folder() / "index.html"
    text = source.read_text("utf-8") if source.is_file() else _MISSING
    for mark, value in (
        ("{{version}}", static_version()),
        ("{{script}}", SCRIPT),
        ("{{program}}", __version__),
        ("{{plotly}}", f"/static/{plotly_name()}"),
    ):
        text = text.replace(mark, value)
    return HTMLResponse(text, status, headers={"Cache-Control": _ASK_AGAIN})


def _static(request: Request, path: str) -> Response:
    """Return a file below `static/`. One whose path begins with the version of all of them never changes."""
    if path == "plotly.min.js":
        return RedirectResponse(f"/static/{plotly_name()}", headers={"Cache-Control": _ASK_AGAIN})
    first, _, rest = path.partition("/")
    is_versioned = first == static_version()
    name = rest if is_versioned else path
    is_library = name == plotly_name()
    source = _library() if is_library else _listed().get(name)
    if name == SCRIPT:
        asset = _script(static_version())
    elif source is None or not source.is_file():
        raise ProblemError(404, f"There is nothing at /static/{path}.")
    else:
        status = source.stat()
        asset = _asset(source, status.st_mtime_ns, status.st_size)
    headers = {"ETag": asset.tag, "Cache-Control": _FOR_EVER if is_versioned or is_library else _ASK_AGAIN}
    if asset.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    far = request.client is None or request.client.host not in {"127.0.0.1", "::1"}
    if far and asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)


@cache
def _script(version: str) -> Asset:
    return _made(bundled(_folder() / "js").encode(), SCRIPT)


@cache
def _asset(source: Path, modified: int, size: int) -> Asset:
    return _made(source.read_bytes(), source.name)


def _made(content: bytes, name: str) -> Asset:
    suffix = Path(name).suffix
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = pack(content, level=6) if suffix in _PACKED and len(content) > 1024 else None
    return Asset(content, packed, media_type, f'W/"{hashlib.sha256(content).hexdigest()[:24]}"')


def static_version() -> str:
    """Return what changes when any file of the dashboard does."""
    return _version_of(tuple((path, path.stat().st_mtime_ns) for _, path in sorted(_listed().items())))


@cache
def _version_of(listed: tuple[tuple[Path, int], ...]) -> str:
    """Return a name for the contents of files; their times only tell when to look again: in a zip all are the same."""
    digest = hashlib.sha256(__version__.encode())
    for path, _ in listed:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return "v" + digest.hexdigest()[:12]


def _folder() -> Path:
    return Path(str(files("energy_analytics.web") / "static"))


def _listed() -> dict[str, Path]:
    """Return the files that may be asked for, by their paths: no path of a request is joined to a folder."""
    root = _folder()
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


@cache
def _library() -> Path | None:
    """Return the chart library's script in the installed package, which is not imported for it."""
    found = find_spec("plotly")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "package_data" / "plotly.min.js"
        if path.is_file():
            return path
    return None
