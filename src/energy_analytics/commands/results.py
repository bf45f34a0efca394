"""`energy results` and `energy report`: what the lake holds."""

import tempfile
import time
import webbrowser
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .failures import fail, told_in_a_sentence
from .opening import open_configured
from .options import ConfigOption, EverySiteOption, LakeOption, SiteOption

if TYPE_CHECKING:
    from ..lake import Lake

_LOCAL_SECONDS: Final = 0.2
_REMOTE_SECONDS: Final = 2.0

app = typer.Typer()


@app.command(epilog="Example: energy results --site plant-a --wait")
def results(
    site: EverySiteOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every upload has been run.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait.")] = 300,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Show what the lake holds, the newest run first."""
    from .. import terminal
    from ..runs import runs, waiting_uploads

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        pause = _REMOTE_SECONDS if opened.is_remote else _LOCAL_SECONDS
        deadline = time.monotonic() + timeout
        while wait and waiting_uploads(opened.lake, site) and time.monotonic() < deadline:
            time.sleep(pause)
        manifests = runs(opened.lake, site)
        waiting = waiting_uploads(opened.lake, site)
    terminal.show_results(manifests, waiting, lake=opened.settings.lake)
    newest_failed = bool(manifests) and manifests[0]["status"] != "succeeded"
    if wait and waiting:
        hint = (
            "`energy logs --errors` and `energy redrive --dry-run` show what the function could not run."
            if opened.is_remote
            else "energy watch runs what waits."
        )
        fail(f"After {timeout:g} s {len(waiting):,} upload{'' if len(waiting) == 1 else 's'} still had no run; {hint}")
    if wait and newest_failed:
        raise typer.Exit(1)


@app.command(epilog="Example: energy report --site plant-a --open")
def report(
    site: SiteOption = "",
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser instead.")] = False,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Print the newest report of a site."""
    from .. import terminal
    from ..runs import newest_report

    with told_in_a_sentence():
        configured = open_configured(config, lake=lake)
        opened = configured.lake
        outputs = newest_report(opened, site)
        if open_it:
            key = outputs["report_html"]
            page = _copy_that_stays(opened, key) if configured.is_remote else opened.fetch(key)
            if not webbrowser.open(page.as_uri()):
                fail(f"There is no browser to open {page} with.")
        else:
            terminal.print_plain(opened.read(outputs["report_text"]).decode(), end="")


def _copy_that_stays(lake: "Lake", key: str) -> Path:
    """Fetch a page to where it outlives this command: the browser reads it later."""
    copy = Path(tempfile.mkdtemp(prefix="energy-report-")) / PurePosixPath(key).name
    copy.write_bytes(lake.read(key))
    return copy
