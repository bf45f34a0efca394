"""The built package, deployed by the command line on an emulator of its own: once for all tests."""

from collections.abc import Iterator

import pytest
from emulator import Emulator, start
from real_deployment import Deployment, deploy, lead

AT_A_TIME = 4
"""Functions that run at once: each has the whole package in memory."""


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An account in which few functions run at a time."""
    with start(tmp_path_factory.mktemp("cloud"), concurrency=AT_A_TIME) as running:
        yield running


@pytest.fixture(scope="session")
def deployment(cloud: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment under the names of the specification."""
    folder = tmp_path_factory.mktemp("owner")
    yield deploy(cloud, folder, stack="energy-analytics")


@pytest.fixture
def owner(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The deployment, with this process's environment leading there."""
    lead(deployment.aws, monkeypatch)
    return deployment
