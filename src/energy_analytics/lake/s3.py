"""A lake in an S3 bucket."""

import email.utils
import hashlib
import mimetypes
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from .cache import Cache, Name, process_cache
from .contract import (
    MEMORY_PREFIX,
    Claim,
    GoneError,
    LakeError,
    StoredObject,
    folder_parts,
    key_parts,
    memory_key,
)
from .s3_claim import CLAIM, claim_object
from .s3_errors import is_gone, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PART_BYTES: Final = 16 << 20
"""A larger object travels in parts, several at a time."""
_AT_A_TIME: Final = 16
_CONNECTIONS: Final = 32
_DELETED_AT_A_TIME: Final = 1000
"""What DeleteObjects takes."""
_STREAM_ATTEMPTS: Final = 4
_DIGEST: Final = "energy-analytics-sha256"
"""User metadata that only we write: the SHA-256 of the object's content."""
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_LONGEST_WAIT_SECONDS: Final = 2.0
_CLOCKS_APART: Final = timedelta(minutes=15)
"""S3 refuses a client whose clock is further from its own."""

_T = TypeVar("_T")

_making_a_client: Final = threading.Lock()
"""The default session of boto3 must not be used by two threads at once."""


class S3Lake:
    """A lake that is a bucket. Region, credentials and endpoint are those of boto3's default session."""

    def __init__(self, bucket: str, *, cache: Cache | None = None) -> None:
        self.bucket = bucket
        self._cache = process_cache() if cache is None else cache

    def __repr__(self) -> str:
        return f"S3Lake({self.bucket!r})"

    @property
    def uri(self) -> str:
        """Where the lake is, as a person would write it."""
        return f"s3://{self.bucket}"

    @cached_property
    def _client(self) -> "S3Client":
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 5},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=_CONNECTIONS,
            tcp_keepalive=True,
        )
        with _making_a_client:
            return boto3.client("s3", config=config)

    def list(self, prefix: str, *, below: bool = True) -> list[StoredObject]:
        """Return the objects whose folder is `prefix`, or lies `below` it, in order of their keys.

        Hidden names, folder markers and keys that no folder could hold are passed over.
        """
        wanted: dict[str, Any] = {"Bucket": self.bucket, "Prefix": "/".join(folder_parts(prefix)) + "/"}
        if not below:
            wanted["Delimiter"] = "/"
        with self._asking():
            pages = self._client.get_paginator("list_objects_v2").paginate(**wanted)
            found = [
                _stored(one["Key"], one["Size"], one["LastModified"], one["ETag"])
                for page in pages
                for one in page.get("Contents", [])
                if _is_visible(one["Key"])
            ]
        return sorted(found, key=lambda stored: stored.key)

    def describe(self, key: str) -> StoredObject:
        """Return one object's listing. Raises GoneError when there is none."""
        key_parts(key)
        with self._asking(key):
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        return _stored(key, head["ContentLength"], head["LastModified"], head["ETag"])

    def read(self, key: str) -> bytes:
        """Return an object's content. Raises GoneError when there is none."""
        key_parts(key)
        with self._asking(key):
            return _again_when_cut_off(lambda: self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def fetch(self, key: str) -> Path:
        """Return a local file with the object's present content, to be read only.

        It stays at least until the outermost `work_folder` closes.
        """
        while True:
            stored = self.describe(key)
            with suppress(GoneError):
                return self.fetch_all([stored])[0]

    def fetch_all(self, wanted: Sequence[StoredObject]) -> tuple[Path, ...]:
        """Return local files with exactly these versions, to be read only; the same version is fetched once.

        Raises GoneError when one of them is not what is under its key any more.
        """
        names = [self._name(stored.key, stored.version) for stored in wanted]
        missing = {name: stored for name, stored in zip(names, wanted, strict=True) if self._cache.find(name) is None}
        if missing:
            with ThreadPoolExecutor(min(_AT_A_TIME, len(missing))) as pool:
                list(pool.map(self._download, missing.values()))
            self._cache.trim(keep=names)
        paths = tuple(path for name in names if (path := self._cache.find(name)) is not None)
        if len(paths) != len(names):
            raise LakeError(f"Files fetched from {self.uri} were removed from {self._cache.folder} by something else.")
        return paths

    def holds(self, stored: StoredObject, path: Path) -> bool:
        """Tell whether an object's content is that of a file; fetches it only if nothing else can tell.

        An object that was stored in one part and encrypted by S3 itself, or not, has its MD5 as version.
        """
        if stored.size_bytes != path.stat().st_size:
            return False
        if _MD5.fullmatch(stored.version) and stored.version == _file_digest(path, "md5"):
            return True
        with self._asking(stored.key):
            head = self._client.head_object(Bucket=self.bucket, Key=stored.key, IfMatch=f'"{stored.version}"')
        digest = _file_digest(path, "sha256")
        if _DIGEST in head["Metadata"]:
            return head["Metadata"][_DIGEST] == digest
        return _file_digest(self.fetch_all([stored])[0], "sha256") == digest

    def key_of(self, path: Path) -> str | None:
        """Return None: no file on this machine lies in a bucket."""
        return None

    def write(self, key: str, content: bytes) -> None:
        """Store `content` under `key`, in place of what was there."""
        with self.work_folder() as folder:
            path = folder / "object"
            path.write_bytes(content)
            self.put(key, path)

    def put(self, key: str, path: Path, *, modified: datetime | None = None) -> None:
        """Move the file `path`, which must lie in a `work_folder`, to `key`, in place of what was there.

        S3 sets the object's time; it is not before `modified`, as far as two seconds of waiting can bring it there.
        """
        key_parts(key)
        with self._asking(key):
            if modified is not None:
                self._wait_for(modified)
            described: dict[str, Any] = {"Metadata": {_DIGEST: _file_digest(path, "sha256")}}
            kind, packing = mimetypes.guess_type(key)
            if kind is not None and packing is None:
                described["ContentType"] = kind
            if path.stat().st_size > _PART_BYTES:
                self._put_in_parts(key, path, described)
                return
            with path.open("rb") as file:
                version = self._client.put_object(Bucket=self.bucket, Key=key, Body=file, **described)["ETag"]
        self._cache.add(self._name(key, version.strip('"')), path)

    def put_all(self, files: dict[str, Path]) -> None:
        """Move several files, given by key, at a time."""
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            list(pool.map(self.put, files.keys(), files.values()))

    def delete(self, *keys: str) -> None:
        """Remove objects, in any order; it is no fault when there is none."""
        for key in keys:
            key_parts(key)
        for first in range(0, len(keys), _DELETED_AT_A_TIME):
            some = keys[first : first + _DELETED_AT_A_TIME]
            with self._asking():
                if len(some) == 1:
                    self._client.delete_object(Bucket=self.bucket, Key=some[0])
                    continue
                answer = self._client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
                )
            for fault in answer.get("Errors", []):
                raise LakeError(f"{fault.get('Key')} in {self.uri} could not be removed: {fault.get('Message')}.")

    def claim(self, folder: str, *, seconds: float) -> Claim | None:
        """Claim a folder, unless another holds a claim of it and has shown life within so many seconds."""
        key = "/".join((*folder_parts(folder), CLAIM))
        return claim_object(self._client, self.bucket, key, seconds=seconds, asking=self._asking)

    def recall(self, folder: str, name: str) -> Path | None:
        """Return a local file, to be read only, of what was remembered in a folder; None when that is nothing."""
        with suppress(LakeError):
            return self.fetch(memory_key(folder, name))
        return None

    def remember(self, folder: str, name: str, path: Path) -> None:
        """Move the file `path`, which must lie in a `work_folder`, to where `recall` finds it, if it can be kept."""
        with suppress(LakeError):
            self.put(memory_key(folder, name), path)

    def prune(self, *prefixes: str) -> None:
        """Remove claims that were left and what was remembered; a bucket has no folders that could be left empty."""
        for prefix in prefixes:
            with self._asking():
                pages = self._client.get_paginator("list_objects_v2").paginate(
                    Bucket=self.bucket, Prefix="/".join(folder_parts(prefix)) + "/"
                )
                keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
            for key in keys:
                if key.endswith(f"/{CLAIM}") or f"/{MEMORY_PREFIX}" in key:
                    with self._asking():
                        self._client.delete_object(Bucket=self.bucket, Key=key)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Give a local folder for files on their way into the lake, gone afterwards."""
        with self._cache.work() as folder:
            yield folder

    def _name(self, key: str, version: str) -> Name:
        return Name(self.uri, key, version)

    @contextmanager
    def _asking(self, key: str | None = None) -> Iterator[None]:
        """Turn what S3, or the way to it, answers in place of an answer into a LakeError."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError) as error:
            if key is not None and is_gone(error):
                raise GoneError(f"There is no {key} in the lake {self.uri}.") from error
            raise LakeError(translated(error, uri=self.uri, key=key)) from error

    def _download(self, stored: StoredObject) -> None:
        starts = range(0, max(1, stored.size_bytes), _PART_BYTES)
        with NamedTemporaryFile(dir=self._cache.folder, delete=False) as file:
            path = Path(file.name)
            try:
                if len(starts) == 1:
                    self._download_part(stored, file, None)
                else:
                    with ThreadPoolExecutor(_AT_A_TIME) as pool:
                        list(pool.map(lambda start: self._download_part(stored, file, start), starts))
            except BaseException:
                path.unlink()
                raise
        self._cache.add(self._name(stored.key, stored.version), path)

    def _download_part(self, stored: StoredObject, file: IO[bytes], start: int | None) -> None:
        wanted: dict[str, Any] = {"Bucket": self.bucket, "Key": stored.key, "IfMatch": f'"{stored.version}"'}
        if start is not None:
            wanted["Range"] = f"bytes={start}-{min(start + _PART_BYTES, stored.size_bytes) - 1}"

        def transfer() -> None:
            at = start or 0
            for chunk in self._client.get_object(**wanted)["Body"].iter_chunks(1 << 20):
                at += os.pwrite(file.fileno(), chunk, at)

        with self._asking(stored.key):
            _again_when_cut_off(transfer)

    def _put_in_parts(self, key: str, path: Path, described: dict[str, Any]) -> None:
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=8)
        self._client.upload_file(str(path), self.bucket, key, ExtraArgs=described, Config=config)

    def _wait_for(self, moment: datetime) -> None:
        """Wait until S3's clock, which tells whole seconds, is at `moment`."""
        if moment < datetime.now(UTC) - _CLOCKS_APART:
            return
        said = self._client.head_bucket(Bucket=self.bucket)["ResponseMetadata"]["HTTPHeaders"]["date"]
        ahead = (moment - email.utils.parsedate_to_datetime(said)).total_seconds()
        time.sleep(min(max(ahead, 0.0), _LONGEST_WAIT_SECONDS))


def _stored(key: str, size_bytes: int, modified: datetime, etag: str) -> StoredObject:
    tag = etag.strip('"')
    return StoredObject(key, size_bytes, modified.astimezone(UTC).replace(microsecond=0), tag, content_tag=tag)


def _is_visible(key: str) -> bool:
    """Tell whether a key is of an object that a folder could hold, and of which no name begins with a dot."""
    try:
        return not any(part.startswith(".") for part in key_parts(key))
    except LakeError:
        return False


def _again_when_cut_off(transfer: Callable[[], _T]) -> _T:
    """Do a transfer; once an answer has begun, the SDK does not repeat it by itself."""
    from botocore.exceptions import HTTPClientError, IncompleteReadError

    for attempt in range(1, _STREAM_ATTEMPTS):
        try:
            return transfer()
        except (HTTPClientError, IncompleteReadError):
            time.sleep(0.1 * 2**attempt)
    return transfer()


def _file_digest(path: Path, method: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, method).hexdigest()
