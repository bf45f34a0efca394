"""A run is stopped in time, whatever it is at."""

import signal
import time

import duckdb
import pytest

from energy_analytics.aws.deadline import OutOfTimeError, time_limit

ENDLESS = "SELECT sum(sin(one.range * other.range)) FROM range(10000000) AS one, range(10000000) AS other"


def test_a_query_is_interrupted() -> None:
    with duckdb.connect() as engine:
        began = time.monotonic()
        with pytest.raises(OutOfTimeError), time_limit(0.3) as watch:
            watch(engine)
            engine.execute(ENDLESS)
        assert time.monotonic() - began < 5
        assert engine.execute("SELECT 1").fetchall() == [(1,)]


def test_waiting_is_interrupted_though_all_exceptions_are_caught_once() -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTimeError), time_limit(0.2):
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001 - as libraries do
            time.sleep(60)
    assert time.monotonic() - began < 10


def test_what_fails_before_the_time_is_out_fails_as_itself() -> None:
    with pytest.raises(RuntimeError, match="own"), time_limit(60):
        raise RuntimeError("own")


def test_nothing_rings_afterwards() -> None:
    with time_limit(0.05):
        pass
    time.sleep(0.2)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_no_time_at_all_is_too_little() -> None:
    with pytest.raises(OutOfTimeError), time_limit(-1):
        pytest.fail("begun all the same")
