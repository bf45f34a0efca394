"""A deployment being removed: the trigger, every version of every object, the stack, and what it does not own."""

from collections.abc import Callable
from typing import Final

from . import stack
from .buckets import bucket_is_there, empty, remove_bucket, stop_notifications
from .deployment import DeploymentError, Names
from .inventory import athena_policy_arn, layer_versions, policy_is_there
from .stack import StackEvent

_ATTEMPTS: Final = 3
"""A run that was under way may write into the bucket after it was emptied."""


def state_of(names: Names) -> str | None:
    """Return in one sentence what an earlier removal has left, or None when there is a whole stack."""
    found = stack.find_stack(names.stack)
    if found is None or found["StackStatus"] == "DELETE_COMPLETE":
        return f"There is no stack {names.stack}; what it may have left is looked for."
    if found["StackStatus"] == "DELETE_IN_PROGRESS":
        return f"The stack {names.stack} is being removed already; this goes on with it."
    if found["StackStatus"] == "DELETE_FAILED":
        why = stack.first_failure(stack.past_events(found["StackId"])[::-1])
        reason = f": {why.logical_id}: {why.reason}" if why else "."
        return f"An earlier removal of the stack {names.stack} stopped{reason}"
    return None


def remove_deployment(
    names: Names,
    *,
    lake_bucket: str | None,
    say: Callable[[str], None],
    tell: Callable[[StackEvent], None],
) -> None:
    """Remove all of it; one that was interrupted is taken up where it stopped.

    Raises DeploymentError when CloudFormation cannot remove something.
    """
    found = stack.find_stack(names.stack)
    stack_id = None if found is None or found["StackStatus"] == "DELETE_COMPLETE" else found["StackId"]
    if stack_id:
        held = stack.resources_of(stack_id)
        lake_bucket = next((name for kind, name in held if kind == "AWS::S3::Bucket" and name), lake_bucket)
    if lake_bucket and bucket_is_there(lake_bucket):
        say(f"Stopping the trigger of {lake_bucket}")
        stop_notifications(lake_bucket)
    if stack_id:
        _detach_athena_policy(names)
    for attempt in range(1, _ATTEMPTS + 1):
        if lake_bucket and bucket_is_there(lake_bucket):
            say(f"Removed {empty(lake_bucket):,} versions of objects from {lake_bucket}")
        if stack_id is None:
            break
        failure = _delete_stack(stack_id, tell)
        if failure is None:
            break
        if attempt == _ATTEMPTS:
            raise DeploymentError(
                f"CloudFormation could not remove {failure.logical_id} ({failure.type}): {failure.reason} "
                "Run `energy clean` again when that is mended."
            )
    if lake_bucket:
        remove_bucket(lake_bucket)
    if bucket_is_there(names.artifact_bucket):
        say(f"Removing {names.artifact_bucket}")
        remove_bucket(names.artifact_bucket)
    _remove_leftovers(names)


def _delete_stack(stack_id: str, tell: Callable[[StackEvent], None]) -> StackEvent | None:
    events = stack.delete(stack_id, tell)
    if events and events[-1].status != "DELETE_COMPLETE":
        return stack.first_failure(events) or events[-1]
    return None


def _detach_athena_policy(names: Names) -> None:
    """Take the policy from whom it was given to: IAM deletes none that somebody has."""
    import boto3

    client, arn = boto3.client("iam"), athena_policy_arn(names)
    if not policy_is_there(names):
        return
    for page in client.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
        for user in page["PolicyUsers"]:
            client.detach_user_policy(UserName=user["UserName"], PolicyArn=arn)
        for group in page["PolicyGroups"]:
            client.detach_group_policy(GroupName=group["GroupName"], PolicyArn=arn)
        for role in page["PolicyRoles"]:
            client.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)


def _remove_leftovers(names: Names) -> None:
    """Remove what is made beside the stack: a log group that a last call made again, versions of the layers."""
    import boto3

    logs = boto3.client("logs")
    for name in (names.log_group, *names.dashboard_logs):
        for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
            if group["logGroupName"] == name:
                logs.delete_log_group(logGroupName=name)
    for layer, version in layer_versions(names):
        boto3.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=version)
