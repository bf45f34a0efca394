"""`energy findings` and `energy dismiss`: what a run found to tell, and what is not to be told again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .failures import fail, told_in_a_sentence
from .opening import open_configured
from .options import ConfigOption, EverySiteOption, LakeOption

if TYPE_CHECKING:
    from ..lake import Lake

app = typer.Typer()


@app.command(epilog="Example: energy findings --site plant-a")
def findings(
    site: EverySiteOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that is known of each, as JSON.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also those that were dismissed.")] = False,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """List what the newest run of each site found, what is worth most money first."""
    from .. import terminal
    from ..insights.rules import tell

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake).lake
        found = [row for row in _newest(opened, site) if every or not row["dismissed"]]
    if as_json:
        terminal.print_json(found, indent=2)
        return
    if not found:
        hint = "energy findings --all lists what was dismissed." if not every else "energy run FILE makes a run."
        terminal.print_plain(f"There is nothing to tell. {hint}")
        return
    terminal.show_findings([(row, tell(_finding(row))) for row in found])


@app.command(epilog="Example: energy dismiss 3f2a9c10")
def dismiss(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The id, as `energy findings` lists it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let it be told again.")] = False,
    site: EverySiteOption = None,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Keep a finding out of the reports and lists of later runs."""
    from .. import dismissals, terminal

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake).lake
        matching = [row for row in _newest(opened, site) if row["id"] == identity]
        sites = sorted({row["site"] for row in matching})
        if not matching:
            fail(f"No finding of a newest run has the id {identity}. `energy findings --all` lists them.")
        if len(sites) > 1:
            named = ", ".join(one or "the root site" for one in sites)
            fail(f"Findings of several sites have the id {identity} ({named}). Say which with --site.")
        [row] = matching
        if undo:
            dismissals.restore(opened, row["site"], identity)
        else:
            dismissals.dismiss(opened, row["site"], _finding(row))
    terminal.print_plain(
        f"{identity} will be told again from the next run on."
        if undo
        else f"{identity} stays away from later reports; energy dismiss {identity} --undo brings it back."
    )


def _newest(lake: "Lake", site: str | None) -> list[dict[str, Any]]:
    """Return the findings of each site's newest run, with the site and whether they were dismissed."""
    from ..dismissals import dismissed
    from ..runs import succeeded_runs

    newest: dict[str, Any] = {}
    for manifest in succeeded_runs(lake, site):
        newest.setdefault(manifest["site"], manifest)
    found = []
    for name, manifest in sorted(newest.items()):
        unwanted = dismissed(lake, name)
        rows = manifest["results"].get("findings", ())
        found += [{"site": name, "dismissed": row["id"] in unwanted, **row} for row in rows]
    return found


def _finding(row: dict[str, Any]) -> Any:
    from ..findings.records import from_row

    return from_row({name: value for name, value in row.items() if name not in ("site", "dismissed")})
