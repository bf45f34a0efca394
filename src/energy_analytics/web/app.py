"""The application: the dashboard's pages and the API, over a lake."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import FastAPI
from starlette.middleware import Middleware

from .. import __version__
from ..lake import Lake, LakeError
from ..settings import Settings
from . import problems, shell
from .access import Access, Guard, content_security_policy
from .caching import Conditional
from .desk import UPLOAD_LIMIT_BYTES, Desk, LiveWay, UploadWay
from .documentation import describe
from .presigned import bucket_origin
from .routes import ROUTERS

PREFIX: Final = "/api/v1"


def create_app(
    lake: Lake,
    settings: Settings,
    *,
    access: Access,
    uploads: UploadWay = "direct",
    live: LiveWay = "events",
    max_upload_bytes: int = UPLOAD_LIMIT_BYTES,
) -> FastAPI:
    """Make the application. `uploads` tells how a browser sends files, `live` how it learns what is new.

    Nothing of the lake is read before a request asks for it.
    """
    desk = Desk.over(lake, settings, uploads=uploads, live=live, max_upload_bytes=max_upload_bytes)
    policy = content_security_policy(access, bucket_origin=bucket_origin(lake) if uploads == "presigned" else "")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.engine.close()

    app = FastAPI(
        title="Energy analytics", version=__version__, openapi_url=f"{PREFIX}/openapi.json", docs_url=None,
        redoc_url=None, lifespan=lifespan, redirect_slashes=False,
        middleware=[
            Middleware(Guard, access=access, policy=policy), Middleware(Conditional, version_of=_version_of(desk))
        ],
    )  # fmt: skip
    app.state.desk = desk
    problems.install(app, page=shell.no_such_page)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    app.include_router(shell.router(_config(access, uploads, live, max_upload_bytes)))
    app.openapi = lambda: describe(app, access, prefix=PREFIX, max_upload_bytes=max_upload_bytes)  # type: ignore[method-assign]
    return app


def _version_of(desk: Desk) -> Callable[[str, bytes], str | None]:
    """Return the function that tells what the answer to a request for a path with a query rests on."""

    def version_of(path: str, query: bytes) -> str | None:
        if path == f"{PREFIX}/openapi.json":
            return __version__
        if path == f"{PREFIX}/uploads/target":
            return None  # A form for the bucket counts for a quarter of an hour, whether the lake changes or not.
        named = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("site", [""])
        everything = path == f"{PREFIX}/sites" or path.startswith(f"{PREFIX}/uploads/")
        try:
            return desk.sites.version(None if everything else named[-1])
        except LakeError:
            return None

    return version_of


def _config(access: Access, uploads: UploadWay, live: LiveWay, max_upload_bytes: int) -> dict[str, Any]:
    """Return what the pages need to know before anyone has signed in."""
    cognito = {"domain": access.domain, "client_id": access.client_id, "redirect_path": "/signed-in"}
    return {
        "version": __version__,
        "auth": access.kind,
        "cognito": cognito if access.kind == "cognito" else None,
        "uploads": uploads,
        "live": live,
        "max_upload_bytes": max_upload_bytes,
    }
