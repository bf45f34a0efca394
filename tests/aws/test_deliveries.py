"""Events as S3 sends them: more than once, late, out of order; the lake ends as if each upload had come once."""

import gzip
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import HEADER, hourly_rows
from real_deployment import Deployment, contents, eventually

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.slow]

ONE = HEADER + hourly_rows("2026-01-01", hours=72)
TWO = HEADER + hourly_rows("2026-01-01", hours=72, kwh=2)
OVERLAP = HEADER + hourly_rows("2026-01-03", hours=72, kwh=3)
LAST = HEADER + hourly_rows("2026-01-05", hours=72, kwh=4, appliance='"Washer, ""Miele"" \\ `2`"')
KEYS = (
    "raw/two words.csv",
    "raw/north/a+b.csv",
    "raw/north/plant a/50% more.csv",
    "raw/north/plant a/%41%2F.csv",
    "raw/Küche/März & Co. 日本.csv.gz",
    "raw/Küche/Ω=1;x.CSV",
)


@pytest.fixture
def empty(owner: Deployment) -> Deployment:
    """The deployment with nothing in its lake."""
    owner.empty()
    return owner


@pytest.fixture
def unheard(empty: Deployment) -> Iterator[Deployment]:
    """The deployment with nothing in its lake, whose function hears of uploads from the test alone."""
    with empty.deaf():
        yield empty


def assert_each_has_come_once(owner: Deployment, folder: Path) -> None:
    found, expected = contents(owner.lake), contents(owner.twin(folder))
    assert found.keys() == expected.keys()
    assert [key for key in found if found[key] != expected[key]] == []


def test_keys_with_spaces_signs_and_other_scripts_are_run(empty: Deployment, tmp_path: Path) -> None:
    for number, key in enumerate(KEYS, 1):  # each with readings of its own: a copy of a file is run once
        text = HEADER + hourly_rows("2026-01-01", hours=24 * number)
        empty.put(key, gzip.compress(text.encode()) if key.endswith(".gz") else text)
    eventually(lambda: empty.statuses() == dict.fromkeys(KEYS, "succeeded"))
    assert empty.failures() == []
    assert_each_has_come_once(empty, tmp_path / "twin")


def test_events_in_any_order_and_more_than_once(unheard: Deployment, tmp_path: Path) -> None:
    keys = ("raw/plant/a.csv", "raw/plant/b b+.csv", "raw/plant/c.csv")
    for key, text in zip(keys, (ONE, OVERLAP, LAST), strict=True):
        unheard.put_later(key, text)
    for key in (*reversed(keys), keys[2], keys[0]):
        unheard.invoke(unheard.event(key))
    assert_each_has_come_once(unheard, tmp_path / "twin")


def test_events_at_the_same_time(unheard: Deployment, tmp_path: Path) -> None:
    keys = ("raw/plant/a.csv", "raw/plant/b.csv", "raw/plant/c.csv")
    for key, text in zip(keys, (ONE, OVERLAP, LAST), strict=True):
        unheard.put_later(key, text)
    unheard.send(*(unheard.event(key) for key in (*reversed(keys), *keys)))
    assert_each_has_come_once(unheard, tmp_path / "twin")


def test_several_uploads_in_one_event(unheard: Deployment, tmp_path: Path) -> None:
    keys = ("raw/plant/a.csv", "raw/b.csv", "raw/plant/c.csv")
    for key, text in zip(keys, (ONE, OVERLAP, LAST), strict=True):
        unheard.put_later(key, text)
    answer = unheard.invoke(unheard.event(*keys, keys[0], "raw/plant/notes.txt"))
    assert len(answer["stamps"]) == 3
    assert_each_has_come_once(unheard, tmp_path / "twin")


@pytest.mark.parametrize("order", list(itertools.permutations(["first", "between", "second"]))[:4])
def test_a_key_that_was_overwritten(unheard: Deployment, tmp_path: Path, order: tuple[str, ...]) -> None:
    """The events of both versions come after both were put; where `first` comes first, its run was there before."""
    unheard.put("raw/plant/a.csv", ONE)
    if order[0] == "first":
        unheard.invoke(unheard.event("raw/plant/a.csv"))
    unheard.put_later("raw/plant/b.csv", OVERLAP)
    unheard.put_later("raw/plant/a.csv", TWO)
    for event in order:
        unheard.invoke(unheard.event("raw/plant/b.csv" if event == "between" else "raw/plant/a.csv"))
    assert_each_has_come_once(unheard, tmp_path / "twin")


def test_a_key_that_was_deleted_before_its_event_came(unheard: Deployment, tmp_path: Path) -> None:
    unheard.put("raw/plant/a.csv", ONE)
    unheard.invoke(unheard.event("raw/plant/a.csv"))
    unheard.put("raw/plant/b.csv", OVERLAP)
    unheard.lake.delete("raw/plant/b.csv")
    assert unheard.invoke(unheard.event("raw/plant/b.csv")) == {"stamps": []}
    assert_each_has_come_once(unheard, tmp_path / "twin")


def test_what_is_no_upload_of_this_bucket_changes_nothing(unheard: Deployment) -> None:
    unheard.put("raw/plant/a.csv", ONE)
    unheard.invoke(unheard.event("raw/plant/a.csv"))
    before = {one.key: one.version for one in unheard.lake.list("runs") + unheard.lake.list("curated")}
    unheard.invoke({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": unheard.lake.bucket})
    assert unheard.invoke(unheard.event("raw/plant/a.csv", name="ObjectRemoved:Delete")) == {"stamps": []}
    with pytest.raises(AssertionError, match="The event is of the bucket other"):
        unheard.invoke(unheard.event("raw/plant/a.csv", bucket="other"))
    with pytest.raises(AssertionError, match="Expected is a notification of S3"):
        unheard.invoke({"detail": {}})
    assert {one.key: one.version for one in unheard.lake.list("runs") + unheard.lake.list("curated")} == before
