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
    """List what was found, what is worth most money first. Of the newest run of each site."""
    from .. import terminal
    from ..runs import succeeded_runs, what_there_is

    with told_in_a_sentence():
        configured = open_configured(config, lake=lake)
        opened = configured.lake
        told = [(row, text) for row, text in _findings(opened, site) if every or not row["dismissed"]]
        found = [row for row, _ in told]
        if not found and not as_json and not succeeded_runs(opened, site):
            whose = f" of {site}" if site else ""
            fail(f"The lake {configured.settings.lake} has no findings{whose}. {what_there_is(opened)}")
    if as_json:
        terminal.print_json(found, indent=2)
        return
    if not found:
        hint = "" if every else " energy findings --all lists what was dismissed too."
        terminal.print_plain(f"There is nothing to tell.{hint}")
        return
    terminal.show_findings(told)


@app.command(epilog="Example: energy dismiss 3f2a9c10")
def dismiss(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The id of a finding or of an episode.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let it be told again.")] = False,
    site: EverySiteOption = None,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Keep a finding or an episode out of later reports and lists."""
    from .. import dismissals, terminal
    from ..findings.records import from_row

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake).lake
        newest = _newest(opened, site)
        episodes = _with_id(identity, newest, "episodes")
        matching = _with_id(identity, newest, "findings") | episodes
        if not matching:
            fail(
                f"No finding and no episode of a newest run has the id {identity}. `energy findings --all` lists "
                'findings, `energy query "SELECT * FROM episodes"` episodes.'
            )
        if len(matching) > 1:
            named = ", ".join(one or "the root site" for one in sorted(matching))
            fail(f"Several sites have the id {identity} ({named}). Say which with --site.")
        [(name, row)] = matching.items()
        if undo:
            dismissals.restore(opened, name, *{identity, row.get("about") or identity})
        elif episodes:
            dismissals.dismiss_episode(opened, name, row)
        else:
            dismissals.dismiss(opened, name, from_row(row))
    terminal.print_plain(
        f"{identity} will be told again from the next run on."
        if undo
        else f"{identity} stays away from later reports; energy dismiss {identity} --undo brings it back."
    )


def _newest(lake: "Lake", site: str | None) -> dict[str, dict[str, Any]]:
    """Return the results of each site's newest run, by site."""
    from ..runs import succeeded_runs

    newest: dict[str, dict[str, Any]] = {}
    for manifest in succeeded_runs(lake, site):
        newest.setdefault(manifest["site"], manifest["results"])
    return newest


def _findings(lake: "Lake", site: str | None) -> list[tuple[dict[str, Any], str]]:
    """Return the findings of each site's newest run in words, with the site and whether they were dismissed."""
    from ..dismissals import dismissed, is_unwanted
    from ..insights.rules import retell

    found = []
    for name, results in sorted(_newest(lake, site).items()):
        unwanted = dismissed(lake, name)
        for row, _, text in retell(results["findings"]):
            found.append(({"site": name, "dismissed": is_unwanted(unwanted, row), **row}, text))
    return found


def _with_id(identity: str, newest: dict[str, dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the findings or episodes with that id, by site."""
    return {name: row for name, results in newest.items() for row in results[kind] if row["id"] == identity}
