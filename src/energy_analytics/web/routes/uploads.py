"""Uploads: how a file comes in, and what became of it."""

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated, Final
from urllib.parse import quote, urlencode

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from ...delivery import deliver
from ...lake import LakeError
from ...uploads import Upload, is_upload, raw_key
from .. import models, uploads
from ..desk import NAME_CHARACTER, NEW_SITE, Answer, AtDesk, AtSite, Desk
from ..presigned import upload_form
from ..problems import ProblemError

router = APIRouter(tags=["uploads"])

NAME: Final = (
    f"^{NAME_CHARACTER}{{1,70}}"
    r"\.([cC][sS][vV](\.[gG][zZ])?|[tT][sS][vV]|[tT][xX][tT]|[pP][aA][rR][qQ][uU][eE][tT])$"
)
NewSite = Annotated[
    str, Query(alias="site", pattern=NEW_SITE, max_length=120, description="The site, which need not be there yet.")
]
Name = Annotated[str, Query(alias="name", pattern=NAME, description="The file's name.")]
_WRITE_BYTES: Final = 1 << 20
_NOTHING_IS_IN: Final = "nothing of it is in the lake, and it can be sent again"
_SILENCE_SECONDS: Final = 60.0
"""After which a file that stopped to come is given up."""
_MOST_AT_A_TIME: Final = 8
"""Files that come in at a time; a Parquet file takes a process of up to a gigabyte while it is turned into CSV."""
_AGAIN_SECONDS: Final = 5


@router.post(
    "/uploads",
    response_model=models.Upload,
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}}},
        }
    },
    responses={
        202: {
            "description": "It has arrived; ask at Location what became of it.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        }
    },
)
async def upload(request: Request, response: Response, desk: AtDesk, name: Name, site: NewSite = "") -> Answer:
    """Take a file of readings in: CSV, gzipped CSV or Parquet. It is streamed to the lake, and run there."""
    raw_key_of(site, name)
    if desk.uploads != "direct":
        raise ProblemError(403, "Files go straight to the bucket here: ask /api/v1/uploads/target how.")
    if desk.arriving >= _MOST_AT_A_TIME:
        raise ProblemError(
            503, f"{_MOST_AT_A_TIME} files are coming in already. Send it again in a moment.",
            headers={"Retry-After": str(_AGAIN_SECONDS)},
        )  # fmt: skip
    desk.arriving += 1
    try:
        async with _received(request, desk, name) as path:
            delivered = await anyio.to_thread.run_sync(_deliver, desk, path, site, limiter=desk.delivering)
    finally:
        desk.arriving -= 1
    desk.sites.forget()
    if desk.worker is not None:
        desk.worker.hand_over(delivered.key)
    response.headers["Location"] = f"/api/v1/uploads/{quote(delivered.key)}"
    return await anyio.to_thread.run_sync(lambda: uploads.told(desk.sites, *uploads.find(desk.sites, delivered.key)))


@router.get("/uploads", response_model=models.Uploads)
def newest(desk: AtDesk, site: AtSite, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Answer:
    """List the newest uploads of a site."""
    newest_first = uploads.newest_first(site)[:limit]
    return {"uploads": [uploads.told(desk.sites, site, stored, rows=False) for stored in newest_first]}


@router.get("/uploads/target", response_model=models.Target)
def target(
    desk: AtDesk,
    name: Name,
    size_bytes: Annotated[int, Query(ge=1, le=1 << 50)],
    site: NewSite = "",
) -> Answer:
    """Tell how to send a file: to this API, or with a form straight to the bucket."""
    if size_bytes > desk.max_upload_bytes:
        raise ProblemError(422, str(_too_large(desk)))
    key = raw_key_of(site, name)
    if desk.uploads == "direct":
        query = urlencode({"site": site, "name": name})
        return {"method": "POST", "url": f"/api/v1/uploads?{query}", "fields": None, "key": key}
    if not is_upload(key):
        raise ProblemError(409, "Files that go straight to the bucket have a name that ends in .csv or .csv.gz.")
    return {"method": "POST", **upload_form(desk.lake, key, size_bytes=size_bytes), "key": key}


@router.get("/uploads/{key:path}", response_model=models.Upload)
def one(desk: AtDesk, key: Annotated[str, Path(max_length=1100, description="As the list has it: raw/...")]) -> Answer:
    """Tell what became of an upload."""
    return uploads.told(desk.sites, *uploads.find(desk.sites, key))


def raw_key_of(site: str, name: str) -> str:
    """Return where a file of that name is put. Raises ProblemError for a site that is no folder."""
    try:
        return raw_key(site, name)
    except LakeError as error:
        raise ProblemError(422, str(error)) from error


@asynccontextmanager
async def _received(request: Request, desk: Desk, name: str) -> AsyncIterator[FilePath]:
    """Write the body into a file on its way into the lake, and give it.

    Raises ProblemError beyond the limit, where the disk does not take it, and where the connection is cut.
    """
    if int(request.headers.get("content-length") or 0) > desk.max_upload_bytes:
        raise _too_large(desk)
    place = desk.lake.work_folder()
    folder = await anyio.to_thread.run_sync(place.__enter__)
    try:
        path = folder / name
        size = 0
        async with await anyio.open_file(path, "wb") as file:
            pending = bytearray()
            async for chunk in _in_time(request.stream()):
                size += len(chunk)
                if size > desk.max_upload_bytes:
                    raise _too_large(desk)
                pending += chunk
                if len(pending) >= _WRITE_BYTES:
                    await file.write(bytes(pending))
                    pending.clear()
            await file.write(bytes(pending))
        if not size:
            raise ProblemError(422, "The file is empty: send its content as the body of the request.")
        yield path
    except ClientDisconnect as error:
        raise ProblemError(400, f"The connection ended before {name} had come whole; {_NOTHING_IS_IN}.") from error
    except OSError as error:
        status = 507 if error.errno in (errno.ENOSPC, errno.EDQUOT) else 503
        raise ProblemError(status, f"{name} could not be stored: {error.strerror}; {_NOTHING_IS_IN}.") from error
    finally:
        await anyio.to_thread.run_sync(place.__exit__, None, None, None)


async def _in_time(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what comes. Raises ProblemError when nothing does any more."""
    while True:
        try:
            with anyio.fail_after(_SILENCE_SECONDS):
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            raise ProblemError(
                408, f"Nothing more of the file came in {_SILENCE_SECONDS:g} s; {_NOTHING_IS_IN}."
            ) from error
        if chunk is None:
            return
        yield chunk


def _deliver(desk: Desk, path: FilePath, site: str) -> Upload:
    now = datetime.now(UTC)
    os.utime(path, (now.timestamp(), now.timestamp()))
    return deliver(desk.lake, path, site=site, now=now, max_upload_mb=desk.settings.max_upload_mb)


def _too_large(desk: Desk) -> ProblemError:
    return ProblemError(413, f"A file may have at most {desk.max_upload_bytes:,} bytes here.")
