"""What the command line shows of a deployment: plans, events, logs, inventories."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text

from . import words
from .terminal import console, table

if TYPE_CHECKING:
    from .aws.costs import Estimate
    from .aws.deployment import Deployment
    from .aws.inventory import Item
    from .aws.logs import LogLine
    from .aws.redrive import Failure
    from .aws.rollout import Plan
    from .aws.stack import StackEvent

_STYLES: Final = {
    "Add": "green",
    "Modify": "yellow",
    "Replace": "red",
    "Replace?": "yellow",
    "Remove": "red",
    "Perhaps": "dim",
}
_MEANINGS: Final = {
    "Perhaps": "only if the name or ARN of something that it refers to changes",
    "Replace?": "changed in place where that can be, else made anew; CloudFormation tells only on the way",
}
_BUCKET_STAYS: Final = (
    "The bucket and all in it stay: nothing of the template gives it another name, and CloudFormation is told to keep "
    "a bucket that it would replace."
)
_LEVELS: Final = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow", "PLATFORM": "dim", "DEBUG": "dim"}
_TOLD: Final = {
    "CREATE_COMPLETE": "made",
    "UPDATE_COMPLETE": "changed",
    "DELETE_COMPLETE": "removed",
    "ROLLBACK_IN_PROGRESS": "undoing",
    "UPDATE_ROLLBACK_IN_PROGRESS": "undoing",
    "ROLLBACK_COMPLETE": "undone",
    "UPDATE_ROLLBACK_COMPLETE": "undone",
    "DELETE_SKIPPED": "kept",
}


def show_plan(plan: "Plan", estimate: "Estimate") -> None:
    """Print what a deploy would change, who may do what, and what it costs."""
    out = console()
    title = f"Stack {plan.names.stack} in account {plan.names.account}, {plan.names.region}"
    out.print(Text(f"{title}: {'new' if plan.is_new else 'there already'}", style="bold"))
    out.print()
    rows = table("Action", "Resource", "Type")
    for change in plan.changes:
        rows.add_row(Text(change.action, style=_STYLES.get(change.action, "")), change.logical_id, change.type)
    out.print(rows)
    for action, meaning in _MEANINGS.items():
        if any(change.action == action for change in plan.changes):
            out.print(Text(f"{action}: {meaning}", style="dim"), soft_wrap=True)
    if any((change.action, change.type) == ("Replace?", "AWS::S3::Bucket") for change in plan.changes):
        out.print(Text(_BUCKET_STAYS, style="dim"), soft_wrap=True)
    for note in plan.notes:
        out.print(Text(note, style="yellow"), soft_wrap=True)
    out.print()
    out.print(Text("Permissions", style="bold"))
    for permission in plan.permissions:
        out.print(Text(f"- {permission}"), soft_wrap=True)
    out.print()
    show_costs(estimate)


def show_costs(estimate: "Estimate") -> None:
    """Print the estimate with what it rests on."""
    out = console()
    views = f" and {words.count(estimate.page_views, 'page view')}" if estimate.page_views else ""
    out.print(
        Text(
            f"Estimated cost a month for {words.count(estimate.uploads_per_month, 'upload')}{views} "
            f"(US dollars, prices of {estimate.prices_as_of})",
            style="bold",
        )
    )
    rows = table("Service", "Use", "USD", right=("USD",))
    for line in estimate.lines:
        rows.add_row(line.service, line.use, f"{line.usd_per_month:,.4f}")
    rows.add_section()
    rows.add_row("Total", "", f"{estimate.usd_per_month:,.2f}", style="bold")
    out.print(rows)
    for assumption in estimate.assumptions:
        out.print(Text(f"- {assumption}", style="dim"), soft_wrap=True)


def show_event(event: "StackEvent") -> None:
    """Print what has happened to a resource; that something has begun is told of the stack alone."""
    told = _TOLD.get(event.status)
    if event.status.endswith("_FAILED"):
        told = "failed"
    if told is None:
        return
    failed = told == "failed"
    line = Text(f"{event.at:%H:%M:%S}  ")
    line.append(f"{told:<8}", style="red" if failed else "yellow" if told.startswith("undo") else "green")
    name = event.physical_id.rsplit("/", 1)[-1] if event.type == "AWS::CloudFormation::Stack" else event.logical_id
    line.append(f"  {'the stack' if event.is_stack else name}  ")
    if not event.is_stack:
        line.append(event.type, style="dim")
    if event.reason and failed:
        line.append(f"  {event.reason}", style="red")
    console().print(line, soft_wrap=True)


def show_deployment(deployment: "Deployment", outputs: "dict[str, str]", *, invites: bool) -> None:
    """Print what the stack says of itself, and what to do next. `invites` tells that a first user is named."""
    out = console()
    out.print()
    width = max(18, 2 + max(map(len, outputs), default=0))
    for name, value in outputs.items():
        out.print(Text(f"{name:<{width}}{value}"), soft_wrap=True)
    out.print()
    out.print(Text("What next", style="bold"))
    for command, purpose in (
        ("energy generate", "readings to try it with, in data/output/energy_data.csv"),
        ("energy upload data/output/energy_data.csv --wait", "run them on AWS, and show the result"),
        ("energy results", "what the lake holds"),
        ("energy query daily_trend", "ask Athena"),
        ("energy logs --follow", "what the function does"),
        ("energy clean", "remove everything"),
    ):
        out.print(Text(f"  {command:<52}{purpose}"), soft_wrap=True)
    out.print(Text(f"deployment.json lets these commands find {deployment.lake}.", style="dim"), soft_wrap=True)
    if "DashboardUrl" in outputs:
        out.print(Text(f"\nThe dashboard is at {outputs['DashboardUrl']}", style="bold"), soft_wrap=True)
        if not invites:
            out.print(Text("A user is added, and invited by e-mail, with:"))
            out.print(Text(f"  {add_user_command(deployment, outputs['UserPoolId'])}"), soft_wrap=True)


def add_user_command(deployment: "Deployment", pool_id: str, email: str = "you@example.org") -> str:
    """Return the command that makes a user of the dashboard."""
    profile = f" --profile {deployment.profile}" if deployment.profile else ""
    attributes = f"Name=email,Value={email} Name=email_verified,Value=true"
    return (
        f"aws cognito-idp admin-create-user --user-pool-id {pool_id} --username {email} --user-attributes {attributes} "
        f"--desired-delivery-mediums EMAIL --region {deployment.region}{profile}"
    )


def show_inventory(items: "Sequence[Item]") -> None:
    """Print all that there is of a deployment."""
    rows = table("What", "Name", "")
    for item in items:
        rows.add_row(item.kind, Text(item.name), item.detail)
    console().print(rows)


def show_log_line(line: "LogLine", *, utc: bool) -> None:
    """Print a line of the function's log, its traceback below it."""
    at = line.at if utc else line.at.astimezone()
    text = Text(f"{at:%Y-%m-%d %H:%M:%S}{'Z' if utc else ''}  ", style="dim")
    text.append(f"{'' if line.level == 'PLATFORM' else line.level:<8}", style=_LEVELS.get(line.level, ""))
    about = [words.name(line.upload, limit=len(line.upload))] if line.upload else []
    about += [f"({line.stamp})"] if line.stamp else []
    if about:
        text.append(f" {' '.join(about)} ", style="cyan")
    text.append(f" {line.message}", style=_LEVELS.get(line.level, ""))
    console().print(text, soft_wrap=True)
    for row in line.traceback.splitlines():
        console().print(Text(f"{'':<21}{row}", style="dim"), soft_wrap=True)


def show_failures(failures: "Sequence[Failure]") -> None:
    """Print what lies in the failure queue."""
    rows = table("Since (UTC)", "Upload", "Error")
    for failure in failures:
        rows.add_row(_time(failure.sent_at), Text(", ".join(map(words.name, failure.keys)) or "-"), Text(failure.error))
    console().print(rows)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
