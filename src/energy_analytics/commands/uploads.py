"""`energy run`, `upload` and `watch`: files in, results out."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from .failures import fail, told_in_a_sentence
from .opening import open_configured
from .options import ConfigOption, LakeOption, SiteOption

app = typer.Typer()


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
    from .. import terminal
    from ..delivery import deliver
    from ..pipeline import FailedRunError, check_settings
    from ..pipeline import run as run_pipeline

    with told_in_a_sentence():
        settings, opened = _open(config, lake=lake, model=model)
        check_settings(settings)
    manifests, failures = [], 0
    for file in files:
        try:
            with told_in_a_sentence():
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
    from .. import terminal
    from ..pipeline import FailedRunError, check_settings
    from ..pipeline import run as run_pipeline
    from ..schema import RAW
    from ..uploads import identify
    from ..watch import Arrivals
    from ..watch import watch as watch_lake

    def handle(key: str) -> None:
        try:
            with told_in_a_sentence(), terminal.progress() as progress:
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

    with told_in_a_sentence():
        settings, opened = _open(config, lake=lake)
        check_settings(settings)
        opened.fetch(RAW).mkdir(parents=True, exist_ok=True)
        terminal.print_plain(f"Watching {settings.lake}/raw/ for .csv and .csv.gz files; Ctrl-C ends it.")
        watch_lake(Arrivals(opened), handle, pause=pause)
