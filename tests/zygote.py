"""`energy` many times, each in a process of its own that something goes wrong in: forked, so that each begins at once.

Faults lie below the code that is tried. In a folder they are at the steps that the interpreter tells of as it asks the
system for them (audit events): to make, open for writing, rename or remove something in the lake. So each step is met,
whoever takes it, and a `Lake` that stands in for the real one is not needed. (Of a bucket see `faulty_s3`.)
"""

import atexit
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from commands import environment

KILL = "kill"
ONCE = "once"
"""After a number: the step fails, and the next one does not."""
ALL = "FAULTS_ALL"
"""With this variable set, each fault is tried at each step; else the faults take turns, and each step has one."""
_REMOVALS = {"os.remove", "os.rmdir"}
_STEPS = {"os.mkdir": 0, "os.rename": 1, "os.utime": 0, "os.remove": 0, "os.rmdir": 0}
"""Which argument is the place."""
_ROUNDS = 12
"""A watch that is tried ends after so many looks at the lake, or when nothing waits."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    """Negative for a signal."""
    said: str
    """On standard error."""
    steps: int
    put: frozenset[tuple[str, str]]
    """The place and digest of what got its final name."""


def at_step(n: int, kinds: Iterable[str]) -> Sequence[str]:
    """Return the faults to be tried at a step."""
    every = [*kinds]
    return every if os.environ.get(ALL) else [every[n % len(every)]]


class Zygote:
    """The process that forks."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def run(
        self,
        *arguments: str | Path,
        folder: Path,
        root: Path | None = None,
        fault: str = "",
        variables: dict[str, str] | None = None,
    ) -> Ended:
        """Run `energy`, with a fault such as `kill 3` or `ENOSPC 5 once` at steps in `root`."""
        self.begin(*arguments, folder=folder, root=root, fault=fault, variables=variables)
        return self.end()

    def begin(
        self,
        *arguments: str | Path,
        folder: Path,
        root: Path | None = None,
        fault: str = "",
        variables: dict[str, str] | None = None,
    ) -> int:
        """Begin a command, and return the process's id."""
        asked = {
            "arguments": [*map(str, arguments)],
            "folder": str(folder),
            "root": str(root or ""),
            "fault": fault,
            "variables": variables or {},
            "out": str(self._folder),
        }
        into, out = self._streams
        into.write(json.dumps(asked) + "\n")
        into.flush()
        return int(out.readline())

    def end(self) -> Ended:
        """Wait for the command to end."""
        code = int(self._streams[1].readline())
        steps = self._folder / "steps"
        told = json.loads(steps.read_text("utf-8")) if steps.exists() else {"steps": 0, "put": []}
        steps.unlink(missing_ok=True)
        said = (self._folder / "stderr").read_text("utf-8")
        return Ended(code, said, told["steps"], frozenset((place, digest) for place, digest in told["put"]))

    @property
    def _streams(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


@contextmanager
def zygote(folder: Path) -> Iterator[Zygote]:
    """Start the process that forks; `folder` is for what the commands say."""
    process = subprocess.Popen(
        [sys.executable, "-m", "zygote"],
        env=environment(ENERGY_THREADS="1", OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
        | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), environment()["PYTHONPATH"]])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield Zygote(process, folder)
    finally:
        process.communicate(timeout=60)


class _Steps:
    """Counts the steps in a folder, and lets one of them fail."""

    def __init__(self, root: str, fault: str) -> None:
        self.root = os.path.realpath(root) + os.sep
        self.count = 0
        self.put: list[tuple[str, str]] = []
        kind, at, *once = [*fault.split(), "", ""][:3]
        self.kind, self.at, self.once = kind, int(at or 0), once == [ONCE]

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Be told of an event."""
        place = self._place(event, arguments)
        if place is None:
            return
        if event == "os.rename" and not self.at and "/.work/" not in place:
            digest = hashlib.sha256(Path(os.fsdecode(arguments[0])).read_bytes()).hexdigest()
            self.put.append((place.removeprefix(self.root), digest))
        self.count += 1
        if not self.at or self.count < self.at or (self.once and self.count > self.at):
            return
        if self.kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "ENOSPC" and event in _REMOVALS:
            return  # A full disk lets things be removed.
        number = getattr(errno, self.kind)
        raise OSError(number, os.strerror(number), place)

    def _place(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event == "open":
            place, _, flags = arguments
            if not isinstance(place, str | bytes | os.PathLike) or not flags & _WRITING:
                return None
        elif event in _STEPS:
            if event in _REMOVALS and arguments[1] != -1:
                return f"{self.root}.work/"  # of a folder that is being removed with all that is in it
            place = arguments[_STEPS[event]]
        else:
            return None
        if isinstance(place, int):
            return None
        path = os.fsdecode(place)
        return path if path.startswith(self.root) else None


def _command(asked: dict[str, Any]) -> int:
    """Be the command, in the process that was forked for it."""
    for name, stream in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(f"{asked['out']}/{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), stream)
    os.chdir(asked["folder"])
    os.environ.update(asked["variables"])
    steps = _Steps(asked["root"], asked["fault"])
    if asked["root"]:
        sys.addaudithook(steps)
    _shorten_waits()
    from energy_analytics.cli import main

    sys.argv = ["energy", *asked["arguments"]]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    steps.at = 0
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
    Path(asked["out"], "steps").write_text(json.dumps({"steps": steps.count, "put": steps.put}), encoding="utf-8")
    return code


def _shorten_waits() -> None:
    """Let the SDK try again at once, and the claim of a process that was killed expire soon."""
    from botocore.retries import standard

    from energy_analytics.pipeline import turns

    standard.ExponentialBackoff.delay_amount = lambda *_: 0.01
    turns.EXPIRY_SECONDS = 1.0
    _end_the_watch_when_nothing_waits()


def _end_the_watch_when_nothing_waits() -> None:
    from energy_analytics import watch as watching
    from energy_analytics.lake import LakeError
    from energy_analytics.runs import waiting_uploads

    for_ever = watching.watch
    watching.SETTLED_SECONDS, watching.AGAIN_SECONDS = 0.0, 0.01

    def until_idle(arrivals: Any, handle: Any, *, pause: Any, complain: Any) -> None:
        rounds = iter(range(_ROUNDS))

        def go_on() -> bool:
            time.sleep(0.02)
            with suppress(LakeError):
                return next(rounds, None) is not None and bool(waiting_uploads(arrivals.lake))
            return True

        for_ever(arrivals, handle, pause=go_on, complain=complain)

    watching.watch = until_idle


def _serve() -> None:
    import boto3  # noqa: F401
    import botocore.retries.standard  # noqa: F401
    import duckdb  # noqa: F401
    import numpy as np  # noqa: F401
    import numpy.ma  # noqa: F401

    import energy_analytics.cli
    import energy_analytics.delivery
    import energy_analytics.lake.s3
    import energy_analytics.pipeline
    import energy_analytics.query
    import energy_analytics.terminal
    import energy_analytics.watch  # noqa: F401
    from energy_analytics.report.page import _environment

    for name in ("report.txt.j2", "report.html.j2"):  # Made ready here, they are so in each process.
        _environment(autoescape=".html" in name).get_template(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 70
            try:
                code = _command(json.loads(line))
            except BaseException as error:  # noqa: BLE001
                os.write(2, repr(error).encode())
            os._exit(code)
        print(child, flush=True)  # noqa: T201
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
