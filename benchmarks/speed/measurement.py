"""What a program takes: wall time, processor time and peak memory of a process that ran to its end."""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).parents[2]
BYTES_PER_MB: Final = 1024 * 1024
LONGEST_SILENCE_SECONDS: Final = 300.0
"""A program that is waited for by its lines has failed when none comes for so long."""
_CHUNK_BYTES: Final = 1 << 22


class RunFailedError(RuntimeError):
    """A measured program failed, or left something else than it should have."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process took. Wall time suffers from what else the machine does; processor time hardly."""

    wall_seconds: float
    cpu_seconds: float
    """User and system, all threads, and children that it waited for."""
    peak_mb: float
    """Peak resident memory."""


Program = Callable[[], Usage]


def environment(**further: str) -> dict[str, str]:
    """Return the environment of what is measured: compiled modules are kept, as on a user's machine."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | further


def measure(command: Sequence[str], **further: str) -> Usage:
    """Run the command to its end in `ROOT`, with further variables in its environment; raise if it fails.

    The kernel counts this process's own memory as the child's until the child's program is loaded, so nothing
    heavy is imported here.
    """
    usage, _ = measure_output(command, **further)
    return usage


def measure_output(command: Sequence[str], **further: str) -> tuple[Usage, bytes]:
    """Measure the command, and return what it wrote to its standard output too."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment(**further), stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
        usage = _end_of(child, started)
        output.seek(0)
        if child.returncode != 0:
            raise _failed(command, child.returncode, errors, output)
        return usage, output.read()


def measure_until(command: Sequence[str], *, lines: int, **further: str) -> Usage:
    """Measure a command that never ends by itself, until it has printed so many lines; then interrupt it."""
    with tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment(**further), stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
        seen, since = 0, started
        with Path(output.name).open("rb") as reader:
            while seen < lines and child.poll() is None and time.perf_counter() - since < LONGEST_SILENCE_SECONDS:
                new = reader.read().count(b"\n")
                seen, since = (seen + new, time.perf_counter()) if new else (seen, since)
                time.sleep(0 if new else 0.02)
        if child.returncode is not None or seen < lines:
            child.kill()
            child.wait()
            raise _failed(command, child.returncode, errors, output)
        child.send_signal(signal.SIGINT)
        return _end_of(child, started)


def _end_of(child: subprocess.Popen[bytes], started: float) -> Usage:
    _, status, usage = os.wait4(child.pid, 0)
    wall_seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return Usage(wall_seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit_bytes / BYTES_PER_MB)


def _failed(command: Sequence[str], code: int, *outputs: IO[bytes]) -> RunFailedError:
    last_words = []
    for output in outputs:
        output.seek(0)
        last_words.append(output.read().decode("utf-8", "replace").strip()[-500:])
    return RunFailedError(f"exit {code} of {' '.join(command)}: {' '.join(last_words)}")


def take_turns(
    programs: Mapping[str, Program], *, runs: int, before: Callable[[], None] = lambda: None
) -> dict[str, Usage]:
    """Return the medians of each, with `before` done before each run and not measured.

    Every other turn goes the other way round, so that none is always first.
    """
    taken: dict[str, list[Usage]] = {name: [] for name in programs}
    for turn in range(runs):
        for name in reversed(taken) if turn % 2 else taken:
            before()
            taken[name].append(programs[name]())
    return {name: median(usages) for name, usages in taken.items()}


def settle(file: Path) -> None:
    """Let all find a file alike: in the disk's cache, with what was written before on the disk.

    A program that takes the memory of the cache would otherwise leave the reading from the disk to the next one,
    and one that writes much its writing.
    """
    os.sync()
    with file.open("rb", buffering=0) as opened:
        while opened.read(_CHUNK_BYTES):
            pass


def median(usages: Sequence[Usage]) -> Usage:
    return Usage(
        statistics.median(usage.wall_seconds for usage in usages),
        statistics.median(usage.cpu_seconds for usage in usages),
        statistics.median(usage.peak_mb for usage in usages),
    )


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
