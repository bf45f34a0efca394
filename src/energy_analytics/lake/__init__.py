"""The lake: objects under keys, in a folder or a bucket. Logic above knows only these verbs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .contract import Claim, GoneError, Lake, LakeError, NoPlaceError, StoredObject, key_parts
from .local import LocalLake

__all__ = [
    "Claim",
    "GoneError",
    "Lake",
    "LakeError",
    "LocalLake",
    "NoPlaceError",
    "StoredObject",
    "fetch_folder",
    "key_parts",
    "open_lake",
]

_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ATTEMPTS: Final = 20
"""A folder that changes between its listing and the reading of it so many times in a row never rests."""


def open_lake(uri: str) -> Lake:
    """Open the lake at `uri`: a folder, which is made when something is first written, or `s3://` and a bucket."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme == "file":
        root = Path(rest if separator else uri).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise LakeError(f"{root} is a file; a lake is a folder, such as ./lake.")
        return LocalLake(root)
    if scheme != "s3":
        raise LakeError(f"A lake at {scheme}:// is not supported; give a folder, such as ./lake, or s3:// and a bucket.")
    bucket, _, prefix = rest.partition("/")
    if prefix:
        raise LakeError(f"A lake is a whole bucket: give s3://{bucket} in place of {uri}.")
    if not _BUCKET_NAME.fullmatch(bucket):
        if "@" in bucket:
            raise LakeError("The address of a lake holds no keys: AWS's own configuration or environment has them.")
        raise LakeError(f"{bucket!r} is no name of a bucket; give one such as s3://energy-analytics-1a2b3c4d.")
    from .s3 import S3Lake

    return S3Lake(bucket)


def fetch_folder(
    lake: Lake, prefix: str, *, below: bool = True, wanted: Callable[[StoredObject], bool] = lambda stored: True
) -> dict[StoredObject, Path]:
    """List a folder and fetch what is wanted of it; again when something was replaced in between."""
    for _ in range(_ATTEMPTS):
        found = [stored for stored in lake.list(prefix, below=below) if wanted(stored)]
        try:
            return dict(zip(found, lake.fetch_all(found), strict=True))
        except GoneError:
            continue
    raise LakeError(f"{prefix}/ in the lake {lake.uri} changes all the time; try again when less is going on there.")
