"""Readings that are no energy of intervals are used as they are, and said to be doubtful wherever a run is told."""

from collections.abc import Callable
from pathlib import Path

import pytest
from commands import HEADER, energy
from lakes import arrive, run_one

from energy_analytics.lake import open_lake

HOUSE = [0.2, 0.1, 0.1, 0.3, 0.9, 0.4, 0.5, 0.2, 0.7, 1.2, 0.8, 0.3]
"""kWh of every other hour of a day."""


def file_of(days: int, **appliances: Callable[[int], float]) -> str:
    """Write readings of every other hour, by the number of the reading from 0."""
    return HEADER + "".join(
        f"2026-01-{1 + number // 12:02} {2 * (number % 12):02}:00,{name},{kwh(number):.3f}\n"
        for name, kwh in appliances.items()
        for number in range(12 * days)
    )


def used(number: int) -> float:
    return HOUSE[number % 12] * (1 + number // 12 % 3)


def counted(number: int) -> float:
    return 12345.6 + sum(map(used, range(number + 1)))


def counted_today(number: int) -> float:
    return sum(map(used, range(number - number % 12, number + 1)))


def steady(_: int) -> float:
    return 0.05


def notes_of(folder: Path, content: str) -> list[str]:
    lake = open_lake(str(folder / "lake"))
    found: list[str] = run_one(lake, arrive(lake, "raw/a.csv", content, header=""))["results"]["doubts"]
    return found


@pytest.mark.parametrize("kwh", [counted, counted_today])
def test_a_counter_is_said_to_be_one(tmp_path: Path, kwh: Callable[[int], float]) -> None:
    [note] = notes_of(tmp_path, file_of(5, Meter=kwh, Fridge=steady, Oven=used))
    assert note.startswith("The readings of Meter rise and hardly ever fall, as a counter's do.")
    assert note.endswith("upload the differences from one reading to the next instead.")


def test_a_total_beside_its_parts_is_said_to_be_one(tmp_path: Path) -> None:
    parts = {"Oven": used, "Fridge": steady}
    [note] = notes_of(tmp_path, file_of(5, House=lambda number: used(number) + steady(number), **parts))
    assert note.startswith("House looks like the total of the other appliances.")


def test_a_total_that_holds_more_than_the_others_is_known_by_its_name(tmp_path: Path) -> None:
    parts = {"Oven": used, "Fridge": steady}
    assert notes_of(tmp_path, file_of(5, Boiler=lambda number: 3 * used(number), **parts)) == []
    [note] = notes_of(tmp_path / "other", file_of(5, Total=lambda number: 3 * used(number), **parts))
    assert note.startswith("Total looks like the total of the other appliances.")


def test_readings_of_intervals_raise_no_doubt(tmp_path: Path) -> None:
    growing = file_of(20, Heating=lambda number: used(number) * (1 + number / 100), Fridge=steady, Oven=used)
    assert notes_of(tmp_path, growing) == []


def test_a_doubt_is_shown_on_the_terminal_and_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(file_of(5, Meter=counted))
    done = energy("run", "a.csv", "--model", "seasonal_naive", folder=tmp_path)
    assert done.stdout.splitlines()[1].startswith("The readings of Meter rise and hardly ever fall")
    [report] = (tmp_path / "lake" / "reports").glob("*.txt")
    assert "The readings of Meter rise and hardly ever fall" in " ".join(report.read_text().split())


def quarters(hours: int) -> str:
    return HEADER + "".join(
        f"2026-01-{1 + n // 96:02} {n // 4 % 24:02}:{n % 4 * 15:02}:00,Oven,{used(n // 8) / 8:.4f}\n"
        for n in range(4 * hours)
    )


def by_the_hour(hours: int) -> str:
    return HEADER + "".join(
        f"2026-01-{1 + n // 24:02} {n % 24:02}:00:00,Oven,{used(n // 2) / 2:.4f}\n" for n in range(hours)
    )


SCATTERED = [1, 2, 9, 40, 41, 70]
"""Hours of which single readings are corrected."""


@pytest.mark.parametrize(
    ("first", "second", "is_doubtful"),
    [
        (quarters(96), by_the_hour(96), True),
        (quarters(96), by_the_hour(4), True),
        (by_the_hour(96), quarters(96), False),
        (quarters(96), quarters(48), False),
        (by_the_hour(96), HEADER + "".join(by_the_hour(96).splitlines(keepends=True)[n + 1] for n in SCATTERED), False),
    ],
    ids=["longer", "some longer", "shorter", "alike", "single ones"],
)
def test_longer_intervals_over_shorter_ones(tmp_path: Path, first: str, second: str, is_doubtful: bool) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    run_one(lake, arrive(lake, "raw/a.csv", first, header=""))
    doubts = run_one(lake, arrive(lake, "raw/b.csv", second, header=""))["results"]["doubts"]
    assert [doubt.startswith("Oven came again at longer intervals") for doubt in doubts] == [True] * is_doubtful


def test_hours_of_utc_are_said_to_be_so(tmp_path: Path) -> None:
    content = HEADER + "2026-01-01T00:00:00+01:00,Oven,1\n2026-01-01T01:00:00+01:00,Oven,2\n"
    [note] = notes_of(tmp_path, content)
    assert note.endswith(
        'set timezone = "Europe/Paris" (or yours) in energy.toml, or ENERGY_TIMEZONE, to see local ones.'
    )
