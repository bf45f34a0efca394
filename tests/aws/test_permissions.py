"""What the function's role, and a person who asks, may do and may not: each call really made."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from acting import Clients, as_role, as_user, may
from emulator import ACCOUNT, REGION
from real_deployment import Deployment, lead

pytestmark = pytest.mark.xdist_group("aws")

RESULTS = ("processed", "forecast", "anomalies", "reports", "curated", "rejected", "runs")
OTHER = "somebody-elses"


@dataclass(frozen=True)
class Actor:
    """Somebody's clients, and what there is to try them on."""

    client: Clients
    owner: Deployment

    @property
    def bucket(self) -> str:
        return self.owner.lake.bucket

    def __getitem__(self, output: str) -> str:
        return self.owner.outputs[output]


Call = Callable[[Actor], Any]


@pytest.fixture(scope="module")
def stage(deployment: Deployment) -> Iterator[Deployment]:
    """An object under each prefix, and a bucket, log group, queue and secret that are not the function's business."""
    with pytest.MonkeyPatch.context() as patch:
        lead(deployment.aws, patch)
        aws, s3 = deployment.aws, deployment.aws.client("s3")
        deployment.empty()
        with deployment.deaf():
            for prefix in ("raw", "athena-results", *RESULTS):
                s3.put_object(Bucket=deployment.lake.bucket, Key=f"{prefix}/there.csv", Body=b"1")
            s3.put_object(Bucket=deployment.lake.bucket, Key="elsewhere.csv", Body=b"1")
            s3.create_bucket(Bucket=OTHER, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_object(Bucket=OTHER, Key="raw/there.csv", Body=b"1")
            aws.client("logs").create_log_group(logGroupName="/aws/lambda/other")
            aws.client("secretsmanager").create_secret(Name="energy/meters", SecretString="s")
            yield deployment
            s3.delete_object(Bucket=OTHER, Key="raw/there.csv")
            s3.delete_bucket(Bucket=OTHER)
            aws.client("logs").delete_log_group(logGroupName="/aws/lambda/other")
            aws.client("secretsmanager").delete_secret(SecretId="energy/meters", ForceDeleteWithoutRecovery=True)
        s3.delete_object(Bucket=deployment.lake.bucket, Key="elsewhere.csv")
        deployment.empty()


@pytest.fixture(scope="module")
def function_role(stage: Deployment) -> Iterator[Actor]:
    with as_role(stage.aws, stage.outputs["RoleArn"].rpartition("/")[2]) as client:
        yield Actor(client, stage)


@pytest.fixture(scope="module")
def asker(stage: Deployment) -> Iterator[Actor]:
    """Somebody to whom an administrator has given the policy for questions, and nothing else."""
    with as_user(stage.aws, "asker", stage.outputs["AthenaPolicyArn"]) as client:
        yield Actor(client, stage)


def get(key: str, bucket: str | None = None) -> Call:
    return lambda who: who.client("s3").get_object(Bucket=bucket or who.bucket, Key=key)


def put(key: str, bucket: str | None = None) -> Call:
    return lambda who: who.client("s3").put_object(Bucket=bucket or who.bucket, Key=key, Body=b"2")


def delete(key: str, bucket: str | None = None) -> Call:
    return lambda who: who.client("s3").delete_object(Bucket=bucket or who.bucket, Key=key)


def listing(prefix: str = "", bucket: str | None = None) -> Call:
    return lambda who: who.client("s3").list_objects_v2(Bucket=bucket or who.bucket, Prefix=prefix)


def stream(name: str, group: str | None = None) -> Call:
    return lambda who: who.client("logs").create_log_stream(
        logGroupName=group or who["LogGroupName"], logStreamName=name
    )


def events(group: str | None = None) -> Call:
    entry = {"timestamp": int(time.time() * 1000), "message": "tried"}
    return lambda who: who.client("logs").put_log_events(
        logGroupName=group or who["LogGroupName"], logStreamName="tried", logEvents=[entry]
    )


def queue(operation: str, **arguments: Any) -> Call:
    return lambda who: getattr(who.client("sqs"), operation)(QueueUrl=who["FailureQueueUrl"], **arguments)


def ask(sql: str = "SELECT count(*) AS n FROM runs") -> Call:
    def call(who: Actor) -> str:
        athena, context = who.client("athena"), {"Database": who["DatabaseName"]}
        started = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext=context, WorkGroup=who["WorkgroupName"]
        )
        return str(started["QueryExecutionId"])

    return call


def some_code() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("lambda_function.py", "")
    return file.getvalue()


def table_in(operation: str) -> Call:
    location = {"Location": "s3://x/", "Columns": [{"Name": "a", "Type": "string"}]}
    return lambda who: getattr(who.client("glue"), operation)(
        DatabaseName=who["DatabaseName"], TableInput={"Name": "daily", "StorageDescriptor": location}
    )


OPEN_TO_ALL = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{OTHER}/*"}],
    }
)

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"

FUNCTION_MAY: dict[str, Call] = {
    "list the bucket": listing(),
    "read an upload": get("raw/there.csv"),
    **{f"read {prefix}": get(f"{prefix}/there.csv") for prefix in RESULTS},
    **{f"write {prefix}": put(f"{prefix}/new.csv") for prefix in RESULTS},
    **{f"delete {prefix}": delete(f"{prefix}/new.csv") for prefix in RESULTS},
    "open a stream of its log": stream("tried"),
    "write to its log": events(),
    "put a failure into its queue": queue("send_message", MessageBody="{}"),
}
FUNCTION_MAY_NOT: dict[str, Call] = {
    "write an upload": put("raw/new.csv"),
    "overwrite an upload": put("raw/there.csv"),
    "delete an upload": delete("raw/there.csv"),
    "read answers of Athena": get("athena-results/there.csv"),
    "write answers of Athena": put("athena-results/new.csv"),
    "read outside of the prefixes": get("elsewhere.csv"),
    "write outside of the prefixes": put("elsewhere.csv"),
    "list another bucket": listing(bucket=OTHER),
    "read another bucket": get("raw/there.csv", OTHER),
    "write another bucket": put("processed/new.csv", OTHER),
    "list all buckets": lambda who: who.client("s3").list_buckets(),
    "remove the bucket": lambda who: who.client("s3").delete_bucket(Bucket=who.bucket),
    "open the bucket to others": lambda who: who.client("s3").put_bucket_policy(Bucket=who.bucket, Policy=OPEN_TO_ALL),
    "switch off the trigger": lambda who: who.client("s3").put_bucket_notification_configuration(
        Bucket=who.bucket, NotificationConfiguration={}
    ),
    "read old versions": lambda who: who.client("s3").list_object_versions(Bucket=who.bucket),
    "write to another log": stream("tried", "/aws/lambda/other"),
    "make a log": lambda who: who.client("logs").create_log_group(logGroupName="/aws/lambda/new"),
    "read its log": lambda who: who.client("logs").filter_log_events(logGroupName=who["LogGroupName"]),
    "remove its log": lambda who: who.client("logs").delete_log_group(logGroupName=who["LogGroupName"]),
    "take failures out of the queue": queue("receive_message"),
    "delete failures": queue("delete_message", ReceiptHandle="x"),
    "empty the queue": queue("purge_queue"),
    "write to the topic": lambda who: who.client("sns").publish(TopicArn=who["AlertTopicArn"], Message="x"),
    "read a secret": lambda who: who.client("secretsmanager").get_secret_value(SecretId="energy/meters"),
    "ask a model": lambda who: who.client("bedrock-runtime").invoke_model(modelId=MODEL, body=b"{}"),
    "ask Athena": ask(),
    "read the tables' description": lambda who: who.client("glue").get_tables(DatabaseName=who["DatabaseName"]),
    "change a table": table_in("update_table"),
    "read its own role": lambda who: who.client("iam").get_role(RoleName="energy-lambda-role"),
    "give itself more rights": lambda who: who.client("iam").attach_role_policy(
        RoleName="energy-lambda-role", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "make a user": lambda who: who.client("iam").create_user(UserName="new"),
    "become another role": lambda who: who.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/energy-lambda-role", RoleSessionName="again"
    ),
    "call a function": lambda who: who.client("lambda").invoke(FunctionName=who["FunctionName"], Payload=b"{}"),
    "change its own code": lambda who: who.client("lambda").update_function_code(
        FunctionName=who["FunctionName"], ZipFile=some_code()
    ),
    "see the stack": lambda who: who.client("cloudformation").describe_stacks(StackName=who.owner.stack),
    "remove the stack": lambda who: who.client("cloudformation").delete_stack(StackName=who.owner.stack),
}

ASKER_MAY: dict[str, Call] = {
    "ask": ask(),
    "see the tables": lambda who: who.client("glue").get_tables(DatabaseName=who["DatabaseName"]),
    "see the workgroup": lambda who: who.client("athena").get_work_group(WorkGroup=who["WorkgroupName"]),
    "list the bucket": listing(),
    "read an upload": get("raw/there.csv"),
    "read results": get("curated/there.csv"),
    "read answers": get("athena-results/there.csv"),
}
ASKER_MAY_NOT: dict[str, Call] = {
    **{f"write {prefix}": put(f"{prefix}/new.csv") for prefix in ("raw", *RESULTS)},
    **{f"delete {prefix}": delete(f"{prefix}/there.csv") for prefix in ("raw", "athena-results", *RESULTS)},
    "read another bucket": get("raw/there.csv", OTHER),
    "read reports": get("reports/there.csv"),
    "ask in another workgroup": lambda who: who.client("athena").start_query_execution(
        QueryString="SELECT 1",
        WorkGroup="primary",
        ResultConfiguration={"OutputLocation": f"s3://{who.bucket}/athena-results/"},
    ),
    "change a table": table_in("update_table"),
    "make a table": table_in("create_table"),
    "change the workgroup": lambda who: who.client("athena").update_work_group(WorkGroup=who["WorkgroupName"]),
    "call the function": lambda who: who.client("lambda").invoke(FunctionName=who["FunctionName"], Payload=b"{}"),
    "take failures out of the queue": queue("receive_message"),
}


@pytest.mark.parametrize("call", list(FUNCTION_MAY))
def test_the_function_may(function_role: Actor, call: str) -> None:
    assert may(lambda: FUNCTION_MAY[call](function_role))


@pytest.mark.parametrize("call", list(FUNCTION_MAY_NOT))
def test_the_function_may_not(function_role: Actor, call: str) -> None:
    assert not may(lambda: FUNCTION_MAY_NOT[call](function_role))


@pytest.mark.parametrize("call", list(ASKER_MAY))
def test_somebody_who_asks_may(asker: Actor, call: str) -> None:
    assert may(lambda: ASKER_MAY[call](asker))


@pytest.mark.parametrize("call", list(ASKER_MAY_NOT))
def test_somebody_who_asks_may_not(asker: Actor, call: str) -> None:
    assert not may(lambda: ASKER_MAY_NOT[call](asker))
