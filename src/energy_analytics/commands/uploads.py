"""`energy run`, `upload` and `watch`: files in, results out."""

import os
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from .failures import told_in_a_sentence
from .opening import Opened, open_configured
from .options import ConfigOption, LakeOption, SiteOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..runs import Manifest

T = TypeVar("T")

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="CSV, CSV.GZ or Parquet with timestamp, appliance, kwh.")
]

app = typer.Typer()


@app.command(epilog="Example: energy run january.csv february.csv --site plant-a")
def run(
    files: FilesArgument,
    site: SiteOption = "",
    lake: LakeOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="M",
            help="Forecast model: auto, ensemble, prophet, seasonal_naive or moving_average.",
            show_default="auto",
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest of the run as JSON.")] = False,
) -> None:
    """Put files into the lake, and run the pipeline. Totals, anomalies, forecast, advice and a report come of it."""
    from ..pipeline import check_settings

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake, model=model)
        check_settings(opened.settings)
    _run_files(opened, files, site=site, as_json=as_json)


@app.command(epilog="Example: energy upload january.csv --site plant-a --wait")
def upload(
    files: FilesArgument,
    site: SiteOption = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the runs on AWS, and show them.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for all of them.")] = 300,
    lake: LakeOption = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest of the run as JSON; waits.")] = False,
) -> None:
    """Put files under raw/ of the lake, and have them run. On AWS the function does; in a folder, as energy run."""
    from ..pipeline import check_settings

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        if not opened.is_remote:
            check_settings(opened.settings)
    if opened.is_remote:
        _upload_files(opened, files, site=site, timeout=timeout if wait or as_json else None, as_json=as_json)
    else:
        _run_files(opened, files, site=site, as_json=as_json)


def _run_files(opened: Opened, files: list[Path], *, site: str, as_json: bool) -> None:
    from .. import terminal
    from ..delivery import deliver
    from ..pipeline import run as run_pipeline

    def run_one(file: Path) -> "Manifest":
        limit = opened.settings.max_upload_mb
        delivered = deliver(opened.lake, file, site=site, now=datetime.now(UTC), max_upload_mb=limit)
        with terminal.progress() as progress:
            return run_pipeline(opened.lake, delivered, opened.settings, progress=progress)

    _show_each(opened, files, run_one, as_json=as_json)


def _upload_files(opened: Opened, files: list[Path], *, site: str, timeout: float | None, as_json: bool) -> None:
    """Upload all files, so that the function begins with the first, and then wait if a timeout is given."""
    from .. import terminal
    from ..aws.waiting import await_run
    from ..delivery import deliver
    from ..uploads import Upload

    delivered: list[Upload] = []
    failed = False
    for file in files:
        try:
            with told_in_a_sentence():
                limit = opened.settings.max_upload_mb
                delivered.append(deliver(opened.lake, file, site=site, now=datetime.now(UTC), max_upload_mb=limit))
                if not as_json:
                    terminal.print_plain(f"{file} is now {opened.settings.lake}/{delivered[-1].key}")
        except typer.Exit:
            failed = True
    if timeout is None:
        if delivered:
            terminal.print_plain("The function runs what was uploaded: see energy results --wait, or energy logs.")
    else:
        deadline = time.monotonic() + timeout
        _show_each(opened, delivered, lambda one: await_run(opened.lake, one, deadline=deadline), as_json=as_json)
    if failed:
        raise typer.Exit(1)


def _show_each(opened: Opened, given: "Sequence[T]", manifest_of: "Callable[[T], Manifest]", *, as_json: bool) -> None:
    """Show the run of each file or upload; fail at the end if one did."""
    from .. import terminal
    from ..pipeline import FailedRunError

    manifests, failures = [], 0
    for one in given:
        try:
            with told_in_a_sentence():
                manifest = manifest_of(one)
            manifests.append(manifest)
            if not as_json:
                terminal.show_run(manifest, lake=opened.settings.lake)
        except FailedRunError as error:
            failures += 1
            manifests.append(error.manifest)
            terminal.complain(str(error))
        except typer.Exit:
            failures += 1
    if as_json and manifests:
        terminal.print_json(manifests[0] if len(given) == 1 else manifests, indent=2)
    if failures:
        raise typer.Exit(1)


@app.command(epilog="Example: energy watch --lake ./lake   (then copy files to ./lake/raw/)")
def watch(
    lake: LakeOption = None,
    config: ConfigOption = None,
    jobs: Annotated[
        int,
        typer.Option(min=1, max=256, metavar="N", help="Sites to run at the same time, each in a process of its own."),
    ] = 1,
) -> None:
    """Run whatever lands under raw/ of a local lake. Each upload is run once; Ctrl-C ends it."""
    from .. import terminal
    from ..crew import Crew
    from ..pipeline import check_settings
    from ..uploads import site_of
    from ..watch import Arrivals, watchable
    from ..watch import watch as watch_lake

    def pause() -> bool:
        time.sleep(0.5)
        return True

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        check_settings(opened.settings)
        watched = watchable(opened.lake)
        terminal.print_plain(f"Watching {opened.settings.lake}/raw/ for .csv and .csv.gz files; Ctrl-C ends it.")
        here = _running(opened, shown=True)
        threads = max(1, (opened.settings.threads or os.cpu_count() or 1) // jobs)
        crew = Crew(jobs, _running_apart, config, lake, threads, complain=terminal.complain)

        def handle(keys: "Sequence[str]") -> "Iterator[str]":
            if jobs > 1 and len({site_of(key) for key in keys}) > 1:
                yield from crew.handle(keys)
                return
            for key in keys:
                here(key)
                yield key

        with closing(crew):
            watch_lake(Arrivals(watched), handle, pause=pause, complain=terminal.complain)


def _running_apart(config: Path | None, lake: str | None, threads: int) -> "Callable[[str], None]":
    """Return what runs an upload of the lake and tells of it, in a process of a crew."""
    opened = open_configured(config, lake=lake)
    settings = opened.settings.model_copy(update={"threads": threads})
    return _running(replace(opened, settings=settings), shown=False)


def _running(opened: Opened, *, shown: bool) -> "Callable[[str], None]":
    """Return what runs the upload under a key and tells of it; how far it is can be shown."""
    from .. import terminal
    from ..pipeline import FailedRunError, silent
    from ..pipeline import run as run_pipeline
    from ..uploads import identify

    lake, settings = opened.lake, opened.settings

    def run_upload(key: str) -> None:
        try:
            with told_in_a_sentence(), terminal.progress() if shown else nullcontext(silent) as progress:
                manifest = run_pipeline(
                    lake, identify(lake, lake.describe(key)), settings, progress=progress, others=False
                )
            results = manifest["results"]
            terminal.print_plain(
                f"{key}: {manifest['intake']['rows_accepted']:,} rows, {results['anomalies']:,} anomalies, "
                f"report {settings.lake}/{manifest['outputs']['report_html']}"
            )
        except FailedRunError as error:
            terminal.complain(str(error))
        except typer.Exit:
            terminal.complain(f"{key} was not run; it is tried again after a while.")

    return run_upload
