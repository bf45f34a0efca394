"""The function's own file, as Lambda calls it: what it returns, raises, logs and counts."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from emulator import Emulator

from energy_analytics.lake import LocalLake
from energy_analytics.lake.s3 import S3Lake
from energy_analytics.pipeline import run
from energy_analytics.runs import runs
from energy_analytics.settings import load_settings
from energy_analytics.uploads import find

ROOT = Path(__file__).parents[2]
CALL = """
import json, sys
from types import SimpleNamespace as Context
import lambda_function
names = ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id")
context = Context(**dict.fromkeys(names, "x"), get_remaining_time_in_millis=lambda: 900_000)
for event in json.loads(sys.argv[1]):
    try:
        print(json.dumps({"returned": lambda_function.lambda_handler(event, context)}))
    except Exception as error:
        print(json.dumps({"raised": type(error).__name__, "message": str(error)}))
"""
GOOD = b"timestamp,appliance,kwh\n2026-01-05 00:00:00,Fridge,0.1\n2026-01-05 01:00:00,Fridge,0.2\nno,Fridge,1\n"


@dataclass(frozen=True)
class Called:
    """What came of events given to one process, one after the other."""

    answers: list[dict[str, Any]]
    log: list[dict[str, Any]]

    def of(self, key: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line.get("key") == key]


@pytest.fixture
def lake(bucket: str) -> S3Lake:
    return S3Lake(bucket)


def call(lake: S3Lake, tmp_path: Path, *events: object, **environment: str) -> Called:
    temporary = tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    paths = [str(tmp_path / "deployed"), str(ROOT / "lambda"), str(ROOT / "src")]
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", CALL, json.dumps(events)],
        env=os.environ
        | {
            "BUCKET_NAME": lake.bucket,
            "POWERTOOLS_SERVICE_NAME": "energy-pipeline",
            "POWERTOOLS_METRICS_NAMESPACE": "EnergyAnalytics",
            "PYTHONPATH": os.pathsep.join(paths),
            "TMPDIR": str(temporary),
        }
        | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    is_answer = [bool({"returned", "raised"} & set(line)) for line in lines]
    return Called(
        [line for line, answer in zip(lines, is_answer, strict=True) if answer],
        [line for line, answer in zip(lines, is_answer, strict=True) if not answer],
    )


def event(lake: S3Lake, *keys: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": lake.bucket}, "object": {"key": quote_plus(key, safe="/")}},
            }
            for key in keys
        ]
    }


def test_each_line_of_the_log_and_each_metric_tells_its_upload_and_run(lake: S3Lake, tmp_path: Path) -> None:
    key = "raw/two words + 1.csv"
    lake.write(key, GOOD)
    called = call(lake, tmp_path, event(lake, key))
    (manifest,) = runs(lake)
    assert called.answers == [{"returned": {"stamps": [manifest["stamp"]]}}]
    assert called.of(key) == called.log
    assert {line["stamp"] for line in called.log} == {manifest["stamp"]}
    metrics = [line for line in called.log if "_aws" in line]
    counted = metrics[0]
    assert (counted["Rows"], counted["RowsRejected"], counted["Anomalies"]) == ([2.0], [1.0], [0.0])
    assert {line["stage"] for line in metrics[1:]} == {
        "Reading",
        "Adding up",
        "Looking for anomalies",
        "Forecasting",
        "Writing the report",
    }
    for line in metrics:
        (described,) = line["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == "EnergyAnalytics"
        assert line["service"] == "energy-pipeline"
        assert {name for names in described["Dimensions"] for name in names} <= {"service", "stage"}


def test_one_bad_upload_keeps_no_other_from_being_run_and_fails_the_event(lake: S3Lake, tmp_path: Path) -> None:
    lake.write("raw/bad.csv", b"nothing of use")
    lake.write("raw/site/good.csv", GOOD)
    called = call(lake, tmp_path, event(lake, "raw/bad.csv", "raw/gone.csv", "raw/site/good.csv", "raw/readme.txt"))
    (answer,) = called.answers
    assert answer["raised"] == "FailedUploadsError"
    assert answer["message"].startswith("raw/bad.csv: bad.csv, line 1, has the column nothing of use")
    assert "good" not in answer["message"]
    assert {(one["upload"]["key"], one["status"]) for one in runs(lake)} == {
        ("raw/bad.csv", "failed"),
        ("raw/site/good.csv", "succeeded"),
    }
    assert [line["level"] for line in called.of("raw/bad.csv") if "level" in line] == ["INFO", "ERROR"]
    (refused,) = [line for line in called.of("raw/bad.csv") if line.get("level") == "ERROR"]
    assert refused["message"].startswith("Not run: bad.csv, line 1, has the column nothing of use")
    assert "exception" not in refused, "a file that is refused needs no traceback"
    assert any("not in the bucket any more" in line["message"] for line in called.of("raw/gone.csv"))


def test_events_one_after_the_other_leave_nothing_to_the_next(lake: S3Lake, tmp_path: Path) -> None:
    lake.write("raw/a.csv", GOOD)
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": lake.bucket}
    called = call(lake, tmp_path, event(lake, "raw/a.csv"), test_event, event(lake, "raw/a.csv"), {"Records": 1})
    first, tested, again, garbage = called.answers
    assert first == again
    assert len(first["returned"]["stamps"]) == 1
    assert tested == {"returned": {"stamps": []}}
    assert garbage["raised"] == "EventError"
    (told,) = [line for line in called.log if "test event" in str(line.get("message"))]
    assert "key" not in told
    assert len(runs(lake)) == 1


def test_results_are_those_of_this_machine(lake: S3Lake, tmp_path: Path) -> None:
    sample = (ROOT / "data" / "sample" / "household_power_hourly.csv.gz").read_bytes()
    lake.write("raw/home/sample.csv.gz", sample)
    call(lake, tmp_path, event(lake, "raw/home/sample.csv.gz"))
    stored = lake.describe("raw/home/sample.csv.gz")
    here = LocalLake(tmp_path / "here")
    with here.work_folder() as folder:
        (folder / "sample").write_bytes(sample)
        here.put(stored.key, folder / "sample", modified=stored.modified)
    upload = find(here, stored.key)
    assert upload is not None
    own = run(here, upload, load_settings(lake=here.uri))
    for key in own["outputs"].values():
        assert lake.read(key) == here.read(key), key


def test_a_wrong_setting_fails_every_event_with_its_sentence(lake: S3Lake, tmp_path: Path) -> None:
    lake.write("raw/a.csv", GOOD)
    asked = event(lake, "raw/a.csv")
    called = call(lake, tmp_path, asked, asked, ENERGY_TIMEZONE="Mars/Olympus")
    assert [answer["raised"] for answer in called.answers] == ["FailedUploadsError"] * 2
    assert all("'Mars/Olympus' is not an IANA timezone" in answer["message"] for answer in called.answers)


def test_settings_beside_the_handler_count(lake: S3Lake, tmp_path: Path) -> None:
    deployed = tmp_path / "deployed"
    deployed.mkdir()
    (deployed / "lambda_function.py").write_bytes((ROOT / "lambda" / "lambda_function.py").read_bytes())
    (deployed / "energy.toml").write_text(
        'lake = "./elsewhere"\nsigma = 3.5\n[sites.north]\ntimezone = "Europe/Paris"\n'
    )
    lake.write("raw/north/a.csv", GOOD)
    call(lake, tmp_path, event(lake, "raw/north/a.csv"))
    (manifest,) = runs(lake)
    assert (manifest["settings"]["sigma"], manifest["settings"]["timezone"]) == (3.5, "Europe/Paris")


def test_what_a_process_before_has_left_is_removed_on_lambda(lake: S3Lake, tmp_path: Path, aws: Emulator) -> None:
    left = tmp_path / "tmp" / "energy-lake-abc"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"a")
    call(lake, tmp_path)
    assert left.exists(), "away from Lambda it may be another's"
    call(lake, tmp_path, AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001")
    assert not left.exists()


def test_new_unusual_use_is_published_once(lake: S3Lake, tmp_path: Path, aws: Emulator) -> None:
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name=f"alerts-{lake.bucket}")["TopicArn"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    url = sqs.create_queue(QueueName=f"alerts-{lake.bucket}", Attributes={"Policy": policy})["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    lake.write("raw/home/s.csv.gz", (ROOT / "data" / "sample" / "household_power_hourly.csv.gz").read_bytes())
    asked = event(lake, "raw/home/s.csv.gz")
    call(lake, tmp_path, asked, asked, ALERT_TOPIC_ARN=topic)
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    told = json.loads(message["Body"])
    assert told["Subject"].startswith("Energy: ")
    assert told["Message"].splitlines()[:2] == ["Upload: raw/home/s.csv.gz", "Site: home"]
