"""What of a deployment is on the account, asked of each service: equal before a deploy and after its removal."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .. import words
from . import stack
from .buckets import bucket_is_there, holding
from .deployment import Names

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_ABSENT: Final = {
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "DashboardNotFoundError",
    "EntityNotFoundException",
    "NoSuchBucket",
    "NoSuchEntity",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFound",
    "ResourceNotFoundException",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the account: a bucket, a function, a queue."""

    kind: str
    name: str
    detail: str = ""


def inventory(names: Names, *, lake_bucket: str | None = None) -> list[Item]:
    """Return all that there is of a stack, whether the stack still owns it or not.

    The name of the lake's bucket follows from the stack's id, so it is taken from the stack, or given.
    """
    found = stack.find_stack(names.stack)
    buckets = [names.artifact_bucket]
    items = []
    if found is not None and found["StackStatus"] != "DELETE_COMPLETE":
        held = stack.resources_of(names.stack)
        items.append(Item("stack", names.stack, f"{found['StackStatus']}, {len(held)} resources"))
        lake_bucket = next((name for kind, name in held if kind == "AWS::S3::Bucket" and name), lake_bucket)
    if lake_bucket:
        buckets.insert(0, lake_bucket)
    items += [_bucket(name) for name in buckets if bucket_is_there(name)]
    for probe in PROBES:
        items += probe(names)
    return items


def _bucket(name: str) -> Item:
    held = holding(name)
    return Item(
        "bucket",
        name,
        f"{words.count(held.objects, 'object')}, {words.count(held.versions, 'version')}, {held.size_bytes:,} bytes",
    )


def _functions(names: Names) -> Iterator[Item]:
    for name in (names.function, names.dashboard_function):
        found = _asked("lambda", lambda client, name: client.get_function_configuration(FunctionName=name), name)
        if found:
            yield Item("function", name, f"{found['Runtime']}, {found['MemorySize']:,} MB")


def _layers(names: Names) -> Iterator[Item]:
    for layer, version in layer_versions(names):
        yield Item("layer version", f"{layer}:{version}")


def _roles(names: Names) -> Iterator[Item]:
    for name in (names.role, names.dashboard_role):
        if _asked("iam", lambda client, name: client.get_role(RoleName=name), name):
            yield Item("role", name)


def _http_api(names: Names) -> Iterator[Item]:
    import boto3

    for page in boto3.client("apigatewayv2").get_paginator("get_apis").paginate():
        for api in page["Items"]:
            if api["Name"] == names.dashboard_api:
                yield Item("HTTP API", names.dashboard_api, api["ApiId"])


def _user_pool(names: Names) -> Iterator[Item]:
    """Find the pool, and the domain of its login, which nobody can list by itself."""
    import boto3

    client = boto3.client("cognito-idp")
    for page in client.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 60}):
        for pool in page["UserPools"]:
            if pool["Name"] == names.user_pool:
                told = client.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]
                users = told.get("EstimatedNumberOfUsers", 0)
                yield Item("user pool", names.user_pool, f"{pool['Id']}, about {words.count(users, 'user')}")
                if "Domain" in told:
                    yield Item("domain of the login", told["Domain"])


def _athena_policy(names: Names) -> Iterator[Item]:
    if policy_is_there(names):
        yield Item("policy", names.athena_policy)


def _database(names: Names) -> Iterator[Item]:
    if _asked("glue", lambda client: client.get_database(Name=names.database)):
        import boto3

        pages = boto3.client("glue").get_paginator("get_tables").paginate(DatabaseName=names.database)
        tables = sum(len(page["TableList"]) for page in pages)
        yield Item("database", names.database, f"{tables} tables and views")


def _workgroup(names: Names) -> Iterator[Item]:
    import boto3
    from botocore.exceptions import ClientError

    try:
        boto3.client("athena").get_work_group(WorkGroup=names.workgroup)
    except ClientError as error:
        # Athena has no code of its own for it.
        if error.response["Error"]["Code"] == "InvalidRequestException" and "not found" in str(error):
            return
        raise
    yield Item("workgroup", names.workgroup)


def _log_groups(names: Names) -> Iterator[Item]:
    import boto3

    for name in (names.log_group, *names.dashboard_logs):
        for group in boto3.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
            if group["logGroupName"] == name:
                yield Item("log group", name, f"{group.get('storedBytes', 0):,} bytes")


def _topic(names: Names) -> Iterator[Item]:
    arn = f"arn:{_partition(names)}:sns:{names.region}:{names.account}:{names.topic}"
    if _asked("sns", lambda client: client.get_topic_attributes(TopicArn=arn)):
        yield Item("topic", names.topic)


def _queue(names: Names) -> Iterator[Item]:
    found = _asked("sqs", lambda client: client.get_queue_url(QueueName=names.failure_queue))
    if found:
        import boto3

        count = boto3.client("sqs").get_queue_attributes(
            QueueUrl=found["QueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]["ApproximateNumberOfMessages"]
        yield Item("queue", names.failure_queue, words.count(int(count), "message"))


def _alarms(names: Names) -> Iterator[Item]:
    """Find the alarms whose name has this stack's ending and no other stack's."""
    import boto3

    own = re.compile(rf"energy-(pipeline|dashboard)-[a-z]+{re.escape(names.suffix)}")
    for page in boto3.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix="energy-"):
        for alarm in page["MetricAlarms"]:
            if own.fullmatch(alarm["AlarmName"]):
                yield Item("alarm", alarm["AlarmName"])


def _dashboard(names: Names) -> Iterator[Item]:
    if _asked("cloudwatch", lambda client: client.get_dashboard(DashboardName=names.dashboard)):
        yield Item("dashboard", names.dashboard)


def athena_policy_arn(names: Names) -> str:
    """Return the ARN of the policy for who may ask the lake."""
    return f"arn:{_partition(names)}:iam::{names.account}:policy/{names.athena_policy}"


def policy_is_there(names: Names) -> bool:
    """Tell whether there is that policy."""
    return _asked("iam", lambda client: client.get_policy(PolicyArn=athena_policy_arn(names))) is not None


def layer_versions(names: Names) -> list[tuple[str, int]]:
    """Return the versions of the stack's layers, of each the newest first."""
    import boto3

    asked = boto3.client("lambda").get_paginator("list_layer_versions")
    return [
        (layer, one["Version"])
        for layer in (names.layer, names.dashboard_layer)
        for page in asked.paginate(LayerName=layer)
        for one in page["LayerVersions"]
    ]


def _asked(service: str, question: Callable[..., Any], *about: str) -> Any:
    """Return a service's answer, or None when what was asked for is not there."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        return question(boto3.client(service), *about)  # type: ignore[call-overload] # one of many services
    except ClientError as error:
        if _is_absent(error):
            return None
        raise


def _is_absent(error: "ClientError") -> bool:
    return error.response["Error"]["Code"] in _ABSENT


def _partition(names: Names) -> str:
    import boto3

    return boto3.session.Session().get_partition_for_region(names.region)


PROBES: Final[tuple[Callable[[Names], Iterator[Item]], ...]] = (
    _functions,
    _layers,
    _roles,
    _http_api,
    _user_pool,
    _athena_policy,
    _database,
    _workgroup,
    _log_groups,
    _topic,
    _queue,
    _alarms,
    _dashboard,
)
