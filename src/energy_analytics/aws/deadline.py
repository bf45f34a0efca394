"""Stopping a run while there is still time to put on record that it did not end."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

import duckdb

_AGAIN_SECONDS: Final = 3.0
"""The alarm rings again, should something have caught the first one."""


class OutOfTimeError(Exception):
    """A run took longer than it may."""


class _AlarmError(BaseException):
    """Raised wherever the main thread is; no library that catches Exception can hold it back."""


@contextmanager
def time_limit(seconds: float) -> Iterator[Callable[[duckdb.DuckDBPyConnection], None]]:
    """Raise OutOfTimeError when what is done inside takes longer. For the main thread only.

    Gives what is to be told each engine that is at work: a query answers an alarm only after having been
    interrupted.
    """
    engines: list[duckdb.DuckDBPyConnection] = []
    ends = time.monotonic() + seconds

    def ring(signal_number: int, frame: FrameType | None) -> None:
        for engine in engines:
            with suppress(duckdb.Error):  # closed
                engine.interrupt()
        raise _AlarmError

    if seconds <= 0:
        raise OutOfTimeError
    handler_before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield engines.append
    except (_AlarmError, RuntimeError, duckdb.Error) as error:
        if time.monotonic() >= ends:  # an interrupted query says so in an exception of its own
            raise OutOfTimeError from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler_before)
