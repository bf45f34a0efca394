"""`energy upload`, `logs` and `redrive` on a deployment whose function only logs, and fails for some keys."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from commands import HEADER, environment, hourly_rows, told
from deploying import Person
from emulator import Emulator

from energy_analytics.aws import logs, redrive
from energy_analytics.aws.deployment import DeploymentError

pytestmark = pytest.mark.slow

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def deployed(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    folder = tmp_path_factory.mktemp("deployed")
    person = Person(folder, emulator, "operation")
    (folder / "energy.toml").write_text(f'[aws]\nruntime = "{RUNTIME}"\n')
    made = person.deploy("--yes")
    assert made.returncode == 0, made.stderr
    yield person
    person.energy("clean", "--yes")


def eventually(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.3)


def test_upload_triggers_the_function_and_the_log_tells(deployed: Person) -> None:
    (deployed.folder / "good.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    done = deployed.energy("upload", "good.csv", "--site", "plant a")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"good.csv is now s3://{deployed.bucket}/raw/plant a/good.csv\n")
    eventually(lambda: "a line as it is" in deployed.energy("logs", "--utc").stdout)
    lines = deployed.energy("logs", "--utc").stdout.splitlines()
    [reading] = [line for line in lines if "Reading" in line and "good.csv" in line]
    assert reading.endswith("INFO     raw/plant a/good.csv (20260301_120000_abcdef01)  Reading")
    assert datetime.fromisoformat(reading.split("Z")[0]).date() == datetime.now(UTC).date()
    assert any(" took 0." in line and " of 3,008 MB" in line for line in lines)
    assert not any("RequestId" in line for line in lines)
    waited = deployed.energy("upload", "good.csv", "--site", "plant a", "--wait", "--timeout", "1")
    assert "good.csv lies under raw/plant a/good.csv, but there is no run of it yet." in told(waited)
    waiting = deployed.energy("results", "--wait", "--timeout", "1")
    assert "`energy logs --errors`" in told(waiting)


def test_what_failed_is_shown_and_sent_again(deployed: Person) -> None:
    (deployed.folder / "bad.csv").write_text("a,b\n1,2\n")
    assert deployed.energy("upload", "bad.csv").returncode == 0
    eventually(lambda: "raw/bad.csv has no column kwh" in deployed.energy("redrive", "--dry-run").stdout)
    errors = deployed.energy("logs", "--errors", "--since", "7d").stdout
    assert "ERROR    raw/bad.csv has no column kwh" in errors
    assert "at lambda_function.py:10 in lambda_handler" in errors
    assert "Reading" not in errors
    assert told(deployed.energy("redrive")) == "Nothing was sent: say --yes to send without being asked."

    sqs = deployed.aws.client("sqs")
    queue = sqs.get_queue_url(QueueName="energy-pipeline-failures-operation")["QueueUrl"]
    for odd in ("no JSON", json.dumps({"requestPayload": {"Records": [{}]}}), json.dumps([1])):
        sqs.send_message(QueueUrl=queue, MessageBody=odd)
    before = deployed.energy("logs").stdout.count("raw/bad.csv (20260301_120000_abcdef01)  Reading")
    again = deployed.energy("redrive", "--yes")
    assert told(again) == "3 messages in the queue cannot be sent again; left as they are."
    assert "Sent 1 event to energy-pipeline-operation" in again.stdout
    eventually(lambda: deployed.energy("logs").stdout.count("raw/bad.csv (20260301_120000_abcdef01)  Reading") > before)
    left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert int(left["ApproximateNumberOfMessages"]) >= 3
    sqs.purge_queue(QueueUrl=queue)


def test_the_log_is_followed_until_ctrl_c(deployed: Person) -> None:
    (deployed.folder / "followed.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    assert deployed.energy("upload", "followed.csv").returncode == 0
    following = subprocess.Popen(
        [sys.executable, "-m", "energy_analytics", "logs", "--follow"],
        cwd=deployed.folder,
        env=environment(**deployed.aws.environment()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert following.stdout is not None
    while "raw/followed.csv" not in following.stdout.readline():
        assert following.poll() is None
    following.send_signal(signal.SIGINT)
    _, complaint = following.communicate(timeout=60)
    assert (following.returncode, complaint) == (130, "")


def test_redrive_of_many_takes_each_once(aws: Emulator) -> None:
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="many")["QueueUrl"]
    for number in range(23):
        event = {"Records": [{"s3": {"object": {"key": f"raw/a+b%C3%A9{number}.csv"}}}]}
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"requestPayload": event, "responsePayload": None}))
    taken = redrive.take(queue)
    assert sorted(failure.keys[0] for failure in taken) == sorted(f"raw/a bé{number}.csv" for number in range(23))
    assert {failure.error for failure in taken} == {"no error is given"}
    redrive.give_back(queue, taken)
    assert len(redrive.take(queue)) == 23
    boto3.client("sqs").delete_queue(QueueUrl=queue)


def test_following_tells_each_line_once(aws: Emulator) -> None:
    client = aws.client("logs")
    client.create_log_group(logGroupName="/followed")
    client.create_log_stream(logGroupName="/followed", logStreamName="one")
    begin = datetime.now(UTC)
    sent = 0

    def send(_: float = 0) -> None:
        nonlocal sent
        sent += 1
        if sent > 3:
            raise KeyboardInterrupt
        now = int(time.time() * 1000)
        client.put_log_events(
            logGroupName="/followed",
            logStreamName="one",
            logEvents=[{"timestamp": now, "message": f"line {sent}"}, {"timestamp": now, "message": "twin"}],
        )

    told_lines = []
    with pytest.raises(KeyboardInterrupt):
        for line in logs.follow("/followed", start=begin.replace(microsecond=0), pause=send):
            told_lines.append(line.message)
    assert told_lines == ["line 1", "twin", "line 2", "twin", "line 3", "twin"]
    client.delete_log_group(logGroupName="/followed")


def line(message: str) -> logs.LogLine | None:
    return logs.read_line({"timestamp": 1_770_000_000_000, "message": message})


@pytest.mark.parametrize(
    ("message", "level", "told_as"),
    [
        (
            "REPORT RequestId: 1-2\tDuration: 1234.50 ms\tBilled Duration: 1235 ms\tMemory Size: 3008 MB\t"
            "Max Memory Used: 412 MB\tInit Duration: 2100.00 ms\t\n",
            "PLATFORM",
            "took 1.2 s, after 2.1 s to start, 412 of 3,008 MB",
        ),
        (
            "REPORT RequestId: 1-2\tDuration: 900000.00 ms\tBilled Duration: 900000 ms\tMemory Size: 3008 MB\t"
            "Max Memory Used: 3008 MB\tStatus: timeout\n",
            "ERROR",
            "the call ended with timeout: took 900.0 s, 3,008 of 3,008 MB",
        ),
        (
            '{"time": "x", "type": "platform.report", "record": {"requestId": "1", "status": "success", "metrics": '
            '{"durationMs": 812.3, "memorySizeMB": 3008, "maxMemoryUsedMB": 300}}}',
            "PLATFORM",
            "took 0.8 s, 300 of 3,008 MB",
        ),
        (
            '{"time": "x", "type": "platform.initReport", "record": {"status": "error", "errorType": "Runtime.Boom"}}',
            "ERROR",
            "initReport ended with error (Runtime.Boom)",
        ),
        ("2026-02-02T00:00:00 1-2 Task timed out after 900.00 seconds", "ERROR", "Task timed out after 900.00 seconds"),
        ('{"level": "WARN", "message": {"a": 1}, "key": "raw/a.csv"}', "WARNING", '{"a": 1}'),
        ('{"errorType": "ValueError", "errorMessage": "no", "stackTrace": ["  File x"]}', "ERROR", "no"),
        ('"text"', "INFO", '"text"'),
    ],
)
def test_lines_of_the_platform_in_words(message: str, level: str, told_as: str) -> None:
    read = line(message)
    assert read is not None
    assert read.level == level
    assert read.message.endswith(told_as)


@pytest.mark.parametrize(
    "message",
    [
        "START RequestId: 1-2 Version: $LATEST",
        "END RequestId: 1-2",
        '{"type": "platform.start", "record": {}}',
        '{"type": "platform.runtimeDone", "record": {"status": "success"}}',
        '{"_aws": {"CloudWatchMetrics": []}, "Rows": 3}',
        '{"errorType": "FailedUploadsError", "errorMessage": "raw/a.csv: told above", "stackTrace": ["  File x"]}',
        '{"level": "WARNING", "message": "LAMBDA_WARNING: Unhandled exception."}',
    ],
)
def test_what_tells_nothing_is_left_out(message: str) -> None:
    assert line(message) is None


def test_a_traceback_has_a_line_a_frame_of_the_first_cause() -> None:
    trace = (
        "Traceback (most recent call last):\\n"
        '  File \\"/var/task/energy_analytics/history.py\\", line 87, in take_in\\n    _read()\\n    ^^^^^^^\\n'
        '  File \\"/opt/python/duckdb/x.py\\", line 9, in go\\n    raise E\\nE: no\\n\\n'
        "The above exception was the direct cause of the following exception:\\n\\n"
        '  File \\"/var/task/lambda_function.py\\", line 62, in lambda_handler\\n'
    )
    read = line(f'{{"level": "ERROR", "message": "no", "exception": "{trace}"}}')
    assert read is not None
    assert read.traceback == "at energy_analytics/history.py:87 in take_in\nat duckdb/x.py:9 in go"


def test_since() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert logs.since("90m", now=now) == datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert logs.since("2d", now=now) == datetime(2026, 2, 27, 12, tzinfo=UTC)
    assert logs.since("2026-02-28T10:00", now=now) == datetime(2026, 2, 28, 10, tzinfo=UTC)
    with pytest.raises(DeploymentError, match="'yesterday' is not a time: say 30m"):
        logs.since("yesterday", now=now)


def test_no_deployment(aws: Emulator, tmp_path: Path) -> None:
    nobody = Person(tmp_path, aws, "nobody")
    for command in (["logs"], ["redrive"]):
        refused = told(nobody.energy(*command))
        assert refused.endswith("in this account and region; make it with: energy deploy")
