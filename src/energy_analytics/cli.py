"""The command `energy`: each subcommand parses, calls one function and prints what it got.

Heavy modules are imported where they are used, so that `energy --help` answers at once.
"""

import io
import json
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from . import __version__

if TYPE_CHECKING:
    from .lake import Lake
    from .settings import Settings

app = typer.Typer(
    name="energy",
    help="Interval energy readings in; totals, anomalies, a 7-day forecast, advice and a report out.",
    epilog="Example: energy run data/sample/household_power_hourly.csv.gz",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)

LakeOption = Annotated[
    str | None, typer.Option("--lake", metavar="URI", help="Folder of the lake.", show_default="./lake")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file.", show_default="energy.toml")
]
SiteOption = Annotated[
    str, typer.Option("--site", metavar="S", help="Site: the folder under raw/.", show_default="root")
]
EverySiteOption = Annotated[str | None, typer.Option("--site", metavar="S", help="Only this site.", show_default="all")]


class Form(StrEnum):
    """How the answer to a query is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


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


@app.command(epilog="Example: energy run january.csv february.csv --site plant-a")
def run(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV, CSV.GZ or Parquet with timestamp, appliance, kwh.")
    ],
    site: SiteOption = "",
    lake: LakeOption = None,
    model: Annotated[str | None, typer.Option(metavar="M", help="Forecast model.", show_default="auto")] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest of the run as JSON.")] = False,
) -> None:
    """Put files into the lake and work out totals, anomalies, forecast, advice and report."""
    from . import terminal
    from .delivery import deliver
    from .pipeline import FailedRunError, check_settings
    from .pipeline import run as run_pipeline

    with _told_in_a_sentence():
        settings, opened = _open(config, lake=lake, model=model)
        check_settings(settings)
    manifests, failures = [], 0
    for file in files:
        try:
            with _told_in_a_sentence():
                upload = deliver(opened, file, site=site, now=datetime.now(UTC))
                with terminal.progress() as progress:
                    manifest = run_pipeline(opened, upload, settings, progress=progress)
            manifests.append(manifest)
            if not as_json:
                terminal.show_run(manifest, lake=settings.lake)
        except FailedRunError as error:
            failures += 1
            manifests.append(error.manifest)
            terminal.complain(str(error))
        except typer.Exit:
            failures += 1
    if as_json and manifests:
        terminal.print_plain(json.dumps(manifests[0] if len(files) == 1 else manifests, indent=2, ensure_ascii=False))
    if failures:
        raise typer.Exit(1)


@app.command(epilog="Example: energy watch --lake ./lake   (then copy files to ./lake/raw/)")
def watch(lake: LakeOption = None, config: ConfigOption = None) -> None:
    """Run whatever lands under raw/ of a local lake, each upload once, until interrupted."""
    from . import terminal
    from .pipeline import FailedRunError, check_settings
    from .pipeline import run as run_pipeline
    from .uploads import identify
    from .watch import Arrivals, watchable
    from .watch import watch as watch_lake

    def handle(key: str) -> None:
        try:
            with _told_in_a_sentence(), terminal.progress() as progress:
                upload = identify(opened, opened.describe(key))
                manifest = run_pipeline(opened, upload, settings, progress=progress)
            results = manifest["results"]
            terminal.print_plain(
                f"{key}: {manifest['intake']['rows_accepted']:,} rows, {results['anomalies']:,} anomalies, "
                f"report {settings.lake}/{manifest['outputs']['report_html']}"
            )
        except FailedRunError as error:
            terminal.complain(str(error))
        except typer.Exit:
            terminal.complain(f"{key} was not run; it will be when it changes or the watch starts again.")

    def pause() -> bool:
        time.sleep(0.5)
        return True

    with _told_in_a_sentence():
        settings, opened = _open(config, lake=lake)
        check_settings(settings)
        watched = watchable(opened)
        terminal.print_plain(f"Watching {settings.lake}/raw/ for .csv and .csv.gz files; Ctrl-C ends it.")
        watch_lake(Arrivals(watched), handle, pause=pause)


@app.command(epilog="Example: energy results --site plant-a --wait")
def results(
    site: EverySiteOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every upload has been run.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait.")] = 300,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Show what the lake holds, the newest run first."""
    from . import terminal
    from .runs import runs, waiting_uploads

    with _told_in_a_sentence():
        settings, opened = _open(config, lake=lake)
        deadline = time.monotonic() + timeout
        while wait and waiting_uploads(opened, site) and time.monotonic() < deadline:
            time.sleep(0.2)
        manifests = runs(opened, site)
        waiting = waiting_uploads(opened, site)
    terminal.show_results(manifests, waiting, lake=settings.lake)
    newest_failed = bool(manifests) and manifests[0]["status"] != "succeeded"
    if wait and waiting:
        _fail(
            f"After {timeout:g} s {len(waiting):,} upload{'' if len(waiting) == 1 else 's'} still had no run; "
            "energy watch runs what waits."
        )
    if wait and newest_failed:
        raise typer.Exit(1)


@app.command(
    epilog='Example: energy query "SELECT appliance, sum(kwh) FROM readings GROUP BY 1"   or: energy query daily_trend'
)
def query(
    sql: Annotated[str | None, typer.Argument(metavar="[SQL | NAME]", help="A SELECT, or the name of a query.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The name of a query.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the named queries and the tables.")] = False,
    form: Annotated[Form, typer.Option("--format", help="How to print the answer.")] = Form.TABLE,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Ask the lake in SQL (DuckDB); reads only. Without SQL, offers a menu."""
    from . import terminal
    from .query import named_queries
    from .query import query as ask

    wanted = sql or name
    if show_list:
        terminal.show_queries(named_queries())
        return
    if wanted is None:
        if not sys.stdin.isatty():
            _fail("Say what to ask: a SELECT, or one of " + ", ".join(named_queries()) + ".", code=2)
        wanted = terminal.choose_query(named_queries())
    with _told_in_a_sentence():
        settings, opened = _open(config, lake=lake)
        answer = ask(opened, wanted, settings)
    terminal.show_rows(answer.columns, answer.rows, form=form.value)


@app.command(epilog="Example: energy backtest january.csv --models ensemble,prophet")
def backtest(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file of readings; default: the lake's site.")
    ] = None,
    site: SiteOption = "",
    models: Annotated[
        str | None, typer.Option(metavar="A,B", help="Models to score.", show_default="all but auto")
    ] = None,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Score forecast models on past days, each forecast from the days before alone."""
    from . import terminal
    from .forecasting import AUTO, MODELS
    from .scoreboard import score_file, score_site

    with _told_in_a_sentence():
        settings, opened = _open(config, lake=lake)
        wanted = models.split(",") if models else [name for name in MODELS if name != AUTO]
        scores = score_file(file, wanted, settings) if file else score_site(opened, site, wanted, settings)
    terminal.show_scores(scores)


@app.command(epilog="Example: energy report --site plant-a --open")
def report(
    site: SiteOption = "",
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser instead.")] = False,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Print the newest report of a site."""
    from . import terminal
    from .runs import newest_report

    with _told_in_a_sentence():
        _, opened = _open(config, lake=lake)
        outputs = newest_report(opened, site)
        if open_it:
            page = opened.fetch(outputs["report_html"])
            if not webbrowser.open(page.as_uri()):
                _fail(f"There is no browser to open {page} with.")
        else:
            terminal.print_plain(opened.read(outputs["report_text"]).decode(), end="")


@app.command(epilog="Example: energy generate --days 90 --seed 7 --out data/output")
def generate(
    days: Annotated[int, typer.Option(metavar="N", min=1, max=36500, help="Days up to yesterday.")] = 30,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same readings.")] = 42,
    out: Annotated[Path, typer.Option(metavar="PATH", help="Folder, or CSV file.")] = Path("data/output"),
    end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.", show_default="yesterday")
    ] = None,
) -> None:
    """Invent hourly readings of a home, with known faults and their labels beside them."""
    from . import synthetic, terminal

    last = end.date() if end else datetime.now().astimezone().date() - timedelta(days=1)
    if last.toordinal() < days:
        _fail(f"{days:,} days up to {last} would begin before the year 1.", code=2)
    readings, faults = synthetic.generate(start=last - timedelta(days=days - 1), days=days, seed=seed)
    with _told_in_a_sentence():
        path, labels = synthetic.write(out, readings=readings, faults=faults)
    terminal.print_plain(f"{path}: {len(readings):,} readings of {days:,} days up to {last}")
    terminal.print_plain(f"{labels}: {len(faults):,} known faults")


@app.command(epilog="Example: energy clean --dry-run")
def clean(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    keep_raw: Annotated[bool, typer.Option("--keep-raw", help="Keep the uploads.")] = False,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove everything from the lake, after asking."""
    from . import terminal
    from .cleanup import contents, remove

    with _told_in_a_sentence():
        settings, opened = _open(config, lake=lake)
        found = contents(opened, keep_raw=keep_raw)
        terminal.show_contents(found, lake=settings.lake)
        if dry_run or not found:
            return
        if not yes:
            if not sys.stdin.isatty():
                _fail("Nothing was removed: say --yes to remove without being asked.")
            typer.confirm("Remove all of it for good?", abort=True)
        remove(opened, found)
        terminal.print_plain(f"Removed {len(found):,} file{'' if len(found) == 1 else 's'} from {settings.lake}.")


def _open(config: Path | None, **overrides: Any) -> "tuple[Settings, Lake]":
    from .lake import open_lake
    from .settings import load_settings

    settings = load_settings(config, **overrides)
    return settings, open_lake(settings.lake)


@contextmanager
def _told_in_a_sentence() -> Iterator[None]:
    """Turn what a user can run into, and mend, into one sentence and exit code 1."""
    import duckdb

    from .calendar import UnknownHolidaysError
    from .forecasting import ForecastError, UnknownModelError
    from .intake import UnusableUploadError
    from .lake import LakeError
    from .query import QueryError
    from .settings import SettingsError
    from .tariff import TariffError
    from .weather import WeatherError

    try:
        yield
    except (
        ForecastError,
        LakeError,
        QueryError,
        SettingsError,
        TariffError,
        UnknownHolidaysError,
        UnknownModelError,
        UnusableUploadError,
        WeatherError,
    ) as error:
        _fail(str(error))
    except duckdb.OutOfMemoryException as error:
        _fail(f"The memory that the engine may use was not enough; set memory_limit_mb higher. It said: {_line(error)}")
    except duckdb.IOException as error:
        _fail(f"A file could not be read or written: {_line(error)}")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}.")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _fail(message: str, *, code: int = 1) -> NoReturn:
    from . import terminal

    terminal.complain(message)
    raise typer.Exit(code)
