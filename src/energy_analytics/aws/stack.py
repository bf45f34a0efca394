"""The CloudFormation stack: change sets, and what happens to its resources while they are made or removed."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from .deployment import DeploymentError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ChangeTypeDef, StackEventTypeDef, StackTypeDef

TAGS: Final = {"application": "energy-analytics-system"}
TEMPLATE_BODY_LIMIT: Final = 51_200
"""Bytes of a template in the request itself; a larger one is read from a bucket."""

_POLL_SECONDS: Final = 1.0
_CHANGE_SET_SECONDS: Final = 300
_NO_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")
_CANCELLED: Final = ("Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled")


@dataclass(frozen=True, slots=True)
class Change:
    """What a change set does to one resource.

    Add, Modify, Replace, Remove; `Replace?` when that shows only on the way, and `Perhaps` when the resource changes
    only if another's name or ARN does.
    """

    action: str
    logical_id: str
    type: str
    physical_id: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that can be executed, and the stack it belongs to."""

    arn: str
    stack_id: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One thing that happened to a resource, or to the stack itself."""

    at: datetime
    logical_id: str
    type: str
    status: str
    reason: str
    is_stack: bool
    physical_id: str = ""

    @property
    def failed(self) -> bool:
        """Tell whether this is a failure of its own, not one cancelled because of another's."""
        return self.status.endswith("_FAILED") and not self.reason.startswith(_CANCELLED)


def find_stack(stack: str) -> "StackTypeDef | None":
    """Return the description of a stack by name or id, or None when there is none."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        return boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def is_there(found: "StackTypeDef | None") -> bool:
    """Tell whether the stack holds anything: one that was only ever planned does not."""
    return found is not None and found["StackStatus"] not in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}


def create_change_set(
    stack: str, *, is_new: bool, template: Mapping[str, str], parameters: Mapping[str, str]
) -> ChangeSet:
    """Let CloudFormation work out what would change; no changes make an empty change set, which is gone already.

    `template` is {"TemplateBody": text} or {"TemplateURL": url}. Raises DeploymentError when it is refused.
    """
    import boto3

    client = boto3.client("cloudformation")
    made = client.create_change_set(
        StackName=stack,
        ChangeSetName=f"energy-deploy-{uuid.uuid4().hex[:12]}",
        ChangeSetType="CREATE" if is_new else "UPDATE",
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
        **template,  # type: ignore[arg-type] # one of the two ways to give a template
    )
    arn, stack_id = made["Id"], made["StackId"]
    deadline = time.monotonic() + _CHANGE_SET_SECONDS
    while True:
        described = client.describe_change_set(ChangeSetName=arn)
        status, reason = described["Status"], described.get("StatusReason", "")
        if status == "CREATE_COMPLETE":
            break
        if status == "FAILED" or time.monotonic() > deadline:
            client.delete_change_set(ChangeSetName=arn)
            if status == "FAILED" and any(text in reason for text in _NO_CHANGES):
                return ChangeSet(arn, stack_id, ())
            raise DeploymentError(f"CloudFormation made no plan for the stack {stack}: {reason or status}")
        time.sleep(_POLL_SECONDS / 2)
    changes = list(described["Changes"])
    while "NextToken" in described:
        described = client.describe_change_set(ChangeSetName=arn, NextToken=described["NextToken"])
        changes += described["Changes"]
    return ChangeSet(arn, stack_id, tuple(map(_change, changes)))


def discard(change_set: ChangeSet) -> None:
    """Take back a change set."""
    import boto3

    if change_set.changes:
        boto3.client("cloudformation").delete_change_set(ChangeSetName=change_set.arn)


def discard_review(stack: str) -> None:
    """Remove a stack that was made only to hold a change set, and wait until it is gone."""
    import boto3

    found = find_stack(stack)
    if found is not None and found["StackStatus"] == "REVIEW_IN_PROGRESS":
        boto3.client("cloudformation").delete_stack(StackName=found["StackId"])
        while (found := find_stack(stack)) is not None and found["StackStatus"] != "DELETE_COMPLETE":
            time.sleep(_POLL_SECONDS)


def execute(change_set: ChangeSet, tell: Callable[[StackEvent], None]) -> list[StackEvent]:
    """Carry out a change set, tell each event as it comes, and return them all; the last one is the stack's end."""
    import boto3

    seen = set(_event_ids(change_set.stack_id))
    boto3.client("cloudformation").execute_change_set(ChangeSetName=change_set.arn)
    return follow(change_set.stack_id, seen, tell)


def delete(stack_id: str, tell: Callable[[StackEvent], None]) -> list[StackEvent]:
    """Remove a stack, tell each event as it comes, and return them all; one that is being removed is followed."""
    import boto3

    seen = set(_event_ids(stack_id))
    boto3.client("cloudformation").delete_stack(StackName=stack_id)
    return follow(stack_id, seen, tell)


def follow(stack_id: str, seen: set[str], tell: Callable[[StackEvent], None]) -> list[StackEvent]:
    """Tell the stack's events that are not in `seen`, in order, until one ends what is under way."""
    told: list[StackEvent] = []
    while True:
        fresh = _fresh_events(stack_id, seen)
        for one in fresh:
            seen.add(one["EventId"])
            event = _event(one)
            told.append(event)
            tell(event)
            if event.is_stack and not event.status.endswith("IN_PROGRESS"):
                return told
        found = find_stack(stack_id)
        if found is None or (found["StackStatus"] == "DELETE_COMPLETE" and not _fresh_events(stack_id, seen)):
            return told
        time.sleep(_POLL_SECONDS)


def first_failure(events: Iterable[StackEvent]) -> StackEvent | None:
    """Return the event that everything that failed after it comes from."""
    return next((event for event in events if event.failed and not event.is_stack), None) or next(
        (event for event in events if event.failed), None
    )


def past_events(stack_id: str) -> list[StackEvent]:
    """Return all that has happened to a stack, the earliest first."""
    return [_event(one) for one in _fresh_events(stack_id, set())]


def resources_of(stack: str) -> list[tuple[str, str]]:
    """Return type and physical id of what a stack holds."""
    import boto3

    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        (one["ResourceType"], one.get("PhysicalResourceId", ""))
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _event_ids(stack_id: str) -> list[str]:
    return [one["EventId"] for one in _fresh_events(stack_id, set())]


def _fresh_events(stack_id: str, seen: set[str]) -> "list[StackEventTypeDef]":
    """Return the events not seen yet, the earliest first; pages come newest first."""
    import boto3
    from botocore.exceptions import ClientError

    fresh: list[StackEventTypeDef] = []
    try:
        for page in boto3.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id):
            unseen = [one for one in page["StackEvents"] if one["EventId"] not in seen]
            fresh += unseen
            if len(unseen) < len(page["StackEvents"]):
                break
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
    return fresh[::-1]


def _event(one: "StackEventTypeDef") -> StackEvent:
    return StackEvent(
        at=one["Timestamp"],
        logical_id=one.get("LogicalResourceId", ""),
        type=one.get("ResourceType", ""),
        status=one.get("ResourceStatus", ""),
        reason=one.get("ResourceStatusReason", ""),
        is_stack=one.get("PhysicalResourceId") == one["StackId"],
        physical_id=one.get("PhysicalResourceId", ""),
    )


def _change(one: "ChangeTypeDef") -> Change:
    resource: Any = one["ResourceChange"]
    action = resource["Action"]
    details = resource.get("Details", [])
    if action == "Modify" and details and all(detail.get("Evaluation") == "Dynamic" for detail in details):
        action = "Perhaps"
    elif action == "Modify":
        action = {"True": "Replace", "Conditional": "Replace?"}.get(resource.get("Replacement", "False"), "Modify")
    return Change(
        action, resource["LogicalResourceId"], resource["ResourceType"], resource.get("PhysicalResourceId", "")
    )
