"""What the function does with one upload: look whether it fits, run it in time, and let no failure go unrecorded."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from ..account import describe_run
from ..lake import GoneError, LakeError
from ..lake.cache import FOLDER_PREFIX, Cache
from ..lake.s3 import S3Lake
from ..pipeline import FailedRunError, run
from ..results import EpisodeFound
from ..runs import Manifest, put_manifest, runs, withdraw
from ..schema import READINGS
from ..settings import Settings
from ..uploads import Upload, find, in_site
from .alerts import new_episodes, reported_episodes
from .capacity import PLAIN_PER_PACKED_BYTE, Room, TooBigError, check_room, need_of, remedy
from .deadline import OutOfTimeError, time_limit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CACHED_BYTES: Final = 64 << 20
"""Kept of fetched files from one event to the next; the disk belongs to the next upload."""
_RESERVE_SECONDS: Final = 10.0
"""Kept for putting a failure on record before Lambda ends the process."""
_ASKED_FROM_BYTES: Final = 1 << 20
"""The unpacked size of a smaller packed file does not matter."""
_CHUNK_BYTES: Final = 8 << 20
_LAST_SECONDS: Final = 1.5
"""Kept for telling Lambda of it."""
_FULL: Final = ("No space left on device", "max_temp_directory_size")
"""How the system, and the engine before it, say that the disk is full."""
_FOR_PEOPLE: Final = (TooBigError, OutOfTimeError, LakeError)
"""Errors whose message is a sentence that says what to do."""


class RunError(Exception):
    """An upload could not be run; the message says why and what to do."""

    def __init__(self, message: str, *, recorded: bool, explained: bool) -> None:
        super().__init__(message)
        self.recorded = recorded
        """Whether `energy results` shows it."""
        self.explained = explained
        """Whether the message tells all: where in the program it came up would help nobody."""


@dataclass(slots=True)
class StageClock:
    """The progress of a run, told to it: the seconds of each stage, those of a stage done again added up."""

    watch: Callable[[duckdb.DuckDBPyConnection], None]
    """Is told the engine."""
    seconds: dict[str, float] = field(default_factory=dict)
    _stage: str | None = None
    _since: float = 0.0

    def __call__(self, stage: str, engine: duckdb.DuckDBPyConnection, rows: int | None) -> None:
        """Note that a stage begins."""
        self.end()
        self.watch(engine)
        self._stage, self._since = stage, time.monotonic()

    def end(self) -> None:
        """Note that the stage that was going on has ended."""
        if self._stage is not None:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + time.monotonic() - self._since
        self._stage = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that succeeded."""

    manifest: Manifest
    seconds: dict[str, float]
    """By stage."""
    new_episodes: list[EpisodeFound]
    """Those that no run of the site has reported before; none unless asked for."""


def function_lake(bucket: str) -> S3Lake:
    """Return the bucket as a lake that leaves the function's disk to the upload at hand."""
    return S3Lake(bucket, cache=Cache(limit_bytes=_CACHED_BYTES))


def remove_leftovers() -> None:
    """Remove what an earlier process has left in the temporary folder: Lambda ends one, and keeps its disk.

    For the beginning of a process that shares the folder with no other.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def run_upload(
    lake: S3Lake,
    key: str,
    settings: Settings,
    *,
    seconds_left: Callable[[], float],
    identified: Callable[[Upload], None],
    compare: bool,
) -> Ended | None:
    """Run what is under a raw key now; None when there is nothing (any more).

    `identified` is told the upload when it is about to be run; `compare` asks for the episodes that are new.
    Raises RunError when it cannot be run.
    """
    upload = find(lake, key)
    if upload is None:
        return None
    seconds = seconds_left() - _RESERVE_SECONDS
    with lake.work_folder():  # keeps what is fetched until it closes, so that the upload is fetched once
        try:
            with time_limit(seconds) as watch:
                _check_room(lake, upload, seconds=seconds)
                identified(upload)
                known = reported_episodes(lake, upload.site) if compare else frozenset()
                stages = StageClock(watch)
                manifest = run(lake, upload, settings, progress=stages)
                stages.end()
        except GoneError:
            return None
        except FailedRunError as error:
            raise RunError(str(error), recorded=True, explained=True) from error
        except Exception as error:
            told = _told(error, upload, lake)
            recorded = _record(lake, upload, settings, told, seconds_left=seconds_left, identified=identified)
            raise RunError(_in_words(told), recorded=recorded, explained=isinstance(told, _FOR_PEOPLE)) from error
    return Ended(manifest, stages.seconds, new_episodes(manifest, known=known) if compare else [])


def _check_room(lake: S3Lake, upload: Upload, *, seconds: float) -> None:
    history = lake.list(in_site(READINGS.prefix, upload.site, ""), below=False)
    need = need_of(
        size_bytes=upload.size_bytes,
        plain_bytes=_plain_bytes(lake, upload),
        history_bytes=sum(stored.size_bytes for stored in history),
    )
    room = Room(disk_bytes=shutil.disk_usage(tempfile.gettempdir()).free, seconds=seconds)
    check_room(need, room, key=upload.key, lake_uri=lake.uri)


def _plain_bytes(lake: S3Lake, upload: Upload) -> int:
    """Return the size of an upload unpacked: of a packed one its own statement, if it is credible, or an estimate.

    The last four bytes of a gzip file tell the size of its last part, which is nearly always the only one, less
    whole multiples of 4 GB.
    """
    if not upload.key.lower().endswith(".gz") or upload.size_bytes < _ASKED_FROM_BYTES:
        return upload.size_bytes
    tail = _client().get_object(Bucket=lake.bucket, Key=upload.key, Range="bytes=-4")["Body"].read()
    stated = int.from_bytes(tail, "little")
    return stated if stated > upload.size_bytes else int(upload.size_bytes * PLAIN_PER_PACKED_BYTE)


def _record(
    lake: S3Lake,
    upload: Upload,
    settings: Settings,
    error: Exception,
    *,
    seconds_left: Callable[[], float],
    identified: Callable[[Upload], None],
) -> bool:
    """Put a failure on record, and tell whether that was possible and true.

    It is not when the same upload has been run, as an event may come twice, nor when the upload has been replaced:
    the event of what replaced it comes as well.
    """
    if isinstance(error, TooBigError):
        upload = replace(upload, digest=cache(partial(_streamed_digest, lake, upload)))
    try:
        with time_limit(seconds_left() - _LAST_SECONDS):
            identified(upload)
            of_site = runs(lake, upload.site)
            present = find(lake, upload.key)
            if present is None or present.stored != upload.stored:
                return False
            if any(one["stamp"] == upload.stamp and one["status"] == "succeeded" for one in of_site):
                return False
            settings = settings.for_site(upload.site)
            put_manifest(lake, upload, describe_run(upload, settings, status="failed", error=_in_words(error)))
            for other in of_site:  # of versions that this one has replaced
                if (other["upload"]["key"], other["status"]) == (upload.key, "failed") and other[
                    "stamp"
                ] != upload.stamp:
                    withdraw(lake, other)
            return True
    except (LakeError, OutOfTimeError, BotoCoreError, ClientError):
        return False  # the failure queue has the event, and the log the reason


def _streamed_digest(lake: S3Lake, upload: Upload) -> str:
    """Return the SHA-256 of an upload that has no room on the disk. Raises GoneError when it has been replaced."""
    try:
        body = _client().get_object(Bucket=lake.bucket, Key=upload.key, IfMatch=f'"{upload.version}"')["Body"]
    except ClientError as error:
        raise GoneError(f"There is no {upload.key} in the lake {lake.uri} any more.") from error
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


@cache
def _client() -> "S3Client":
    return boto3.client("s3")


def _told(error: Exception, upload: Upload, lake: S3Lake) -> Exception:
    """Return an error that tells what to do, in place of one that tells only what happened."""
    if isinstance(error, OutOfTimeError):
        return OutOfTimeError(
            f"{upload.key} could not be run in the function's time. {remedy('timeout_seconds or memory_mb', lake.uri)}"
        )
    if any(sign in str(error) for sign in _FULL):
        return TooBigError(f"{upload.key} filled the function's disk. {remedy('ephemeral_storage_mb', lake.uri)}")
    if isinstance(error, duckdb.OutOfMemoryException):
        return TooBigError(f"{upload.key} needs more memory than the function has. {remedy('memory_mb', lake.uri)}")
    return error


def _in_words(error: Exception) -> str:
    """Return the message of an error that is meant for people; of any other, its kind as well."""
    if isinstance(error, _FOR_PEOPLE):
        return str(error)
    return f"{type(error).__name__}: {error}"
