"""The HTTP interface between a sandbox and the service, as AWS documents it for custom runtimes.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import contextlib
import json
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PREFIX: Final = "/2018-06-01/runtime"
RESPONSE_LIMIT_BYTES: Final = 6 * 1024 * 1024 + 100  # of a synchronous answer


@dataclass(frozen=True)
class Invocation:
    """One event on its way to the function."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str


@dataclass(frozen=True)
class Answer:
    """What the function made of an event: its result, or an error as the runtime words it."""

    request_id: str
    body: Any
    failed: bool


class RuntimeApi:
    """The service's side for one sandbox: hands out one event after the other, takes the answers."""

    def __init__(self) -> None:
        self.waiting = threading.Event()  # the runtime asks for an event: it is ready, or done with the last one
        self.init_error: dict[str, Any] | None = None
        self.answers: queue.Queue[Answer] = queue.Queue()
        self._events: queue.Queue[Invocation | None] = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """The host and port that the runtime is told."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def send(self, invocation: Invocation) -> None:
        """Give the runtime an event."""
        self.waiting.clear()
        self._events.put(invocation)

    def next_event(self) -> Invocation | None:
        """Return the next event once there is one; None when the sandbox is to end."""
        self.waiting.set()
        return self._events.get()

    def answer(self, seconds: float) -> Answer | None:
        """Wait so long for an answer; None when there is none yet."""
        with contextlib.suppress(queue.Empty):
            return self.answers.get(timeout=seconds)
        return None

    def close(self) -> None:
        """Stop listening."""
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a sandbox that ended with its connection open."""


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            event = api.next_event() if self.path == f"{PREFIX}/invocation/next" else None
            if event is None:
                self._reply(404, b"{}")
                return
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": event.request_id,
                "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
                "Lambda-Runtime-Trace-Id": event.trace_id,
            }
            self._reply(200, event.payload, headers)

        def do_POST(self) -> None:
            body = self._body()
            parts = self.path.removeprefix(PREFIX).strip("/").split("/")
            if parts == ["init", "error"]:
                api.init_error = json.loads(body)
            elif parts[0] == "invocation" and parts[-1] == "response" and len(body) > RESPONSE_LIMIT_BYTES:
                message = f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size"
                error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
                api.answers.put(Answer(parts[1], error, failed=True))
                self._reply(413, b"{}")
                return
            elif parts[0] == "invocation":
                api.answers.put(Answer(parts[1], json.loads(body or b"null"), failed=parts[-1] == "error"))
            self._reply(202, b'{"status":"OK"}')

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
