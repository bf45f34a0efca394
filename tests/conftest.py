"""What several tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["emulator.plugin", "lakes", "conserved", "web.browser"]

settings.register_profile("same every time", derandomize=True, deadline=None)
settings.load_profile("same every time")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to go on where groups of tests would not stay together: each process would deploy what one does."""
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError("this pytest and this pytest-xdist do not keep a group in one process")


@pytest.fixture
def real_data() -> Path:
    """The folder of the real series; tests that need it are skipped without it."""
    folder = os.environ.get("ENERGY_TEST_DATA")
    if not folder:
        pytest.skip("ENERGY_TEST_DATA does not name the folder of the real series")
    return Path(folder)
