"""Uploads that cannot be run: each in the failure queue with its event, on record, in the log, and none silent."""

import gzip
import json
import os
import re
from pathlib import Path

import pytest
from commands import HEADER, hourly_rows
from real_deployment import Deployment, contents, eventually

from energy_analytics.runs import runs

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.slow]

GOOD = HEADER + hourly_rows("2026-01-01", hours=72)
OTHER = HEADER + hourly_rows("2026-01-02", hours=72, kwh=2)
POISON = b"PK\x03\x04not a table"


@pytest.fixture
def empty(owner: Deployment) -> Deployment:
    """The deployment with nothing in its lake and its queue."""
    owner.empty()
    return owner


def error_of(owner: Deployment, key: str) -> str:
    """Return why the run of an upload failed, as its record has it."""
    [record] = [one for one in runs(owner.lake) if one["upload"]["key"] == key]
    assert record["status"] == "failed"
    return str(record["error"])


def test_a_poisoned_upload_is_in_the_queue_with_its_event_and_harms_no_other(empty: Deployment, tmp_path: Path) -> None:
    keys = ("raw/plant/a.csv", "raw/plant/b.csv", "raw/other/a.csv")
    empty.put(keys[0], GOOD)
    empty.put("raw/plant/bad file+1.csv", POISON)
    for key in keys[1:]:
        empty.put(key, OTHER)
    message = empty.failed("raw/plant/bad file+1.csv")
    [record] = message["requestPayload"]["Records"]
    assert record["eventSource"] == "aws:s3"
    assert record["eventName"].startswith("ObjectCreated:")
    assert record["s3"]["bucket"]["name"] == empty.lake.bucket
    assert record["s3"]["object"]["key"] == "raw/plant/bad+file%2B1.csv"
    assert record["s3"]["object"]["size"] == len(POISON)
    assert message["requestContext"]["condition"] == "RetriesExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    reason = error_of(empty, "raw/plant/bad file+1.csv")
    assert "ZIP archive" in reason
    assert message["responsePayload"]["errorMessage"] == f"raw/plant/bad file+1.csv: {reason}"
    errors = empty.done("logs", "--errors")
    assert reason in errors
    assert "raw/plant/bad file+1.csv" in errors
    eventually(lambda: all(empty.statuses().get(key) == "succeeded" for key in keys))
    assert len(empty.failures()) == 1

    corrected = GOOD.replace("Oven", "Kettle")
    empty.put_later("raw/plant/bad file+1.csv", corrected)
    eventually(lambda: empty.statuses()["raw/plant/bad file+1.csv"] == "succeeded")
    assert "Sent 1 event to energy-pipeline" in empty.done("redrive", "--yes")
    assert empty.done("redrive", "--dry-run") == "The failure queue is empty.\n"
    assert contents(empty.lake) == contents(empty.twin(tmp_path / "twin"))


def test_what_was_given_up_is_run_when_it_is_sent_again(empty: Deployment, tmp_path: Path) -> None:
    """As when somebody took a right from the role, and gave it back."""
    iam, role = empty.aws.client("iam"), empty.outputs["RoleArn"].rpartition("/")[2]
    [name] = [one for one in iam.list_role_policies(RoleName=role)["PolicyNames"] if "S3Access" in one]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        for key in ("raw/plant/a b.csv", "raw/b.csv"):
            empty.put(key, GOOD)
        messages = [empty.failed(key) for key in ("raw/plant/a b.csv", "raw/b.csv")]
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    for message in messages:
        assert (
            "was denied: the AWS credentials in use lack the right to it" in message["responsePayload"]["errorMessage"]
        )
    shown = empty.done("redrive", "--dry-run")
    assert "raw/plant/a b.csv" in shown
    assert "raw/b.csv" in shown
    assert runs(empty.lake) == []
    assert "Sent 2 events to energy-pipeline" in empty.done("redrive", "--yes")
    eventually(lambda: sorted(empty.statuses().values()) == ["succeeded", "succeeded"])
    assert empty.done("redrive", "--dry-run") == "The failure queue is empty.\n"
    assert contents(empty.lake) == contents(empty.twin(tmp_path / "twin"))


def test_an_upload_too_big_for_the_disk_is_refused_at_the_start(empty: Deployment) -> None:
    """Of 2 MB, which say of themselves that they unpack to 4 GB."""
    key = "raw/plant/big.csv.gz"
    empty.put(key, gzip.compress(os.urandom(2 << 20))[:-4] + b"\xff\xff\xff\xff")
    message = empty.failed(key)
    assert message["requestPayload"]["Records"][0]["s3"]["object"]["key"] == key
    reason = error_of(empty, key)
    assert re.fullmatch(
        rf"{key} needs about 6,\d+ MB of disk, with the readings of its site, and the function has 2,\d+ MB left\. "
        r"Split the file and upload its parts; or raise ephemeral_storage_mb in .* energy run FILE --lake s3://energy-.*",
        reason,
    )
    assert reason in message["responsePayload"]["errorMessage"]
    assert reason in empty.done("logs", "--errors")


def test_a_run_that_takes_too_long_is_stopped_in_time_to_say_so(empty: Deployment) -> None:
    """With 11 seconds, of which 10 are kept for saying so; thousands of appliances take several times the other one."""
    key = "raw/plant/long.csv"
    with empty.configured(Timeout=11):
        empty.put(key, HEADER + "".join(hourly_rows("2026-01-01", hours=96, appliance=f"A{n}") for n in range(2000)))
        message = empty.failed(key)
    reason = error_of(empty, key)
    assert reason.startswith(f"{key} could not be run in the function's time. Split the file and upload its parts")
    assert reason in message["responsePayload"]["errorMessage"]
    assert empty.statuses() == {key: "failed"}
    assert list(empty.lake.list("processed")) == []


def test_a_function_that_dies_leaves_the_event_in_the_queue(empty: Deployment) -> None:
    """As when its memory is far too small: it is killed and can say nothing itself."""
    with empty.configured(MemorySize=128):
        empty.put("raw/plant/a.csv", GOOD)
        message = empty.failed("raw/plant/a.csv")
    assert "signal: killed" in message["responsePayload"]["errorMessage"]
    assert "raw/plant/a.csv" in empty.done("redrive", "--dry-run")
    assert " 128 of 128 MB" in empty.done("logs", "--errors")
    empty.done("redrive", "--yes")
    eventually(lambda: empty.statuses() == {"raw/plant/a.csv": "succeeded"})
