"""What changes, as it changes: one look at the lake for all who listen, told as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import anyio.to_thread
import orjson

from ..lake import LakeError

_PAUSE_SECONDS: Final = 0.5
_HEARTBEAT_SECONDS: Final = 15.0
_RETRY_MILLISECONDS: Final = 2000
_MOST_LISTENERS: Final = 100


class Live:
    """Looks at the lake as long as someone listens, and tells all of them when something has changed."""

    def __init__(self, look: Callable[[], dict[str, Any]], *, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._look = look
        self._pause_seconds = pause_seconds
        self._listening = 0
        self._state: bytes | None = None
        self._changed = asyncio.Event()
        self._closed = False
        self._looking: asyncio.Task[None] | None = None

    def close(self) -> None:
        """End what everyone listens to."""
        self._closed = True
        self._changed.set()
        if self._looking is not None:
            self._looking.cancel()

    @property
    def is_full(self) -> bool:
        """Whether as many listen as may."""
        return self._listening >= _MOST_LISTENERS

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the state now, and whenever it has changed; a comment now and then shows that the line holds."""
        self._listening += 1
        if self._looking is None or self._looking.done():
            self._state = None
            self._looking = asyncio.create_task(self._keep_looking())
        told: bytes | None = None
        try:
            yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
            while not self._closed:
                if self._state is not None and self._state != told:
                    told = self._state
                    yield b"event: state\ndata: " + told + b"\n\n"
                changed = self._changed
                if self._state == told:
                    try:
                        await asyncio.wait_for(changed.wait(), _HEARTBEAT_SECONDS)
                    except TimeoutError:
                        yield b": still here\n\n"
        finally:
            self._listening -= 1

    async def _keep_looking(self) -> None:
        while self._listening and not self._closed:
            try:
                state = orjson.dumps(await anyio.to_thread.run_sync(self._look), option=orjson.OPT_SORT_KEYS)
            except LakeError:  # It is told by the requests that need the lake; this one looks again.
                state = self._state or b"{}"
            if state != self._state:
                self._state = state
                changed, self._changed = self._changed, asyncio.Event()
                changed.set()
            await asyncio.sleep(self._pause_seconds)
