"""Uploads and the names that follow from them: the site, the stamp, and where each result lies."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Final

from . import schema
from .lake import GoneError, Lake, LakeError, NoPlaceError, StoredObject, key_parts

_DIGEST_CHARACTERS: Final = 8

Place = tuple[datetime, str]
"""Where an upload stands in the order of uploads: when it came, and of those of one second, its key."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of a raw object: what arrived, when, and what it contained."""

    key: str
    uploaded_at: datetime
    """UTC, whole seconds."""
    size_bytes: int
    digest: Callable[[], str] = field(compare=False, repr=False)
    """Gives the SHA-256 of the content, which may be worked out only then, or meanwhile."""
    digest_begun: bool = field(default=False, compare=False)
    """Whether it is being worked out."""
    version: str = field(default="", compare=False)
    """The object's version in the lake; empty where it is not known."""
    content_tag: str = ""
    """What the lake tells of the content; empty in a folder."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return self.digest()

    @property
    def place(self) -> Place:
        """Where the upload stands in the order of uploads."""
        return self.uploaded_at, self.key

    @property
    def stored(self) -> StoredObject:
        """The raw object of this version."""
        return StoredObject(self.key, self.size_bytes, self.uploaded_at, self.version, self.content_tag)

    @property
    def site(self) -> str:
        """The folder between `raw/` and the file; empty for the root site."""
        return site_of(self.key)

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return name_of(self.key)

    @property
    def stamp(self) -> str:
        """The mark that all results of this upload bear: the same upload always writes the same keys."""
        return f"{self.uploaded_at:%Y%m%d_%H%M%S}_{self.sha256[:_DIGEST_CHARACTERS]}"

    def result_key(self, prefix: str, name: str) -> str:
        """Return where a result of this upload lies, such as `processed/<site>/aggregated_<stamp>.csv`."""
        return result_key(prefix, self.site, name, self.stamp)


def result_key(prefix: str, site: str, name: str, stamp: str) -> str:
    """Return where a result of an upload of a site with that stamp lies; see `Upload.result_key`."""
    stem, dot, suffix = name.partition(".")
    return in_site(prefix, site, f"{stem}_{stamp}{dot}{suffix}")


def is_upload(key: str) -> bool:
    """Tell whether the object is one that triggers a run."""
    try:
        prefix, *parts = key_parts(key)
    except NoPlaceError:
        return False
    return (
        prefix == schema.RAW
        and key.lower().endswith(schema.RAW_SUFFIXES)
        and not any(part.startswith((".", "_")) for part in parts)
    )


def site_of(key: str) -> str:
    """Return the folder between the first prefix of the key and the file."""
    return "/".join(key.split("/")[1:-1])


def name_of(key: str) -> str:
    """Return the name of the file in its folder."""
    return key.rpartition("/")[2]


def in_site(prefix: str, site: str, name: str) -> str:
    """Return the key of `name` of a site under a prefix."""
    return "/".join(part for part in (prefix, site, name) if part)


def raw_key(site: str, file_name: str) -> str:
    """Return the key under which a file of that name is uploaded. Raises LakeError for a site that is no folder.

    What no key may have in its name becomes a hyphen.
    """
    if site:
        try:
            parts = key_parts(site)
        except NoPlaceError:
            parts = ("",)
        if not all(parts) or any(part.startswith((".", "_")) for part in parts):
            raise LakeError(
                f"{site!r} cannot be a site: it is a folder name such as plant-a or north/plant-a, "
                "no part of which begins with a dot or an underscore."
            )
    name = "".join(char if _can_be_in_key(char) else "-" for char in file_name).lstrip("._")
    return in_site(schema.RAW, site, name or "upload.csv")


def _can_be_in_key(char: str) -> bool:
    try:
        key_parts(f"-{char}-")
    except NoPlaceError:
        return False
    return char != "/"


def readings_key(key: str) -> str:
    """Return where the readings of a raw key lie."""
    return in_site(schema.READINGS.prefix, site_of(key), f"{name_of(key)}.parquet")


def is_readings(stored: StoredObject) -> bool:
    """Tell whether an object is a file of readings."""
    return stored.key.endswith(".parquet")


def identify(lake: Lake, stored: StoredObject) -> Upload:
    """Say which upload a raw object is. Its content is read when the digest is asked for, if not before.

    That raises GoneError when it has been replaced by then.
    """
    return Upload(
        key=stored.key,
        uploaded_at=upload_time(stored),
        size_bytes=stored.size_bytes,
        digest=cache(lambda: file_digest(lake.fetch_all([stored])[0])),
        version=stored.version,
        content_tag=stored.content_tag,
    )


def find(lake: Lake, key: str) -> Upload | None:
    """Return the upload that is under a raw key now; None when there is none any more."""
    try:
        return identify(lake, lake.describe(key))
    except GoneError:
        return None


def upload_time(stored: StoredObject) -> datetime:
    """Return when the object was uploaded, in whole seconds."""
    return stored.modified.astimezone(UTC).replace(microsecond=0)


def place_of(stored: StoredObject) -> Place:
    """Return where a raw object stands in the order of uploads."""
    return upload_time(stored), stored.key


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return _digest_of(path.open("rb"))


def _digest_of(opened: BufferedReader) -> str:
    with opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def digest_meanwhile(path: Path) -> Callable[[], str]:
    """Begin to work out a file's SHA-256 in the background; the function returned waits for it.

    The file is opened at once, and may be moved from then on.
    """
    with_one = ThreadPoolExecutor(max_workers=1)
    digest = with_one.submit(_digest_of, path.open("rb"))
    with_one.shutdown(wait=False)
    return digest.result


def uploads_of_site(lake: Lake, site: str) -> list[StoredObject]:
    """Return the raw objects of a site (not of sites below it), the earliest upload first."""
    stored = lake.list(in_site(schema.RAW, site, ""), below=False)
    own = [one for one in stored if is_upload(one.key)]
    return sorted(own, key=place_of)
