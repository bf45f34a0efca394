"""The server on a laptop: uvicorn on one socket, and beside it the process that runs what is uploaded."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..lake import LocalLake
from .desk import Desk
from .worker import Worker

_LONGEST_HEAD_BYTES: Final = 256 << 10
"""Of a request: a hundred names of appliances have room in its address."""
_GRACE_SECONDS: Final = 2
"""After which an answer that is still going on is cut off when the server ends."""

_HEAD_SECONDS: Final = 20.0
"""In which the head of a request must have come: who opens connections and says nothing does not keep them."""
_MOST_CONNECTIONS: Final = 500


class Impatient(H11Protocol):
    """HTTP that hangs up on who does not say in time what is wanted."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._late = self.loop.call_later(_HEAD_SECONDS, self._hang_up)

    def data_received(self, data: bytes) -> None:
        """Take what has come; wait for the rest of a head as long as for the first one."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_longer()
        elif self._late is None:
            self._late = self.loop.call_later(_HEAD_SECONDS, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        self._late = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _wait_no_longer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """Ends what clients listen to before it waits for them."""

    def __init__(self, app: FastAPI, *, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=30, http=Impatient, limit_concurrency=_MOST_CONNECTIONS,
            h11_max_incomplete_event_size=_LONGEST_HEAD_BYTES,
        )  # fmt: skip
        super().__init__(config)
        self._desk: Desk = app.state.desk
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        if self.started:
            self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        if self._desk.live is not None:
            self._desk.live.close()
        await super().shutdown(sockets)


def serve(app: FastAPI, listening: socket.socket, *, started: Callable[[], None]) -> None:
    """Serve until interrupted; what lands under `raw/` of a local lake is run meanwhile."""
    desk: Desk = app.state.desk
    if isinstance(desk.lake, LocalLake):

        def told(running: frozenset[str]) -> None:
            desk.sites.running = running

        desk.worker = Worker(desk.lake, desk.settings, told=told)
        desk.worker.start()
    try:
        Server(app, started=started).run(sockets=[listening])
    finally:
        if desk.worker is not None:
            desk.worker.stop()


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes any that is free. Raises OSError when that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=128)
