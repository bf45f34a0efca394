"""The emulator behaves as AWS does where our code could tell the difference: each correction on a small example."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from emulator import Emulator, EmulatorError, start
from emulator.process import NOWHERE, refuse_remote


def test_default_clients_reach_the_emulator_and_nothing_else(aws: Emulator, bucket: str) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="raw/a b+c.csv", Body=b"x")
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket)
    assert [entry["Key"] for entry in listed["Contents"]] == ["raw/a b+c.csv"]
    assert aws.endpoint.startswith("https://127.0.0.1:")


def test_without_the_fixture_no_account_is_in_reach() -> None:
    assert {name: os.environ[name] for name in NOWHERE} == NOWHERE
    assert boto3.session.Session().get_credentials() is None


def test_an_endpoint_elsewhere_is_refused() -> None:
    with pytest.raises(EmulatorError, match="this machine only"):
        refuse_remote("https://s3.eu-central-1.amazonaws.com")


def test_nothing_is_left_running(tmp_path: Path) -> None:
    with start(tmp_path / "one") as running:
        running.client("s3").list_buckets()
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(tmp_path) not in found.stdout
    with pytest.raises(OSError, match="refused"):
        running.reset()


def test_another_version_of_ministack_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("emulator.process.MINISTACK", "1.5.32")
    with pytest.raises(EmulatorError, match=r"needs ministack 1\.5\.32, this is 1\.5\.33"), start(tmp_path):
        pass


def test_by_hand_it_prints_what_to_export(tmp_path: Path) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.emulator", "--port", str(port)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(10)]
        process.terminate()
    assert f"export AWS_ENDPOINT_URL=https://127.0.0.1:{port}\n" in lines
