"""`energy clean`: everything of a lake, or of a deployment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import ask, fail, told_in_a_sentence
from .opening import configured, is_remote, open_configured, target
from .options import ConfigOption, LakeOption, ProfileOption, RegionOption, StackOption, YesOption

if TYPE_CHECKING:
    from ..aws.deployment import Deployment, Names

app = typer.Typer()


@app.command(epilog="Example: energy clean --dry-run")
def clean(
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    keep_raw: Annotated[bool, typer.Option("--keep-raw", help="Keep the uploads (of a folder).")] = False,
    lake: LakeOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    stack: StackOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove everything from the lake, after asking. On AWS remove the whole deployment."""
    with told_in_a_sentence():
        settings, deployment = configured(config, lake=lake)
        about_stack = bool(stack or region or profile)
        if deployment is not None and not about_stack:
            stack, region, profile = deployment.stack, deployment.region, deployment.profile
        if about_stack or deployment is not None:
            if keep_raw:
                fail("--keep-raw is for a folder: on AWS the uploads go with their bucket. Copy them elsewhere first.")
            _, names, written = target(config, stack=stack, region=region, profile=profile)
            _clean_deployment(names, written, yes=yes, dry_run=dry_run)
            return
        if is_remote(settings) and not dry_run:
            fail(
                f"{settings.lake} is a bucket: say --stack (and --region) of the deployment that it belongs to, or "
                "work in the folder of its deployment.json. A bucket of your own is yours to empty."
            )
        _clean_lake(config, lake, yes=yes, dry_run=dry_run, keep_raw=keep_raw)


def _clean_lake(config: Path | None, lake: str | None, *, yes: bool, dry_run: bool, keep_raw: bool) -> None:
    from .. import terminal
    from ..cleanup import contents, remove

    opened = open_configured(config, lake=lake)
    found = contents(opened.lake, keep_raw=keep_raw)
    terminal.show_contents(found, lake=opened.settings.lake)
    if dry_run or not found:
        return
    ask(
        "Remove all of it for good?",
        yes=yes,
        otherwise="Nothing was removed: say --yes to remove without being asked.",
    )
    remove(opened.lake, found)
    terminal.print_plain(f"Removed {len(found):,} file{'' if len(found) == 1 else 's'} from {opened.settings.lake}.")


def _clean_deployment(names: "Names", deployment: "Deployment | None", *, yes: bool, dry_run: bool) -> None:
    from .. import terminal, terminal_aws
    from ..aws import teardown
    from ..aws.deployment import DEPLOYMENT_FILE
    from ..aws.inventory import inventory

    bucket = deployment.lake.removeprefix("s3://") if deployment else None
    state = teardown.state_of(names)
    if state:
        terminal.print_plain(state)
    found = inventory(names, lake_bucket=bucket)
    if found:
        terminal_aws.show_inventory(found)
    else:
        terminal.print_plain(f"Nothing of {names.stack} is in account {names.account}, {names.region}.")
    if dry_run:
        return
    if found:
        ask(
            "Remove all of it for good, with every upload and result?",
            yes=yes,
            otherwise="Nothing was removed: say --yes to remove without being asked.",
        )
        teardown.remove_deployment(names, lake_bucket=bucket, say=terminal.print_plain, tell=terminal_aws.show_event)
        left = inventory(names, lake_bucket=bucket)
        if left:
            terminal_aws.show_inventory(left)
            fail("This is still there; run `energy clean` again in a minute.")
        terminal.print_plain(f"Nothing of {names.stack} is left.")
    if deployment is not None:
        DEPLOYMENT_FILE.unlink()
        terminal.print_plain(f"{DEPLOYMENT_FILE} is gone: from now on `energy clean` here means the lake in a folder.")
