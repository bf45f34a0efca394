"""Work on what a stranger gave, done by a process of its own that is ended at a limit of memory or time.

The engine counts much of the memory that it takes, but not all, and cannot be interrupted within one function; a
fault in it may end the process that it works in.
"""

import os
import resource
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

_OF_PROGRAM_MB: Final = 384
"""What the interpreter and the engine take themselves."""
_OF_THREAD_MB: Final = 24
"""What the stack and the heap of a thread of the engine take."""
_STARTING_SECONDS: Final = 10.0


class OutOfMemoryError(Exception):
    """The work needed more memory than it may have."""


class OutOfTimeError(Exception):
    """The work took longer than it may."""


class BrokenOffError(Exception):
    """The process ended without an answer: a fault in a library, or somebody ended it."""


def module_command(name: str) -> list[str]:
    """Return the command that runs a module of ours; a file of its name, or a library's, where we stand is not run."""
    return [sys.executable, "-P", "-m", name]


def module_environment() -> dict[str, str]:
    """Return the environment in which `module_command` finds our modules."""
    sources = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(sources)}


def apart(work: Callable[..., T], *given: Any, memory_mb: int, seconds: float) -> T:
    """Return what a function of a module returns, or raise what it raises, from a process of its own.

    It may take `memory_mb` beside what the program takes (where the system can hold it to that, as Linux does), and
    a little more than `seconds`. What is given and returned is pickled. Raises OutOfMemoryError, OutOfTimeError and
    BrokenOffError.
    """
    here, there = Pipe()
    limit_mb = memory_mb + _OF_PROGRAM_MB + _OF_THREAD_MB * (os.cpu_count() or 1)
    most_seconds = seconds + _STARTING_SECONDS
    command = [*module_command(__name__), str(there.fileno()), str(limit_mb), str(most_seconds)]
    with here, there:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=module_environment(),
        )  # fmt: skip
        try:
            there.close()
            return _answer(here, (work, given), most_seconds)
        finally:
            process.kill()
            process.wait()


def _answer(process: Connection, asked: tuple[Callable[..., T], tuple[Any, ...]], seconds: float) -> T:
    try:
        process.send(asked)
        if not process.poll(seconds):
            raise OutOfTimeError
        has_worked, answer = process.recv()
    except (EOFError, ConnectionError) as error:
        raise BrokenOffError from error
    if has_worked:
        return answer  # type: ignore[no-any-return]
    if isinstance(answer, MemoryError):
        raise OutOfMemoryError from answer
    raise answer


def main() -> None:
    """Do what is asked on the given connection."""
    connection, limit_mb, seconds = Connection(int(sys.argv[1])), int(sys.argv[2]), float(sys.argv[3])
    _limit(limit_mb, seconds)
    try:
        work, given = connection.recv()
        connection.send((True, work(*given)))
    except Exception as error:  # noqa: BLE001 - it is raised where it was asked
        error.add_note(traceback.format_exc())
        connection.send((False, error))


def _limit(limit_mb: int, seconds: float) -> None:
    for what, most in (
        (resource.RLIMIT_DATA, limit_mb << 20),
        (resource.RLIMIT_CPU, ceil(seconds * (os.cpu_count() or 1))),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # A lower one holds already, or the system knows none.
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main()
