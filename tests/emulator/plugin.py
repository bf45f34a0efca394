"""The fixtures of the emulator, and the guard that keeps every test off real accounts."""

import os
import uuid
from collections.abc import Iterator

import pytest

from .process import NOWHERE, REGION, Emulator, start

LOG_LINES = 60  # of the emulator's log, shown with a test that failed


def pytest_configure(config: pytest.Config) -> None:
    """Take away whatever could lead to a real account before any test runs."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(NOWHERE)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """AWS on this machine, one for each worker; this process's environment stays as it is."""
    with start(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator, with this process's environment (and so that of what it starts) leading there."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    return emulator


@pytest.fixture
def bucket(aws: Emulator) -> str:
    """A new, empty bucket's name."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show the end of the emulator's log with a test that used it and failed."""
    report = yield
    running = getattr(item, "funcargs", {}).get("emulator")
    if report.failed and isinstance(running, Emulator):
        lines = running.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        report.sections.append(("the emulator's log", "\n".join(lines)))
    return report
