"""A deployment being made or brought up to date: plan, carry out, and leave nothing behind when it fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import artifacts, stack
from .buckets import remove_bucket
from .deployment import DeploymentError, Names, stack_parameters
from .package import DASHBOARD, PIPELINE
from .sources import source_file
from .stack import Change, ChangeSet, StackEvent
from .statements import permissions
from .template import TEMPLATE, Evaluated

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

    from ..settings import AwsSettings

_TO_REMOVE: Final = {"CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}


@dataclass(slots=True)
class Plan:
    """What a deploy would do. `change_set` is None when nothing was asked of CloudFormation."""

    names: Names
    is_new: bool
    changes: tuple[Change, ...]
    permissions: list[str]
    alarms: int
    with_dashboard: bool = False
    notes: list[str] = field(default_factory=list)
    """What a person should know before saying yes."""
    change_set: ChangeSet | None = None
    keeps: frozenset[str] = frozenset()
    """Keys of the artefact bucket that the new state of the stack needs."""
    uploaded: list[str] = field(default_factory=list)
    is_settled: bool = False
    """Whether nothing is to be taken back: the plan was carried out, or made nothing."""


def dashboard_wanted(names: Names, settings: "AwsSettings", *, asked: bool | None) -> bool:
    """Tell whether the stack is to have a dashboard: by the option, else the setting, else as it is."""
    for choice in (asked, settings.dashboard):
        if choice is not None:
            return choice
    return _has_dashboard(stack.find_stack(names.stack))


def _has_dashboard(found: "StackTypeDef | None") -> bool:
    if not stack.is_there(found):
        return False
    assert found is not None  # noqa: S101 - it is there
    return any(one["ParameterKey"] == "DashboardFunctionKey" and one["ParameterValue"] for one in found["Parameters"])


@contextmanager
def planned(
    names: Names,
    settings: "AwsSettings",
    *,
    package: Path,
    dry_run: bool,
    say: Callable[[str], None],
    template: Path | None = None,
    with_dashboard: bool = False,
) -> Iterator[Plan]:
    """Give the plan to deploy the zips in the folder `package`; what is not carried out is taken back at the end.

    A dry run makes nothing that stays. Raises DeploymentError when the stack is not in a state to be deployed.
    """
    template = template or source_file(TEMPLATE)
    text = template.read_text(encoding="utf-8")
    found = stack.find_stack(names.stack)
    _refuse_unfit(names, found)
    zips = _zips(package, with_dashboard=with_dashboard)
    function_key, layer_key, *dashboard_keys = map(artifacts.key_of, zips)
    parameters = stack_parameters(
        settings,
        names,
        function_key=function_key,
        layer_key=layer_key,
        dashboard_keys=(dashboard_keys[0], dashboard_keys[1]) if dashboard_keys else None,
    )
    stack_id = found["StackId"] if found is not None and stack.is_there(found) else None
    evaluated = Evaluated.of(text, parameters=parameters, names=names, stack_id=stack_id)
    resources = list(evaluated.resources())
    plan = Plan(
        names=names,
        is_new=found is None or not stack.is_there(found) or found["StackStatus"] == "ROLLBACK_COMPLETE",
        changes=tuple(Change("Add", one.logical_id, one.type) for one in resources),
        permissions=permissions(evaluated),
        alarms=sum(one.type == "AWS::CloudWatch::Alarm" for one in resources),
        with_dashboard=with_dashboard,
        notes=_notes(found, settings, with_dashboard=with_dashboard),
        keeps=frozenset(map(artifacts.key_of, [*zips, template])),
    )
    fits = len(text.encode()) <= stack.TEMPLATE_BODY_LIMIT
    rolled_back = found is not None and found["StackStatus"] == "ROLLBACK_COMPLETE"
    try:
        if dry_run and plan.is_new and (rolled_back or not fits):
            plan.is_settled = True  # CloudFormation could only be asked by leaving something there.
            yield plan
            return
        if rolled_back:
            say("Removing what is left of an earlier deploy that failed")
            stack.delete(names.stack, lambda event: None)
        if not dry_run:
            say(f"Uploading to {names.artifact_bucket}")
            artifacts.make_bucket(names)
            plan.uploaded += artifacts.upload(names, [*zips, *([] if fits else [template])])
        elif not fits:
            plan.uploaded += artifacts.upload(names, [template])
        say("Asking CloudFormation what would change")
        plan.change_set = stack.create_change_set(
            names.stack,
            is_new=plan.is_new,
            template={"TemplateBody": text}
            if fits
            else {"TemplateURL": artifacts.template_url(names, artifacts.key_of(template))},
            parameters=parameters,
        )
        plan.changes = plan.change_set.changes
        yield plan
    finally:
        if not plan.is_settled:
            _take_back(plan, dry_run=dry_run)


def carry_out(plan: Plan, tell: Callable[[StackEvent], None]) -> None:
    """Execute the plan, telling each event. Raises DeploymentError when it failed and was rolled back."""
    assert plan.change_set is not None  # noqa: S101 - only a dry run is without
    plan.is_settled = True
    events = stack.execute(plan.change_set, tell)
    if events and events[-1].status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        artifacts.remove(plan.names, set(artifacts.keys(plan.names)) - plan.keeps)
        return
    failure = stack.first_failure(events)
    why = f"{failure.logical_id} ({failure.type}): {failure.reason}" if failure else "CloudFormation gives no reason"
    end = events[-1].status if events else "gone"
    if plan.is_new and end in {"ROLLBACK_COMPLETE", "gone"}:
        stack.delete(plan.change_set.stack_id, lambda event: None)
        remove_bucket(plan.names.artifact_bucket)
        raise DeploymentError(f"The stack {plan.names.stack} could not be made; nothing is left of it. {why}")
    if end == "UPDATE_ROLLBACK_COMPLETE":
        artifacts.remove(plan.names, plan.uploaded)
        raise DeploymentError(f"The stack {plan.names.stack} could not be changed; it is as it was before. {why}")
    raise DeploymentError(
        f"The stack {plan.names.stack} could not be made, nor all of it undone ({end}): `energy clean` removes it. "
        f"{why}"
    )


def adopt(plan: Plan) -> None:
    """Settle a plan that changes nothing: what was uploaded for it is not needed."""
    plan.is_settled = True
    artifacts.remove(plan.names, set(plan.uploaded) - plan.keeps)


def _zips(package: Path, *, with_dashboard: bool) -> list[Path]:
    """Return the archives to deploy: function and layer of the pipeline, then of the dashboard."""
    parts = [PIPELINE, DASHBOARD] if with_dashboard else [PIPELINE]
    zips = [package / name for part in parts for name in (part.function_zip, part.layer_zip)]
    for path in zips:
        if not path.is_file():
            option = " --with-dashboard" if path.name.startswith(DASHBOARD.name) else ""
            raise DeploymentError(f"There is no {path}; build it with: energy package{option} --out {package}")
    return zips


def _notes(found: "StackTypeDef | None", settings: "AwsSettings", *, with_dashboard: bool) -> list[str]:
    had = _has_dashboard(found)
    if had and not with_dashboard:
        return [
            "The dashboard is removed, and with it who may sign in to it. One that is made again later has another "
            "address and no users. The lake stays as it is."
        ]
    if with_dashboard and not had and settings.dashboard_email:
        return [f"{settings.dashboard_email} becomes the dashboard's first user, and gets an e-mail."]
    if with_dashboard and not had:
        return ["Nobody may sign in to the dashboard until you add a user; the command is shown at the end."]
    return []


def _refuse_unfit(names: Names, found: "StackTypeDef | None") -> None:
    if found is None:
        return
    status, name = found["StackStatus"], names.stack
    if status == "REVIEW_IN_PROGRESS":
        return
    if status.endswith("IN_PROGRESS"):
        raise DeploymentError(f"The stack {name} is being worked on ({status}); try again when that is done.")
    if status in _TO_REMOVE:
        raise DeploymentError(
            f"The stack {name} is neither whole nor gone ({status}); remove the rest with `energy clean`, then deploy."
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        raise DeploymentError(
            f"An earlier change of the stack {name} could not be undone ({status}). Try again to undo it with "
            f"`aws cloudformation continue-update-rollback --stack-name {name}`, or remove it with `energy clean`."
        )


def _take_back(plan: Plan, *, dry_run: bool) -> None:
    """Remove what was made only for the plan."""
    if plan.change_set is not None:
        stack.discard(plan.change_set)
    if plan.is_new:
        stack.discard_review(plan.names.stack)
        if not dry_run:
            remove_bucket(plan.names.artifact_bucket)
    else:
        artifacts.remove(plan.names, plan.uploaded)
