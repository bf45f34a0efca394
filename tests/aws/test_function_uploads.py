"""One upload in the function: run, refused, stopped or gone, and what is on record afterwards."""

import gc
import gzip
import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from emulator import Emulator

from energy_analytics.aws.alerts import alert_text
from energy_analytics.aws.function import Ended, RunError, function_lake, run_upload
from energy_analytics.lake.s3 import S3Lake
from energy_analytics.runs import runs
from energy_analytics.settings import load_settings

PLENTY = 900.0


_lakes: list[S3Lake] = []
"""Of which the fetched files go with the process, as in the function."""


@pytest.fixture
def lake(bucket: str) -> S3Lake:
    _lakes.append(function_lake(bucket))
    return _lakes[-1]


def readings(days: int, *, start: str = "2026-01-05", fault_kwh: float = 0.0) -> bytes:
    """Hourly readings of a fridge and an oven; the fault is added to the fridge's last two days."""
    noise, first = random.Random(1), datetime.fromisoformat(start)  # noqa: S311
    lines = ["timestamp,appliance,kwh"]
    for hour in range(24 * days):
        at = first + timedelta(hours=hour)
        fridge = 0.1 + 0.01 * noise.random() + (fault_kwh if hour >= 24 * (days - 2) else 0.0)
        lines.append(f"{at},Fridge,{fridge:.4f}")
        lines.append(f"{at},Oven,{1.0 + 0.1 * noise.random() if at.hour == 18 else 0.02:.4f}")
    return "\n".join(lines).encode() + b"\n"


def clock(seconds: float) -> Callable[[], float]:
    """Return what tells how many of these seconds are left."""
    ends = time.monotonic() + seconds
    return lambda: ends - time.monotonic()


def event_of(
    lake: S3Lake, key: str, *, seconds: Callable[[], float] = lambda: PLENTY, compare: bool = False
) -> Ended | None:
    settings = load_settings(lake=lake.uri)
    seen: list[str] = []
    ended = run_upload(
        lake, key, settings, seconds_left=seconds, identified=lambda one: seen.append(one.stamp), compare=compare
    )
    assert ended is None or seen == [ended.manifest["stamp"]]
    return ended


def test_an_upload_is_run_and_its_stages_timed(lake: S3Lake) -> None:
    lake.write("raw/a.csv", readings(30))
    ended = event_of(lake, "raw/a.csv")
    assert ended is not None
    assert [one["status"] for one in runs(lake)] == ["succeeded"]
    assert set(ended.seconds) == {
        "Reading",
        "Adding up",
        "Looking for anomalies",
        "Forecasting",
        "Writing the report",
    }
    assert all(0 <= took < 60 for took in ended.seconds.values())
    assert ended.new_episodes == []


def test_an_upload_that_is_gone_is_passed_over(lake: S3Lake) -> None:
    assert event_of(lake, "raw/gone.csv") is None
    assert runs(lake) == []


def test_an_unusable_upload_fails_with_its_sentence_and_is_on_record(lake: S3Lake) -> None:
    lake.write("raw/poison.csv", b"PK\x03\x04not a table")
    with pytest.raises(RunError, match="ZIP archive") as failed:
        event_of(lake, "raw/poison.csv")
    assert failed.value.recorded
    assert [one["error"] for one in runs(lake)] == [str(failed.value)]


def big_when_unpacked() -> bytes:
    """Return a gzip file that says of itself that it unpacks to 4 GB."""
    return gzip.compress(os.urandom(2 << 20))[:-4] + b"\xff\xff\xff\xff"


def test_an_upload_too_big_for_the_function_is_refused_and_on_record(lake: S3Lake, aws: Emulator) -> None:
    content = big_when_unpacked()
    aws.client("s3").put_object(Bucket=lake.bucket, Key="raw/north/big.csv.gz", Body=content)
    with pytest.raises(RunError, match=r"^raw/north/big\.csv\.gz needs about .* Split the file and") as failed:
        event_of(lake, "raw/north/big.csv.gz", seconds=lambda: 50.0)
    assert failed.value.recorded
    (record,) = runs(lake, "north")
    assert (record["status"], record["error"]) == ("failed", str(failed.value))
    assert record["upload"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert lake._cache.size_bytes < len(content), "it was fetched"


@pytest.fixture
def without_callbacks() -> Iterator[None]:
    """Python swallows what is raised in a callback of its collector, an alarm too; hypothesis registers one."""
    held = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks.extend(held)


@pytest.mark.usefixtures("without_callbacks")
def test_a_run_that_takes_too_long_is_stopped_and_on_record(lake: S3Lake) -> None:
    lake.write("raw/a.csv", readings(365))
    with pytest.raises(RunError, match=r"^raw/a\.csv could not be run in the function's time\. Split") as failed:
        event_of(lake, "raw/a.csv", seconds=clock(10.15))
    assert failed.value.recorded
    assert [(one["status"], one["error"]) for one in runs(lake)] == [("failed", str(failed.value))]
    assert event_of(lake, "raw/a.csv") is not None
    assert [one["status"] for one in runs(lake)] == ["succeeded"]


def test_a_failure_never_takes_the_place_of_a_run(lake: S3Lake) -> None:
    lake.write("raw/a.csv", readings(365))
    event_of(lake, "raw/a.csv")
    before = {stored.key: stored.version for stored in lake.list("runs")}
    with pytest.raises(RunError, match="Split the file") as failed:
        event_of(lake, "raw/a.csv", seconds=clock(10))
    assert not failed.value.recorded
    assert {stored.key: stored.version for stored in lake.list("runs")} == before


def test_a_failure_takes_the_place_of_the_failure_of_the_version_before(lake: S3Lake) -> None:
    for day in (1, 2):
        lake.write("raw/a.csv", readings(300 + day))
        with pytest.raises(RunError):
            event_of(lake, "raw/a.csv", seconds=clock(10))
    (record,) = runs(lake)
    assert record["upload"]["size_bytes"] == len(readings(302))


def test_unusual_use_is_new_once(lake: S3Lake) -> None:
    lake.write("raw/site/2026-01.csv", readings(40))
    quiet = event_of(lake, "raw/site/2026-01.csv", compare=True)
    lake.write("raw/site/2026-02.csv", readings(10, start="2026-02-14", fault_kwh=2.0))
    loud = event_of(lake, "raw/site/2026-02.csv", compare=True)
    again = event_of(lake, "raw/site/2026-02.csv", compare=True)
    assert quiet is not None
    assert loud is not None
    assert again is not None
    assert quiet.new_episodes == []
    assert {one.appliance for one in loud.new_episodes} == {"Fridge"}
    assert again.new_episodes == []
    subject, text = alert_text(loud.manifest, loud.new_episodes)
    assert subject == "Energy: 1 new stretch of unusual use"
    first, second, _, finding, *_, last = text.splitlines()
    assert (first, second) == ("Upload: raw/site/2026-02.csv", "Site: site")
    assert finding.startswith("- Fridge: ")
    assert last == f"The report: {loud.manifest['outputs']['report_html']}"


def test_an_alert_of_many_findings_is_short(lake: S3Lake) -> None:
    lake.write("raw/site/2026-02.csv", readings(40, fault_kwh=2.0))
    ended = event_of(lake, "raw/site/2026-02.csv", compare=True)
    assert ended is not None
    subject, text = alert_text(ended.manifest, ended.new_episodes * 500)
    assert subject == "Energy: 500 new stretches of unusual use"
    assert "- and 488 more" in text
    assert len(text) <= 8000
