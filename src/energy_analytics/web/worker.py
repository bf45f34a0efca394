"""The process that runs what lands under `raw/` of a local lake, so that an upload ends in results.

It is a process of its own, because a run takes all the processor that it can get. It ends with the server, however
that ends: its standard input is a pipe from the server, which closes when the server is gone.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..apart import module_command, module_environment
from ..lake import Lake, LakeError, LocalLake, open_lake
from ..schema import RAW
from ..settings import Settings
from ..words import without_credentials

_PAUSE_SECONDS: Final = 0.5
_UNSETTLED_SECONDS: Final = 20.0
"""For so long after a change under `raw/` its files are looked at again."""
_ENDING_SECONDS: Final = 3.0
_RESTART_SECONDS: Final = 5.0
_LONGEST_RESTART_SECONDS: Final = 300.0
"""A process that ends again and again is started again at pauses that double up to this."""
_SOUND_SECONDS: Final = 600.0
"""One that has worked for so long had nothing wrong with it from the start."""


class Worker:
    """The server's side of it."""

    def __init__(self, lake: Lake, settings: Settings, *, told: Callable[[frozenset[str]], None]) -> None:
        self._lake = lake
        self._settings = settings
        self._told = told
        self._process: subprocess.Popen[str] | None = None
        self._ending = threading.Event()
        self._pause_seconds = _RESTART_SECONDS
        self._started = 0.0

    @property
    def process_id(self) -> int | None:
        """The id of the process, while there is one."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it."""
        self._started = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            module_command("energy_analytics.web.worker"),
            env=module_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the server, which then ends this.
        )
        self._say(json.dumps({"lake": self._lake.uri, "settings": self._settings.model_dump_json()}))
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def hand_over(self, key: str) -> None:
        """Have an upload run now: it is known to be whole, and need not be watched first."""
        self._say(json.dumps(key))

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._ending.set()
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(2 * _ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _say(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return  # It has ended; what lies under raw/ is found when it runs again.

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for above
        for line in process.stdout:
            self._told(frozenset(json.loads(line)))
        self._told(frozenset())
        process.wait()
        if time.monotonic() - self._started > _SOUND_SECONDS:
            self._pause_seconds = _RESTART_SECONDS
        pause_seconds = self._pause_seconds
        self._pause_seconds = min(2 * pause_seconds, _LONGEST_RESTART_SECONDS)
        if not self._ending.wait(pause_seconds):
            self.start()


def main() -> None:
    """Run what lands under `raw/` until the server is gone."""
    told = json.loads(sys.stdin.readline() or "null")
    if told is None:
        return
    settings = Settings(**json.loads(told["settings"]))
    lake = open_lake(told["lake"])
    if not isinstance(lake, LocalLake):
        return
    handed: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(handed,), daemon=True).start()
    _work(lake, settings, handed)


def _read(handed: "queue.SimpleQueue[str]") -> None:
    """Take what the server says; end the process when the server is gone."""
    for line in sys.stdin:
        handed.put(json.loads(line))
    # Objects of the lake appear whole or not at all, so a run may be cut off anywhere.
    os._exit(0)


def _work(lake: LocalLake, settings: Settings, handed: "queue.SimpleQueue[str]") -> None:
    from ..watch import Arrivals

    arrivals = Arrivals(lake)
    seen, since = None, time.monotonic()
    while True:
        try:
            _run(lake, settings, handed.get(timeout=_PAUSE_SECONDS))
            continue
        except queue.Empty:
            pass
        try:
            now = lake.list(RAW)
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since < _UNSETTLED_SECONDS or arrivals.again_is_due():
                for key in arrivals.ready():
                    _run(lake, settings, key)
                    arrivals.handled(key)
        except LakeError as error:
            _complain(str(error))


def _run(lake: LocalLake, settings: Settings, key: str) -> None:
    from ..pipeline import FailedRunError, run
    from ..uploads import identify

    _tell([key])
    try:
        with suppress(FailedRunError):  # Its record says so.
            run(lake, identify(lake, lake.describe(key)), settings, others=False)
    except Exception as error:  # noqa: BLE001 - one upload must not keep the others from being run
        _complain(f"{key} was not run: {error}")
    finally:
        _tell([])


def _tell(running: list[str]) -> None:
    """Tell the server what is being run."""
    sys.stdout.write(json.dumps(running) + "\n")
    sys.stdout.flush()


def _complain(message: str) -> None:
    sys.stderr.write(f"{without_credentials(message)}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
