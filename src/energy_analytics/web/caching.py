"""Answers that need not be made again: ETags, kept bodies, and compression."""

import hashlib
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import API, LOOPBACK

_KEPT_BYTES: Final = 64 << 20
_LARGEST_KEPT_BYTES: Final = 4 << 20
_LEAST_COMPRESSED_BYTES: Final = 1 << 10
_MOST_ON_LOOPBACK_BYTES: Final = 256 << 10
"""On one machine, compressing more takes longer than sending it as it is."""
_MOST_IN_PASSING_BYTES: Final = 128 << 10
"""What is larger is compressed beside the event loop."""
_COMPRESSED: Final = ("text/", "application/json", "application/problem+json", "image/svg+xml", "application/manifest")
_LIVE: Final = "/api/v1/events"

T = TypeVar("T")


class Bounded(Generic[T]):
    """Things that were made, by name; the ones used longest ago go when all together are too large."""

    def __init__(self, limit_bytes: int, size_of: Callable[[T], int]) -> None:
        self._limit_bytes = limit_bytes
        self._size_of = size_of
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()
        self._size_bytes = 0

    def find(self, name: Hashable) -> T | None:
        """Return what has that name, if it is there."""
        with self._lock:
            if name in self._things:
                self._things.move_to_end(name)
            return self._things.get(name)

    def get(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what has that name, made now if need be; who asks meanwhile waits for it."""
        found = self.find(name)
        if found is not None:
            return found
        with self._lock:
            making = self._making.setdefault(name, threading.Lock())
        try:
            with making:
                found = self.find(name)
                if found is None:
                    found = make()
                    self.keep(name, found)
                return found
        finally:
            with self._lock:
                self._making.pop(name, None)

    def keep(self, name: Hashable, thing: T) -> None:
        """Keep a thing under a name."""
        with self._lock:
            if name in self._things:
                self._size_bytes -= self._size_of(self._things.pop(name))
            self._things[name] = thing
            self._size_bytes += self._size_of(thing)
            while self._size_bytes > self._limit_bytes and len(self._things) > 1:
                _, dropped = self._things.popitem(last=False)
                self._size_bytes -= self._size_of(dropped)


Kept = tuple[int, list[tuple[bytes, bytes]], bytes]
"""An answer: status, headers, body."""


class Conditional:
    """ASGI middleware: answers what a client has already with 304, what was answered before from memory, and packs.

    `version_of` returns what changes when the answer to a request may change; None where that cannot be told.
    """

    def __init__(self, app: ASGIApp, *, version_of: Callable[[str, bytes], str | None]) -> None:
        self._app = app
        self._version_of = version_of
        self._kept: Bounded[Kept] = Bounded(_KEPT_BYTES, lambda kept: len(kept[2]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["path"] == _LIVE:
            await self._app(scope, receive, send)
            return
        tag = None
        headers = Headers(scope=scope)
        packed = _takes_gzip(headers)
        if scope["method"] == "GET" and scope["path"].startswith(API):
            version = await anyio.to_thread.run_sync(self._version_of, scope["path"], scope["query_string"])
            if version is not None:
                tag = _tag(version, scope, headers.get("accept", ""))
                if tag in [one.strip() for one in headers.get("if-none-match", "").split(",")]:
                    await _send(send, (304, _caching(tag), b""))
                    return
                if (kept := self._kept.find((tag, packed))) is not None:
                    await _send(send, kept)
                    return
        await self._app(scope, receive, _Sending(send, scope, tag, packed=packed, keep=self._kept.keep))


class _Sending:
    """What stands between the application and the server for one answer."""

    def __init__(
        self, send: Send, scope: Scope, tag: str | None, *, packed: bool, keep: Callable[[Hashable, Kept], None]
    ) -> None:
        self._send = send
        self._tag = tag
        self._packed = packed
        self._keep = keep
        self._is_local = (scope.get("client") or ("",))[0] in LOOPBACK
        self._of_api = scope["path"].startswith(API)
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._start is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            await self._whole(message)

    async def _begin(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        if self._of_api:
            headers.setdefault("cache-control", "private, no-cache")
            if message["status"] == 200 and self._tag is not None:
                headers["etag"] = self._tag
        headers.add_vary_header("Accept")
        headers.add_vary_header("Accept-Encoding")
        if "content-length" in headers:
            self._start = message  # Sent with the body, which may be packed if it comes in one piece.
        else:
            await self._send(message)

    async def _whole(self, message: Message) -> None:
        start, body = self._start, message.get("body", b"")
        assert start is not None  # noqa: S101 - only called then
        if message.get("more_body"):
            self._start = None
            await self._send(start)
            await self._send(message)
            return
        headers = MutableHeaders(scope=start)
        if self._packed and self._is_worth_packing(headers, body):
            if len(body) > _MOST_IN_PASSING_BYTES:
                body = await anyio.to_thread.run_sync(pack, body)
            else:
                body = pack(body)
            headers["content-encoding"] = "gzip"
            headers["content-length"] = str(len(body))
        if self._tag is not None and start["status"] == 200 and len(body) <= _LARGEST_KEPT_BYTES:
            self._keep((self._tag, self._packed), (200, list(start["headers"]), body))
        self._start = None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _is_worth_packing(self, headers: Headers, body: bytes) -> bool:
        most = _MOST_ON_LOOPBACK_BYTES if self._is_local else len(body)
        return (
            _LEAST_COMPRESSED_BYTES <= len(body) <= most
            and "content-encoding" not in headers
            and headers.get("content-type", "").startswith(_COMPRESSED)
        )


def pack(body: bytes, *, level: int = 1) -> bytes:
    """Compress as gzip, the quick way unless told otherwise; the same body always gives the same bytes."""
    return zlib.compress(body, level, wbits=31)


def _tag(version: str, scope: Scope, accept: str) -> str:
    told = "\0".join((version, scope["path"], scope["query_string"].decode("latin-1"), accept))
    return f'W/"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'


def _caching(tag: str) -> list[tuple[bytes, bytes]]:
    return [(b"etag", tag.encode()), (b"cache-control", b"private, no-cache"), (b"vary", b"Accept, Accept-Encoding")]


def _takes_gzip(headers: Headers) -> bool:
    for part in headers.get("accept-encoding", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


async def _send(send: Send, kept: Kept) -> None:
    status, headers, body = kept
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
