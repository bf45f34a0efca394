"""`energy logs` and `energy redrive`: looking after a deployment."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from .failures import ask, fail, told_in_a_sentence
from .opening import target
from .options import ConfigOption, ProfileOption, RegionOption, StackOption, YesOption

app = typer.Typer()


@app.command(epilog="Example: energy logs --errors --since 2d")
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until interrupted.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="Only what failed.")] = False,
    since: Annotated[str, typer.Option(metavar="T", help="Such as 30m, 1h, 2d, or a date and time in UTC.")] = "1h",
    utc: Annotated[bool, typer.Option("--utc", help="Times in UTC, not in this machine's zone.")] = False,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="The log of the web dashboard's function.")] = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    stack: StackOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the function's log, readable."""
    from .. import terminal, terminal_aws
    from ..aws import logs as function_logs
    from ..aws.deployment import outputs_of

    with told_in_a_sentence():
        start = function_logs.since(since, now=datetime.now(UTC))
        _, names, _ = target(config, stack=stack, region=region, profile=profile)
        outputs = outputs_of(names.stack)
        if dashboard and "DashboardLogGroupName" not in outputs.values:
            fail(f"The stack {names.stack} has no dashboard; make it with: energy deploy --with-dashboard")
        log_group = outputs["DashboardLogGroupName" if dashboard else "LogGroupName"]
        read = function_logs.follow if follow else function_logs.log_lines
        shown = 0
        for line in read(log_group, start=start, errors=errors):
            terminal_aws.show_log_line(line, utc=utc)
            shown += 1
        if not shown:
            what = "no errors" if errors else "nothing"
            terminal.print_plain(f"The log {log_group} holds {what} since {start:%Y-%m-%d %H:%M:%S} UTC.")


@app.command(epilog="Example: energy redrive --dry-run")
def redrive(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what lies in the queue.")] = False,
    yes: YesOption = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    stack: StackOption = None,
    config: ConfigOption = None,
) -> None:
    """Run once more what the function gave up, from the failure queue."""
    from .. import terminal, terminal_aws, words
    from ..aws import redrive as failures
    from ..aws.deployment import outputs_of

    with told_in_a_sentence():
        _, names, _ = target(config, stack=stack, region=region, profile=profile)
        outputs = outputs_of(names.stack)
        queue, function = outputs["FailureQueueUrl"], outputs["FunctionName"]
        taken = failures.take(queue)
        kept = list(taken)
        try:
            if not taken:
                terminal.print_plain("The failure queue is empty.")
                return
            terminal_aws.show_failures(taken)
            again = [failure for failure in taken if failure.event is not None]
            if dry_run:
                return
            if again:
                ask(
                    f"Run {words.count(len(again), 'event')} again?",
                    yes=yes,
                    otherwise="Nothing was sent: say --yes to send without being asked.",
                )
            for failure in again:
                failures.send_again(queue, function, failure)
                kept.remove(failure)
        finally:
            failures.give_back(queue, kept)
        terminal.print_plain(f"Sent {words.count(len(again), 'event')} to {function}; see: energy logs")
        if kept:
            fail(f"{words.count(len(kept), 'message')} in the queue cannot be sent again; left as they are.")
