"""A real `energy serve`, a client for it, and what its lakes hold."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from commands import environment

PARIS = ZoneInfo("Europe/Paris")
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """`energy serve` over the lake in a folder, in a process of its own, and what it has said."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.lake = folder / "lake"
        self._arguments = arguments
        self._variables = variables
        self._said = folder / "served"
        self.start()

    def start(self, port: int = 0) -> None:
        """Start it, and wait until it says where it is."""
        self._file = self._said.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "energy_analytics", "serve", "--port", str(port), *self._arguments],
            cwd=self.lake.parent,
            env=environment(ENERGY_THREADS="1", **self._variables),
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )
        self.until(lambda: " ; Ctrl-C ends it." in self.said)
        self.port = int(self.said.partition(" is at http://")[2].partition(":")[2].partition("/")[0])
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self._said.read_text("utf-8")

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request as it is, and return the answer as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Any:
        """Return what the API tells."""
        answer = self.ask(f"/api/v1{path}", headers=headers)
        assert answer.status == 200, answer.body
        return answer.json

    def told(self, path: str, **query: str) -> Any:
        """Return what the API tells whoever has the token."""
        token = self._variables.get("ENERGY_API_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.get(f"{path}?{urlencode(query)}", **headers)

    def upload(self, site: str, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file, and return what became of it."""
        answer = self.ask(f"/api/v1/uploads?site={site}&name={name}", "POST", content)
        assert answer.status == 202, answer.body
        self.until(lambda: self.ask(answer.headers["location"]).json["state"] in {"succeeded", "failed"})
        told: dict[str, Any] = self.ask(answer.headers["location"]).json
        return told

    def until(self, truth: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not truth():
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)

    def workers(self) -> list[int]:
        """Return the processes that this server has started (Linux)."""
        children = Path(f"/proc/{self.process.pid}/task")
        return [int(one) for task in children.iterdir() for one in (task / "children").read_text().split()]

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        self._file.close()
        return code


@contextmanager
def serving(lake: Path, **variables: str) -> Iterator[Server]:
    """Serve a lake, the folder `lake` of some folder, until the block ends."""
    server = Server(lake.parent, **variables)
    try:
        yield server
    finally:
        server.end()


def is_running(process_id: int) -> bool:
    """Tell whether a process is there, and not only its remains."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process_id}/status").read_text()
    except FileNotFoundError:
        return False


def autumn_rows() -> str:
    """Twelve days around the end of summer time in Paris: an oven with 1 kWh an hour, a fridge with 0.5."""
    moment, end = (datetime(2025, 10, day, tzinfo=PARIS).astimezone(ZoneInfo("UTC")) for day in (20, 31))
    rows = []
    while moment < end + timedelta(days=1):
        local = moment.astimezone(PARIS).isoformat()
        rows += [f"{local},Oven,1.0\n", f"{local},Fridge,0.5\n"]
        moment += timedelta(hours=1)
    return "".join(rows)


def unusual_rows() -> str:
    """Ten weeks of a pump that runs two hours in the evening, but for two days without an end to it."""
    rows = []
    for number in range(70 * 24):
        at = datetime(2026, 1, 1) + timedelta(hours=number)
        stuck = datetime(2026, 2, 20) <= at < datetime(2026, 2, 22)
        rows.append(f"{at},Pump,{3.0 if stuck else 1.2 if at.hour in (18, 19) else 0.2}\n")
    return "".join(rows)
