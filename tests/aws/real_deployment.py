"""A deployment of the built package, and what a test asks of it: its lake, its function, its log, its queue."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import duckdb
import pytest
from commands import energy
from emulator import Emulator
from lakes import without_content_tags

from energy_analytics.lake import Lake, LocalLake
from energy_analytics.lake.s3 import S3Lake
from energy_analytics.pipeline import FailedRunError, run
from energy_analytics.runs import runs, waiting_uploads
from energy_analytics.schema import ATHENA_RESULTS, PREFIXES, RAW
from energy_analytics.settings import Settings, load_settings
from energy_analytics.uploads import identify

Event = dict[str, Any]
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
SECONDS = 60


@dataclass
class Deployment:
    """Someone with a folder, in which the built package was deployed."""

    folder: Path
    aws: Emulator
    stack: str

    def energy(self, *arguments: str | Path, **variables: str) -> Any:
        """Run a command as this person, whose settings are those of energy.toml alone."""
        return energy(
            *arguments,
            folder=self.folder,
            variables=self.aws.environment() | {"ENERGY_MODEL": self.settings.model} | variables,
        )

    def done(self, *arguments: str | Path) -> str:
        """Run a command that succeeds; return what it says."""
        ended = self.energy(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        said: str = ended.stdout
        return said

    @cached_property
    def settings(self) -> Settings:
        """What was deployed with the function."""
        return load_settings(config=self.folder / "energy.toml")

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the stack says of itself."""
        [stack] = self.aws.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    @cached_property
    def lake(self) -> S3Lake:
        """The lake as its owner sees it."""
        return S3Lake(self.outputs["BucketName"])

    @property
    def deployment(self) -> dict[str, str]:
        """What deployment.json says."""
        told: dict[str, str] = json.loads((self.folder / "deployment.json").read_text("utf-8"))
        return told

    # ---- uploads and events

    def put(self, key: str, body: str | bytes) -> None:
        """Upload as any tool would."""
        content = body.encode() if isinstance(body, str) else body
        self.aws.client("s3").put_object(Bucket=self.lake.bucket, Key=key, Body=content)

    def put_later(self, key: str, body: str | bytes) -> None:
        """Upload in a later second than all that is there: the order of uploads is that of their seconds."""
        newest = max((stored.modified for stored in self.lake.list(RAW)), default=None)
        self.put(key, body)
        while newest is not None and self.lake.describe(key).modified <= newest:
            time.sleep(0.1)
            self.put(key, body)

    def event(self, *keys: str, bucket: str | None = None, name: str = "ObjectCreated:Put") -> Event:
        """Return what S3 tells of uploads, a record for each."""
        return {"Records": [_record(key, bucket=bucket or self.lake.bucket, name=name) for key in keys]}

    def invoke(self, event: Any) -> Any:
        """Let the function handle an event; return its answer. Raises AssertionError with its error."""
        function = self.aws.client("lambda")
        answer = function.invoke(FunctionName=self.outputs["FunctionName"], Payload=json.dumps(event).encode())
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    def send(self, *events: Event) -> None:
        """Let the function handle events as Lambda's queue brings them, several at a time; wait until it has."""
        with ThreadPoolExecutor(3) as together:
            list(together.map(self.invoke, events))

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Keep S3 from telling the function of uploads meanwhile."""
        s3 = self.aws.client("s3")
        told = s3.get_bucket_notification_configuration(Bucket=self.lake.bucket)
        told.pop("ResponseMetadata")
        s3.put_bucket_notification_configuration(Bucket=self.lake.bucket, NotificationConfiguration={})
        try:
            yield
        finally:
            s3.put_bucket_notification_configuration(Bucket=self.lake.bucket, NotificationConfiguration=told)

    @contextmanager
    def configured(self, **changes: Any) -> Iterator[None]:
        """Give the function another memory or timeout meanwhile."""
        function, name = self.aws.client("lambda"), self.outputs["FunctionName"]
        before = function.get_function_configuration(FunctionName=name)
        function.update_function_configuration(FunctionName=name, **changes)
        try:
            yield
        finally:
            function.update_function_configuration(FunctionName=name, **{one: before[one] for one in changes})

    # ---- what came of them

    def statuses(self) -> dict[str, str]:
        """Return how the run of each upload ended."""
        return {one["upload"]["key"]: one["status"] for one in runs(self.lake)}

    def reports(self) -> int:
        """Return how many times the function has been called and has ended, as the log has it."""
        asked = self.aws.client("logs").get_paginator("filter_log_events")
        pages = asked.paginate(logGroupName=self.outputs["LogGroupName"])
        return sum('"platform.report"' in event["message"] for page in pages for event in page["events"])

    def failures(self) -> list[dict[str, Any]]:
        """Return what lies in the failure queue, and leave it there."""
        sqs, url = self.aws.client("sqs"), self.outputs["FailureQueueUrl"]
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        return [json.loads(one["Body"]) for one in got]

    def failed(self, key: str) -> dict[str, Any]:
        """Wait until the queue has the event of an upload; return the message."""

        def of_key() -> list[dict[str, Any]]:
            return [one for one in self.failures() if one["requestPayload"] and _names(one["requestPayload"], key)]

        [message] = eventually(of_key)
        return message

    def empty(self) -> None:
        """Leave nothing in the lake or the queue."""
        self.lake.delete(*(stored.key for prefix in PREFIXES for stored in self.lake.list(prefix)))
        self.aws.client("sqs").purge_queue(QueueUrl=self.outputs["FailureQueueUrl"])

    # ---- what should have come of them

    def twin(self, folder: Path) -> LocalLake:
        """Return a lake in a folder with the same uploads of the same times, each run once, the earliest first."""
        twin = LocalLake(folder)
        for stored in self.lake.list(RAW):
            with twin.work_folder() as work:
                (work / "upload").write_bytes(self.lake.read(stored.key))
                twin.put(stored.key, work / "upload", modified=stored.modified)
        for stored in waiting_uploads(twin):
            try:
                run(twin, identify(twin, twin.describe(stored.key)), self.settings)
            except FailedRunError:
                continue
        return twin


def deploy(
    cloud: Emulator, folder: Path, *, stack: str, settings: str = "", aws: str = "", options: tuple[str, ...] = ()
) -> Deployment:
    """Build and deploy the package with settings of its own."""
    (folder / "energy.toml").write_text(f'{settings}\n[aws]\nruntime = "{RUNTIME}"\nstack = "{stack}"\n{aws}\n')
    owner = Deployment(folder, cloud, stack)
    owner.done("package", "--out", "package", *options)
    said = owner.done("deploy", "--yes", "--package", "package", *options)
    assert "made      the stack" in said
    return owner


def lead(cloud: Emulator, patch: pytest.MonkeyPatch) -> None:
    """Lead this process, and what it starts, to an emulator and nowhere else."""
    for name, value in cloud.environment().items():
        patch.setenv(name, value)
    patch.setattr("boto3.DEFAULT_SESSION", None)


def eventually(found: Callable[[], Any], *, seconds: float = SECONDS) -> Any:
    """Wait until something is found, and return it."""
    deadline = time.monotonic() + seconds
    while not (what := found()):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        time.sleep(0.2)
    return what


def contents(lake: Lake) -> dict[str, Any]:
    """Return what each object of a lake says, by key: a table's rows, or the bytes, a record's without content tags."""
    keys = [one.key for prefix in PREFIXES if prefix != ATHENA_RESULTS for one in lake.list(prefix)]
    return {
        key: rows_of(lake.fetch(key)) if key.endswith(".parquet") else without_content_tags(lake.read(key))
        for key in keys
    }


def rows_of(parquet: Path) -> list[tuple[Any, ...]]:
    """Return the rows of a table in their order."""
    with duckdb.connect() as engine:
        return engine.execute("SELECT * FROM read_parquet(?)", [str(parquet)]).fetchall()


def _record(key: str, *, bucket: str, name: str) -> Event:
    at = "2026-02-20T12:00:00.000Z"
    stored = {"key": quote_plus(key, safe="/"), "size": 1, "eTag": "e", "sequencer": "0"}
    place = {"s3SchemaVersion": "1.0", "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}, "object": stored}
    return {"eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": at, "eventName": name, "s3": place}


def _names(event: Event, key: str) -> bool:
    return any(one["s3"]["object"]["key"] == quote_plus(key, safe="/") for one in event["Records"])
