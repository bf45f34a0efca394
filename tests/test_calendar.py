"""Days of 23 and 25 hours, offsets, and clocks that move by half an hour."""

from datetime import date
from pathlib import Path

import pytest
from intake_reading import HEADER, read

from energy_analytics.calendar import day_length_minutes


def half_hours(*times: str) -> str:
    return HEADER + "".join(f"{time},F,{number}\n" for number, time in enumerate(times, start=1))


def test_the_hour_given_twice_is_two_hours_and_the_skipped_one_is_none(tmp_path: Path) -> None:
    content = half_hours(
        "2026-03-29 01:00", "2026-03-29 02:00", "2026-03-29 03:00",
        "2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 03:00",
    )  # fmt: skip
    result = read(tmp_path, content, timezone="Europe/Paris")
    assert result.offsets == [60, 120, 120, 120, 60, 60]
    assert [kwh for *_, kwh in result.accepted] == [1, 3, 4, 5, 6, 7]
    assert result.reasons == [(3, "no such local time: the clock goes forward there")]


def test_the_third_line_of_an_hour_that_happens_twice_is_a_duplicate_of_the_second(tmp_path: Path) -> None:
    result = read(
        tmp_path, half_hours("2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 02:00"), timezone="Europe/Paris"
    )
    assert [kwh for *_, kwh in result.accepted] == [1, 3]
    assert result.reasons == [(3, "replaced by a later line: line 4")]


@pytest.mark.parametrize(
    "times",
    [
        ["2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 03:00", "2026-10-25 04:00"],
        ["2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 02:00", "2026-10-25 02:30"],
    ],
)
def test_the_hour_given_twice_in_a_file_that_is_written_newest_first(tmp_path: Path, times: list[str]) -> None:
    lines = half_hours(*times).splitlines(keepends=True)
    oldest_first = read(tmp_path, "".join(lines), timezone="Europe/Paris")
    newest_first = read(tmp_path, "".join([lines[0], *lines[:0:-1]]), timezone="Europe/Paris")
    assert (newest_first.accepted, newest_first.offsets) == (oldest_first.accepted, oldest_first.offsets)
    assert newest_first.reasons == []


def test_lord_howe_moves_its_clock_by_half_an_hour(tmp_path: Path) -> None:
    content = half_hours(
        "2026-04-05 01:00", "2026-04-05 01:30", "2026-04-05 01:30", "2026-04-05 02:00", "2026-10-04 02:00"
    )
    result = read(tmp_path, content, timezone="Australia/Lord_Howe")
    assert result.offsets == [660, 660, 630, 630]
    assert result.reasons == [(6, "no such local time: the clock goes forward there")]


def test_offsets_become_local_time_and_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    content = half_hours(
        "2026-10-25T02:00:00+01:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00Z", "2026-10-25 04:00"
    )
    local = read(tmp_path, content, timezone="Europe/Paris")
    assert local.accepted == [
        ("2026-10-25 02:00:00", "F", 1.0), ("2026-10-25 02:00:00", "F", 2.0),
        ("2026-10-25 03:00:00", "F", 3.0), ("2026-10-25 04:00:00", "F", 4.0),
    ]  # fmt: skip
    assert local.offsets == [60, 120, 60, 60]
    unset = read(tmp_path, content)
    assert [time for time, *_ in unset.accepted] == [f"2026-10-25 0{hour}:00:00" for hour in range(3)]
    assert unset.reasons == [(5, "no UTC offset where other rows have one")]


@pytest.mark.real_data
def test_victoria_is_whole_in_the_time_of_melbourne(tmp_path: Path, real_data: Path) -> None:
    content = (real_data / "vic_demand" / "vic_demand_halfhourly.csv.gz").read_bytes()
    result = read(tmp_path, content, timezone="Australia/Melbourne", name="vic.csv.gz")
    assert (len(result.accepted), result.rejected) == (52_608, [])
    per_day: dict[str, int] = {}
    for time, *_ in result.accepted:
        per_day[time[:10]] = per_day.get(time[:10], 0) + 1
    assert {day: count for day, count in per_day.items() if count != 48} == {
        "2012-04-01": 50, "2013-04-07": 50, "2014-04-06": 50,
        "2012-10-07": 46, "2013-10-06": 46, "2014-10-05": 46,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("day", "timezone", "minutes"),
    [
        ("2026-03-29", "Europe/Paris", 1380),
        ("2026-10-25", "Europe/Paris", 1500),
        ("2026-10-24", "Europe/Paris", 1440),
        ("2026-10-04", "Australia/Melbourne", 1380),
        ("2026-04-05", "Australia/Lord_Howe", 1470),
        ("2026-10-04", "Australia/Lord_Howe", 1410),
        ("2026-03-29", None, 1440),
    ],
)
def test_days_are_as_long_as_the_clock_says(day: str, timezone: str | None, minutes: int) -> None:
    assert day_length_minutes(date.fromisoformat(day), timezone) == minutes
