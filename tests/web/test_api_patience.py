"""Who sends slowly, half, or too much at a time: hung up on, and nobody else waits for it."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest
from commands import HEADER, hourly_rows
from web.serving import Server

from energy_analytics.lake import LocalLake
from energy_analytics.settings import Settings
from energy_analytics.web import Access, create_app
from energy_analytics.web import server as serving
from energy_analytics.web.problems import ProblemError
from energy_analytics.web.routes import uploads

Starting = Callable[..., Server]
HALF = b"POST /api/v1/uploads?site=home&name=a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"


def connected(port: int, said: bytes) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=30)
    made.sendall(said)
    return made


def test_a_file_that_breaks_off_leaves_nothing(own_server: Starting) -> None:
    server = own_server()
    with connected(server.port, HALF):
        server.until(lambda: any((server.lake / ".work").glob("*/a.csv")))
    server.until(lambda: not any((server.lake / ".work").glob("*/a.csv")))
    assert server.get("/sites") == {"sites": []}
    assert "Traceback" not in server.said


def test_only_so_many_files_come_in_at_a_time(own_server: Starting) -> None:
    server = own_server()
    at, body = "/api/v1/uploads?site=home&name=b.csv", (HEADER + hourly_rows("2026-01-01", hours=48)).encode()
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(connected(server.port, HALF))
        server.until(lambda: len([*(server.lake / ".work").glob("*/a.csv")]) == 8)
        answer = server.ask(at, "POST", body)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert server.get("/sites") == {"sites": []}
    server.until(lambda: server.ask(at, "POST", body).status == 202)


def test_only_so_many_listen(own_server: Starting) -> None:
    server = own_server()
    with ExitStack() as stack:
        for _ in range(100):
            one = connected(server.port, b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            stack.enter_context(one)
            assert one.recv(20).startswith(b"HTTP/1.1 200")
        assert server.ask("/api/v1/events").status == 503
        assert server.get("/sites") == {"sites": []}


def test_a_file_that_stops_to_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_SILENCE_SECONDS", 0.05)

    async def stopping() -> AsyncIterator[bytes]:
        yield b"half"
        await anyio.sleep(60)

    async def received() -> list[bytes]:
        return [chunk async for chunk in uploads._in_time(stopping())]

    with pytest.raises(ProblemError, match="Nothing more of the file came") as error:
        anyio.run(received)
    assert error.value.status == 408


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
def test_who_does_not_say_what_is_wanted_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(serving, "_HEAD_SECONDS", 0.3)
    app = create_app(LocalLake(tmp_path / "lake"), Settings(), access=Access.open())
    server = serving.Server(app, started=lambda: None)
    listening = serving.listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        began = time.monotonic()
        with connected(listening.getsockname()[1], said) as one:
            assert one.recv(1000) == b""
        assert time.monotonic() - began < 10
        with connected(listening.getsockname()[1], b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") as one:
            assert one.recv(15).startswith(b"HTTP/1.1 200")
    finally:
        server.should_exit = True
        thread.join(30)
