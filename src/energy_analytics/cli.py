"""The command `energy`: where it begins and ends; its subcommands are in `commands`."""

import io
import os
import signal
import sys
from typing import Annotated, NoReturn

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

app = typer.Typer(
    name="energy",
    help="Interval energy readings in; totals, anomalies, a 7-day forecast, advice and a report out.",
    epilog="Example: energy run data/sample/household_power_hourly.csv.gz",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for commands in (uploads, results, serving, findings, money, questions, trials, cloud, operation, forgetting, removal):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line; whatever goes wrong ends in one sentence and a non-zero exit."""
    received: list[int] = []

    def stop(number: int, _: object) -> NoReturn:
        received.append(number)
        raise KeyboardInterrupt

    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, stop)
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
