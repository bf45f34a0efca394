"""`energy forget`: one upload, and all that came of it."""

from typing import Annotated

import typer

from .failures import ask, fail, told_in_a_sentence
from .opening import open_configured
from .options import ConfigOption, LakeOption, YesOption

app = typer.Typer()

KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="The upload: raw/plant-a/january.csv, or january.csv with --site plant-a.")
]


@app.command(epilog="Example: energy forget january.csv --site plant-a --dry-run")
def forget(
    key: KeyArgument,
    site: Annotated[str | None, typer.Option("--site", metavar="S", help="Site of the upload.")] = None,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove an upload with its readings and results, after asking. The site is then as if it had never come."""
    from .. import terminal
    from ..pipeline import check_settings
    from ..pipeline import forget as forget_upload
    from ..runs import results_of
    from ..schema import RAW
    from ..uploads import find, in_site, is_upload

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        check_settings(opened.settings)
        full = key if site is None and key.startswith(f"{RAW}/") else in_site(RAW, site or "", key)
        if not is_upload(full):
            fail(f"{full} is not an upload: give the key of a .csv or .csv.gz file, such as raw/plant-a/january.csv.")
        present = find(opened.lake, full)
        found = [*([present.stored] if present else []), *results_of(opened.lake, full)]
        if not found:
            fail(f"There is no {full} in the lake {opened.settings.lake}, and nothing that came of it.")
        terminal.show_contents(found, lake=opened.settings.lake)
        if dry_run:
            return
        ask(
            f"Remove {full} and what came of it, and run again what rested on it?",
            yes=yes,
            otherwise="Nothing was removed: say --yes to remove without being asked.",
        )
        with terminal.progress() as progress:
            forget_upload(opened.lake, full, opened.settings, progress=progress)
        terminal.print_plain(f"Removed {full} and what came of it from {opened.settings.lake}.")
        if opened.is_remote:
            terminal.print_plain(
                "Where the bucket keeps versions, those of the upload stay until its rules remove them: 90 days in a "
                "bucket that energy deploy made."
            )
