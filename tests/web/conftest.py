"""Servers over lakes that real runs made."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import drop, hourly_rows, run_key
from web.serving import Server, autumn_rows, unusual_rows

SETTINGS = {"ENERGY_TIMEZONE": "Europe/Paris", "ENERGY_PRICE_PER_KWH": "0.25", "ENERGY_CURRENCY": "EUR"}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a lake of three sites; what a test changes of `unusual` it puts back."""
    folder = tmp_path_factory.mktemp("served")
    lake = folder / "lake"
    priced = {"price_per_kwh": 0.25, "currency": "EUR", "timezone": "Europe/Paris"}
    run_key(lake, drop(lake, "raw/autumn/days.csv", autumn_rows()), **priced)
    run_key(lake, drop(lake, "raw/unusual/pump.csv", unusual_rows()), **priced)
    # An hour of the second file corrects one of the first; 10:00 on 2 January is missing.
    first = hourly_rows("2026-01-01", hours=34) + hourly_rows("2026-01-02T11:00", hours=13)
    run_key(lake, drop(lake, "raw/corrected/a.csv", first), **priced)
    run_key(lake, drop(lake, "raw/corrected/b.csv", "2026-01-01 05:00:00,Oven,7.0\n", minute=5), **priced)
    running = Server(folder, **SETTINGS)
    yield running
    running.end()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers over a lake of the test's own, which is not there yet."""
    started: list[Server] = []

    def start(*arguments: str, **variables: str) -> Server:
        started.append(Server(tmp_path, *arguments, **variables))
        return started[-1]

    yield start
    for one in started:
        one.end(signal.SIGKILL)
