"""The server on a laptop: uvicorn on one socket, and beside it the process that runs what is uploaded."""

import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from fastapi import FastAPI

from ..lake import LocalLake
from .desk import Desk
from .worker import Worker

_LONGEST_HEAD_BYTES: Final = 256 << 10
"""Of a request: a hundred names of appliances have room in its address."""
_GRACE_SECONDS: Final = 2
"""After which an answer that is still going on is cut off when the server ends."""


class Server(uvicorn.Server):
    """Ends what clients listen to before it waits for them."""

    def __init__(self, app: FastAPI, *, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=30,
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
