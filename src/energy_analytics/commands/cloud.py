"""`energy deploy` and `energy package`: onto an AWS account."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import ask, fail, told_in_a_sentence
from .options import ConfigOption, ProfileOption, RegionOption, StackOption, YesOption

if TYPE_CHECKING:
    from ..aws.deployment import Names
    from ..aws.rollout import Plan
    from ..settings import AwsSettings

app = typer.Typer()

_SETTINGS_FILE = Path("energy.toml")


@app.command(epilog="Example: energy deploy --dry-run")
def deploy(
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan; nothing stays behind.")] = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    stack: StackOption = None,
    config: ConfigOption = None,
    package: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Deploy what energy package built.", show_default="build it")
    ] = None,
    uploads_per_month: Annotated[
        int, typer.Option("--uploads-per-month", metavar="N", min=0, help="For the estimate of the cost.")
    ] = 100,
    with_dashboard: Annotated[
        bool | None,
        typer.Option("--with-dashboard/--without-dashboard", help="The web dashboard.", show_default="as it is"),
    ] = None,
) -> None:
    """Make the deployment on AWS, or bring it up to date. Shows the plan and asks first."""
    from .. import terminal, terminal_aws
    from ..aws import costs, rollout

    with told_in_a_sentence(), tempfile.TemporaryDirectory() as built:
        settings, names, _ = _target(config, stack=stack, region=region, profile=profile)
        wanted = rollout.dashboard_wanted(names, settings, asked=with_dashboard)
        if package is None:
            _build(Path(built), settings, config, with_dashboard=wanted)
        planned = rollout.planned(
            names,
            settings,
            package=package or Path(built),
            dry_run=dry_run,
            say=terminal.print_plain,
            with_dashboard=wanted,
        )
        with planned as plan:
            if not plan.changes:
                rollout.adopt(plan)
                if not dry_run:
                    _write_down(names, settings)
                    _invite(names, settings)
                terminal.print_plain("Nothing to change.")
                return
            terminal_aws.show_plan(
                plan,
                costs.estimate(
                    settings,
                    uploads_per_month=uploads_per_month,
                    alarms=plan.alarms,
                    with_dashboard=plan.with_dashboard,
                ),
            )
            if dry_run:
                terminal.print_plain("\nNothing was deployed: this was a dry run.")
                return
            ask("\nDeploy?", yes=yes, otherwise="Nothing was deployed: say --yes to deploy without being asked.")
            _carry_out(plan)
        _write_down(names, settings, show=True)
        _invite(names, settings)


@app.command(name="package", epilog="Example: energy package --out build")
def make_package(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the two zips.")] = Path("build"),
    runtime: Annotated[
        str | None, typer.Option(metavar="R", help="Such as python3.13.", show_default="setting")
    ] = None,
    architecture: Annotated[
        str | None, typer.Option(metavar="A", help="x86_64 or arm64.", show_default="setting")
    ] = None,
    config: ConfigOption = None,
    with_dashboard: Annotated[
        bool, typer.Option("--with-dashboard", help="Build those of the web dashboard too.")
    ] = False,
) -> None:
    """Build the function's and the layer's zip, as energy deploy does."""
    from .. import terminal
    from ..settings import load_settings

    with told_in_a_sentence():
        settings = load_settings(config).aws
        given = {"runtime": runtime, "architecture": architecture}
        chosen = {name: value for name, value in given.items() if value is not None}
        for path in _build(out, settings.model_copy(update=chosen), config, with_dashboard=with_dashboard):
            terminal.print_plain(f"{path}: {path.stat().st_size:,} bytes")


def _target(
    config: Path | None, *, stack: str | None, region: str | None, profile: str | None
) -> "tuple[AwsSettings, Names, object]":
    from .opening import target

    return target(config, stack=stack, region=region, profile=profile)


def _build(out: Path, settings: "AwsSettings", config: Path | None, *, with_dashboard: bool) -> list[Path]:
    from .. import terminal
    from ..aws.package import DASHBOARD, PIPELINE, build

    settings_file = config or (_SETTINGS_FILE if _SETTINGS_FILE.is_file() else None)
    built = []
    for part in (PIPELINE, DASHBOARD) if with_dashboard else (PIPELINE,):
        made = build(
            out,
            runtime=settings.runtime,
            architecture=settings.architecture,
            settings_file=settings_file,
            say=terminal.print_plain,
            part=part,
        )
        built += [made.function, made.layer]
    return built


def _carry_out(plan: "Plan") -> None:
    from .. import terminal_aws
    from ..aws import rollout

    try:
        rollout.carry_out(plan, terminal_aws.show_event)
    except KeyboardInterrupt:
        fail(
            f"CloudFormation goes on with the stack {plan.names.stack} by itself. `energy deploy` says later how it "
            "ended, and writes deployment.json; `aws cloudformation describe-stack-events --stack-name "
            f"{plan.names.stack} --region {plan.names.region}` shows how far it is.",
            code=130,
        )


def _invite(names: "Names", settings: "AwsSettings") -> None:
    """Make the dashboard's first user, who may be there already; without a dashboard there is nobody to invite."""
    from .. import terminal
    from ..aws import users
    from ..aws.deployment import outputs_of

    pool = outputs_of(names.stack).values.get("UserPoolId")
    if pool and settings.dashboard_email and users.invite(pool, settings.dashboard_email):
        terminal.print_plain(f"{settings.dashboard_email} gets an e-mail with a temporary password for the dashboard.")


def _write_down(names: "Names", settings: "AwsSettings", *, show: bool = False) -> None:
    from .. import terminal_aws
    from ..aws.deployment import Deployment, outputs_of

    outputs = outputs_of(names.stack)
    deployment = Deployment(names.stack, names.region, settings.profile, names.account, outputs["LakeUri"])
    deployment.write()
    if show:
        terminal_aws.show_deployment(deployment, dict(outputs.values), invites=settings.dashboard_email is not None)
