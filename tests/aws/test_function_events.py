"""What the function makes of the events that a bucket sends, and of those that none does."""

from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_analytics.aws.events import EventError, keys_of


def record(key: str, *, bucket: str = "lake", name: str = "ObjectCreated:Put") -> dict[str, Any]:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/"), "size": 1, "sequencer": "1"}},
    }


def keys(*records: dict[str, Any]) -> tuple[str, ...]:
    return keys_of({"Records": list(records)}, bucket="lake").keys


def test_each_upload_of_an_event_once_in_its_order() -> None:
    assert keys(record("raw/b.csv"), record("raw/site/a.csv.gz"), record("raw/b.csv")) == (
        "raw/b.csv",
        "raw/site/a.csv.gz",
    )


@pytest.mark.parametrize("key", ["raw/two words.csv", "raw/a+b.csv", "raw/50% more.csv", "raw/Küche/März 日本.csv.gz"])
def test_a_key_arrives_as_it_was_given(key: str) -> None:
    assert keys(record(key)) == (key,)
    assert record(key)["s3"]["object"]["key"] != key


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\"), min_size=1))
def test_any_name_arrives_as_it_was_given(name: str) -> None:
    key = f"raw/x{name}.csv"
    assert keys(record(key)) == (key,)


@given(st.text(min_size=1), st.sampled_from("\0\n\x1b\x7f\\"))
def test_a_name_that_no_lake_holds_is_passed_over(name: str, odd: str) -> None:
    key = f"raw/x{name}{odd}.csv".encode(errors="ignore").decode()
    assert keys(record("raw/a.csv"), record(key)) == ("raw/a.csv",)


def test_what_is_no_upload_is_passed_over_and_told() -> None:
    others = [record("raw/notes.txt"), record("processed/a.csv"), record("raw/.hidden.csv"), record("raw/_tmp/a.csv")]
    removed = record("raw/gone.csv", name="ObjectRemoved:Delete")
    found = keys_of({"Records": [*others, removed, record("raw/a.csv")]}, bucket="lake")
    assert found.keys == ("raw/a.csv",)
    assert len(found.passed_over) == 5
    assert found.passed_over[0] == "raw/notes.txt is not an upload: that is a .csv or .csv.gz under raw/"
    assert "ObjectRemoved:Delete" in found.passed_over[-1]


def test_the_test_event_of_a_new_notification_asks_for_nothing() -> None:
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-01T00:00:00Z", "Bucket": "lake"}
    assert keys_of(event, bucket="lake").keys == ()


def test_another_bucket_is_refused() -> None:
    with pytest.raises(EventError, match="of the bucket other, and this function works on lake alone"):
        keys(record("raw/a.csv"), record("raw/b.csv", bucket="other"))


@pytest.mark.parametrize(
    "event",
    [
        None,
        "raw/a.csv",
        [],
        {},
        {"Records": {}},
        {"Records": [{}]},
        {"Records": ["raw/a.csv"]},
        {"Records": [{"s3": {"bucket": {"name": "lake"}, "object": {"key": 5}}}]},
        {"Records": [{"s3": {"bucket": {"name": "lake"}, "object": {"key": "raw/%ff.csv"}}}]},
        {"detail-type": "Object Created", "detail": {"bucket": {"name": "lake"}, "object": {"key": "raw/a.csv"}}},
    ],
)
def test_anything_else_is_refused_and_shown(event: object) -> None:
    with pytest.raises(EventError, match="Expected is a notification of S3"):
        keys_of(event, bucket="lake")


def test_a_long_event_is_shown_in_part() -> None:
    with pytest.raises(EventError) as refused:
        keys_of({"Records": "x" * 10_000}, bucket="lake")
    assert len(str(refused.value)) < 400
