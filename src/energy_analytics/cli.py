"""The command `energy`: where it begins and ends; its subcommands are in `commands`."""

import io
import os
import signal
import sys
import threading
import time
from typing import Annotated, Final, NoReturn

import typer

from . import __version__
from .commands import (
    cloud,
    findings,
    forgetting,
    money,
    operation,
    questions,
    removal,
    results,
    serving,
    trials,
    uploads,
)

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)
_ENDING_SECONDS: Final = 5.0

app = typer.Typer(
    name="energy",
    help="Interval energy readings in; totals, anomalies, a 7-day forecast, advice and a report out.",
    epilog="Example: energy run data/sample/household_power_hourly.csv.gz",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables show a flag as if it took a value, and errors in a box unlike ours
)
for commands in (uploads, results, serving, findings, money, questions, trials, cloud, operation, forgetting, removal):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line; whatever goes wrong ends in one sentence and a non-zero exit."""
    received: list[int] = []

    def stop(number: int, _: object) -> NoReturn:
        received.append(number)
        raise KeyboardInterrupt

    def tell(told: "sys.UnraisableHookArgs") -> None:
        # A signal that arrives in a finalizer interrupts that alone; the process ends a little later.
        if not (received and issubclass(told.exc_type, KeyboardInterrupt)):
            sys.__unraisablehook__(told)

    for ending in _ENDING:
        signal.signal(ending, stop)
    sys.unraisablehook = tell
    _end_after(stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="energy")
    except (KeyboardInterrupt, RuntimeError):
        # The engine notices a signal in the middle of a query and tells of it with a RuntimeError of its own.
        if not received:
            raise
        raise SystemExit(128 + received[0]) from None
    except SystemExit:
        if not received:
            raise
        raise SystemExit(128 + received[0]) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def _end_after(stop: object) -> None:
    """End the process where it has not ended by itself some seconds after a signal.

    The engine notices one in the middle of a query, but waits for the part at work, which may take minutes. A lake
    bears an end at any time. The dashboard's server has a handler of its own, and ends in its own time.
    """
    arrived, arrival = os.pipe()
    os.set_blocking(arrival, False)
    signal.set_wakeup_fd(arrival, warn_on_full_buffer=False)

    def wait() -> None:
        while True:
            number = os.read(arrived, 1)[0]
            time.sleep(_ENDING_SECONDS)
            if number in _ENDING and signal.getsignal(number) is stop:
                os._exit(128 + number)

    threading.Thread(target=wait, daemon=True).start()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"energy {__version__}")
        raise typer.Exit


@app.callback()
def _energy(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
