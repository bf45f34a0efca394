"""The emulator's CloudFormation is as strict as the service where a template could go wrong."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator import Emulator
from toys import RUNTIME

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}


def role(name: str) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": TRUST}}


def function(**properties: Any) -> dict[str, Any]:
    made = {
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Runtime": RUNTIME,
        "Handler": "index.handler",
        "Code": {"ZipFile": "def handler(event, context): return 1"},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": made | properties}


def create(aws: Emulator, name: str, resources: dict[str, Any], *, named: bool = True) -> str:
    """Create the stack; return its status once nothing changes any more."""
    client = aws.client("cloudformation")
    capabilities = ["CAPABILITY_NAMED_IAM"] if named else ["CAPABILITY_IAM"]
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}), Capabilities=capabilities)
    return settled(aws, name)


def settled(aws: Emulator, name: str) -> str:
    client = aws.client("cloudformation")
    while True:
        status: str = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.05)


def reasons(aws: Emulator, name: str) -> str:
    events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return "\n".join(event.get("ResourceStatusReason", "") for event in events)


def test_a_named_role_must_be_acknowledged(aws: Emulator) -> None:
    with pytest.raises(ClientError, match=r"InsufficientCapabilities.*CAPABILITY_NAMED_IAM"):
        create(aws, "unacknowledged", {"Role": role("named")}, named=False)


def test_a_name_that_nothing_has_is_refused(aws: Emulator) -> None:
    for broken in (
        {"Properties": {"BucketName": {"Ref": "Nothing"}}},
        {"Properties": {"BucketName": {"Fn::Sub": "x-${Nothing.Arn}"}}},
        {"DependsOn": "Nothing"},
    ):
        with pytest.raises(ClientError, match=r"Unresolved resource dependencies \[Nothing\]"):
            create(aws, "unresolved", {"Bucket": {"Type": "AWS::S3::Bucket", **broken}})


def test_a_bucket_with_old_versions_is_not_deleted(aws: Emulator) -> None:
    client, s3 = aws.client("cloudformation"), aws.client("s3")
    assert create(aws, "full", {"Bucket": BUCKET}) == "CREATE_COMPLETE"
    name = client.describe_stack_resource(StackName="full", LogicalResourceId="Bucket")["StackResourceDetail"]
    bucket = name["PhysicalResourceId"]
    s3.put_object(Bucket=bucket, Key="a")
    s3.delete_object(Bucket=bucket, Key="a")
    stack = client.describe_stacks(StackName="full")["Stacks"][0]["StackId"]
    client.delete_stack(StackName="full")
    assert settled(aws, stack) == "DELETE_FAILED"
    assert "The bucket you tried to delete is not empty" in reasons(aws, stack)
    listed = s3.list_object_versions(Bucket=bucket)
    for version in listed["Versions"] + listed["DeleteMarkers"]:
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    client.delete_stack(StackName="full")
    assert settled(aws, stack) == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"Code": {"S3Bucket": "nowhere", "S3Key": "no.zip"}}, "NoSuchKey"),
        ({"Timeout": 1000}, "less than or equal to 900"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "reserved keys"),
        ({"ReservedConcurrentExecutions": 1}, "below its minimum value"),
    ],
)
def test_a_function_that_lambda_refuses_rolls_the_stack_back(
    aws: Emulator, properties: dict[str, Any], why: str
) -> None:
    name = f"bad-{abs(hash(why)) % 10**6}"
    resources = {"Role": role(f"role-{name}"), "Function": function(FunctionName=name, **properties)}
    assert create(aws, name, resources) == "ROLLBACK_COMPLETE"
    assert why in reasons(aws, name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("lambda").get_function(FunctionName=name)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        aws.client("iam").get_role(RoleName=f"role-{name}")


def test_a_stack_makes_a_function_that_runs(aws: Emulator) -> None:
    resources = {"Role": role("runs"), "Function": function(FunctionName="runs")}
    assert create(aws, "runs", resources) == "CREATE_COMPLETE"
    assert aws.client("lambda").invoke(FunctionName="runs")["Payload"].read() == b"1"
