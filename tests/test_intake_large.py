"""A file so large that the names of its appliances are looked for beforehand."""

import csv
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from intake_reading import HEADER

from energy_analytics.engine import connect, parquet
from energy_analytics.intake import read_upload

ROWS = 500_000
"""More than 16 MB."""


def written(path: Path, *, by_appliance: bool = False, instead: Iterable[tuple[int, str]] = ()) -> Path:
    """Write a minute of 20 appliances after the other, or an appliance after the other; some lines are others."""
    lines = [
        f"2026-{1 + minute // 40_320:02}-{1 + minute // 1440 % 28:02} {minute // 60 % 24:02}:{minute % 60:02}:00"
        f",Meter {number:02},{(number + minute) % 97 / 100:.2f}"
        for minute in range(ROWS // 20)
        for number in range(20)
    ]
    if by_appliance:
        lines.sort(key=lambda line: line.split(",")[1])
    for number, line in instead:
        lines[number] = line
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    assert path.stat().st_size > 16 << 20
    return path


def check(folder: Path, source: Path, *, rejected: int = 0) -> None:
    """Read a file, and hold what was taken against its lines."""
    expected: Counter[str] = Counter()
    energy: dict[str, list[float]] = {}
    with source.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["timestamp"][0] == "2":
                name = row["appliance"].strip()
                expected[name] += 1
                energy.setdefault(name, []).append(float(row["kwh"]))
    target = folder / "readings.parquet"
    with connect(memory_limit_mb=256, threads=2, spill_folder=folder / "spill") as engine:
        taken = read_upload(
            engine,
            source,
            target,
            name=source.name,
            marks={},
            timezone=None,
            date_order=None,
            decimal=None,
            max_reading_kwh=1e6,
            max_upload_mb=100,
        )
        kept = engine.execute(
            f"SELECT appliance, count(*), sum(kwh) FROM {parquet([target])} GROUP BY appliance"
        ).fetchall()
        kinds = engine.execute(f"DESCRIBE SELECT * FROM {parquet([target])}").fetchall()
    assert {name: count for name, count, _ in kept} == expected
    assert {name: total for name, _, total in kept} == {
        name: pytest.approx(math.fsum(values), rel=1e-9) for name, values in energy.items()
    }
    assert taken.verdict.rows_accepted == sum(expected.values())
    assert sum(taken.verdict.rejected_by_reason.values()) == rejected
    assert [(name, kind) for name, kind, *_ in kinds][:3] == [
        ("timestamp", "TIMESTAMP"),
        ("appliance", "VARCHAR"),
        ("kwh", "DOUBLE"),
    ]


def test_every_reading_is_taken_under_its_name(tmp_path: Path) -> None:
    check(tmp_path, written(tmp_path / "large.csv"))


def test_an_appliance_after_the_other(tmp_path: Path) -> None:
    check(tmp_path, written(tmp_path / "large.csv", by_appliance=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Rare", "Meter 05 ", "O'Neill", '"Pump, old"'])
def test_a_name_that_is_met_once_is_not_lost(tmp_path: Path, name: str) -> None:
    """It lies between the stretches that are looked at."""
    line = f"2026-03-01 00:00:00,{name},1.5"
    check(tmp_path, written(tmp_path / "large.csv", instead=[(ROWS - 3000, line)]))


def test_a_bad_row_far_down_is_refused_alone(tmp_path: Path) -> None:
    check(tmp_path, written(tmp_path / "large.csv", instead=[(ROWS - 3000, "oops,Meter 01,1")]), rejected=1)
