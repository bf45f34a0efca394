"""A proxy on the loopback in front of the emulator, which lets the n-th request go wrong as S3 and networks do."""

import contextlib
import http.client
import os
import signal
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from emulator import Emulator

ANSWERS: Final = {
    "500": (500, "InternalError", "We encountered an internal error. Please try again."),
    "503": (503, "SlowDown", "Please reduce your request rate."),
    "403": (403, "AccessDenied", "Access Denied"),
}
CUTS: Final = ("cut before", "cut in the request", "cut after", "cut in the answer")
"""Before the request has arrived, in the middle of its body, after it was done and before the answer, in the answer."""
KILLS: Final = ("kill before", "kill after")
"""The process that asks, before S3 is asked and after it has done what was asked."""
_OF_THE_WAY: Final = {"connection", "transfer-encoding", "content-length", "expect"}


@dataclass
class Proxy:
    """What goes wrong, and when."""

    server: ThreadingHTTPServer
    kind: str = ""
    at: int = 0
    lasting: bool = False
    process: int = 0
    """To be killed."""
    count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def set(self, kind: str = "", at: int = 0, *, lasting: bool = False) -> None:
        """Count requests anew, and let the one at that place go wrong; with `lasting` all after it, too."""
        with self._lock:
            self.kind, self.at, self.lasting, self.count, self.process = kind, at, lasting, 0, 0

    def fault(self) -> str:
        """Count a request, and return what is to go wrong with it."""
        with self._lock:
            self.count += 1
            due = self.at and (self.count == self.at or (self.lasting and self.count > self.at))
            return self.kind if due else ""

    def kill(self) -> None:
        while not self.process:  # It may ask before its number is known here.
            pass
        os.kill(self.process, signal.SIGKILL)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy
    upstream: str
    context: ssl.SSLContext

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        fault = self.proxy.fault()
        if fault == "kill before":
            self.proxy.kill()
        if fault in {"kill before", "cut before"}:
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "cut in the request":
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if fault in ANSWERS:
            status, code, message = ANSWERS[fault]
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            # An answer to HEAD has no body: what came would be taken for the beginning of the next answer.
            self._answer(status, {"Content-Type": "application/xml"}, b"" if self.command == "HEAD" else text.encode())
            return
        address = urlsplit(self.upstream)
        asked = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=60, context=self.context)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_WAY}
        with contextlib.closing(asked):
            asked.request(self.command, self.path, body, headers | {"Content-Length": str(length)})
            answer = asked.getresponse()
            found = answer.read()
        if fault == "kill after":
            self.proxy.kill()
        if fault in {"kill after", "cut after"}:
            self.close_connection = True
            return
        told = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_THE_WAY}
        if self.command == "HEAD":
            told["Content-Length"] = answer.getheader("Content-Length") or "0"
        self._answer(answer.status, told, found, part=fault == "cut in the answer")

    def _answer(self, status: int, headers: dict[str, str], body: bytes, *, part: bool = False) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body) + (part and not body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if part else body)
            self.wfile.flush()
        self.close_connection = self.close_connection or part

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of who has hung up."""


@contextlib.contextmanager
def proxy(aws: Emulator) -> Iterator[Proxy]:
    """Start a proxy in front of the emulator."""
    context = ssl.create_default_context(cafile=str(aws.ca_bundle))
    handler = type("Handler", (_Handler,), {"upstream": aws.endpoint, "context": context})
    server = _Server(("127.0.0.1", 0), handler)
    handler.proxy = Proxy(server)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield handler.proxy  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
