"""A server on loopback that speaks what language models speak: OpenAI's chat completions and Bedrock's Converse.

Also Secrets Manager and SSM, as far as a key is read from them. How it behaves is a function of the request.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def is_bedrock(self) -> bool:
        return self.path.endswith("/converse")

    @property
    def data(self) -> dict[str, Any]:
        """What the user's message holds."""
        content = self.body["messages"][-1]["content"]
        return json.loads(content[0]["text"] if self.is_bedrock else content)

    @property
    def sections(self) -> list[dict[str, Any]]:
        return self.data["sections"]

    @property
    def wants_structure(self) -> bool:
        return ("toolConfig" if self.is_bedrock else "response_format") in self.body


@dataclass
class Reply:
    """What goes back: a model's text, or an error, or bytes as they are."""

    text: str = ""
    status: int = 200
    error: str = "ValidationException"
    message: str = "an error"
    headers: dict[str, str] = field(default_factory=dict)
    ended: str = ""
    tokens: tuple[Any, Any] | None = (1000, 200)
    as_tool: bool = False
    raw: bytes | None = None
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0
    """Wait between single bytes."""
    endless: bool = False
    """Whether the content is sent again and again, as long as anybody reads it."""

    def content(self, request: Request) -> bytes:
        if self.raw is not None:
            return self.raw
        if "x-amz-target" in request.headers:
            return self.text.encode()
        if self.status != 200:
            error = {"message": self.message, "code": self.error, "type": self.error}
            return json.dumps({"error": error, "message": self.message}).encode()
        return json.dumps(self._converse() if request.is_bedrock else self._completion()).encode()

    def _completion(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.text}
        choice = {"index": 0, "message": message, "finish_reason": self.ended or "stop"}
        body: dict[str, Any] = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        if self.tokens is not None:
            body["usage"] = {"prompt_tokens": self.tokens[0], "completion_tokens": self.tokens[1], "total_tokens": 0}
        return body

    def _converse(self) -> dict[str, Any]:
        block: dict[str, Any] = {"text": self.text}
        if self.as_tool:
            block = {"toolUse": {"toolUseId": "t", "name": "write_sections", "input": json.loads(self.text)}}
        ended = {"length": "max_tokens", "content_filter": "guardrail_intervened", "": "end_turn"}[self.ended]
        body: dict[str, Any] = {
            "output": {"message": {"role": "assistant", "content": [block]}},
            "stopReason": "tool_use" if self.as_tool else ended,
            "metrics": {"latencyMs": 1},
        }
        if self.tokens is not None:
            body["usage"] = {"inputTokens": self.tokens[0], "outputTokens": self.tokens[1], "totalTokens": 0}
        return body


Behaviour = Callable[[Request], Reply]


class Server:
    """The running server and what it has been asked."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.requests: list[Request] = []
        self.left = threading.Event()
        """Set when one who asked has gone before the end of the answer."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                outer.requests.append(request)
                outer.answer(self, request)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.url = f"{self.origin}/v1"
        self.host = self.origin.removeprefix("http://")

    def answer(self, handler: BaseHTTPRequestHandler, request: Request) -> None:
        reply = self.behave(request)
        content = reply.content(request)
        time.sleep(reply.delay_seconds)
        try:
            handler.send_response(reply.status)
            length = 1 << 50 if reply.endless else len(content)
            headers = {"Content-Type": "application/json", "Content-Length": str(length)}
            if reply.status != 200:
                headers["x-amzn-ErrorType"] = reply.error
            for name, value in (headers | reply.headers).items():
                handler.send_header(name, value)
            handler.end_headers()
            while reply.endless:
                handler.wfile.write(content)
            if not reply.drip_seconds:
                handler.wfile.write(content)
                return
            for byte in content:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(reply.drip_seconds)
        except OSError:  # who asked has gone
            handler.close_connection = True
            self.left.set()

    def __enter__(self) -> "Server":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving(behave: Behaviour) -> Iterator[Server]:
    """Run a server that behaves so."""
    with Server(behave) as server:
        yield server


def in_sections(texts: dict[str, str]) -> str:
    """Put texts into the JSON that is asked for."""
    return json.dumps({"sections": [{"section": name, "text": text} for name, text in texts.items()]})


def honest(request: Request) -> Reply:
    """Write what the findings say, with references for all figures."""
    texts = {section["section"]: honest_text(section) for section in request.sections}
    return Reply(in_sections(texts), as_tool=request.is_bedrock and request.wants_structure)


def honest_text(section: dict[str, Any]) -> str:
    """Write a section that keeps to the rules."""
    sentences = ["Here is something worth a closer look."]
    for finding in section["findings"]:
        named = {reference[2:-2].partition(".")[2]: reference for reference in finding["references"]}
        figures = [name for name in named if name not in LABELS]
        own = finding["kind"] not in OF_THE_SITE
        who = named["appliance"] if "appliance" in named and own else ""
        for name in figures:
            if not own and name in OF_THE_APPLIANCE:
                sentences.append(f"{named['appliance']} has {named[name]}.")
            elif name.startswith("saving"):
                sentences.append(f"Using {who or 'it'} with care saves {named[name]}.")
            else:
                sentences.append(f"{who or 'This'} uses or has {named[name]}.")
    text = ""
    for sentence in sentences:  # at least one figure of each finding, and no more than there is room for
        if len(text) + len(sentence) < 880:
            text += f"{sentence} "
    return f"{text.strip()}"


LABELS = {"appliance", "what", "since", "window", "period", "busiest"}
OF_THE_SITE = {"busiest_hours", "trend"}
OF_THE_APPLIANCE = {"top_share_percent", "driver_change_kwh_per_day"}
