"""Uploads that hold nothing but feed-in: they wait for use, and count from then on, in whatever order they come."""

from collections.abc import Iterable
from contextlib import suppress
from itertools import permutations
from pathlib import Path

import pytest
from commands import HEADER, drop, energy, hourly_rows, told
from lakes import QUICK, arrive, contents, forget_results, run_one

from energy_analytics.lake import Lake, LocalLake
from energy_analytics.pipeline import FailedRunError, forget
from energy_analytics.runs import runs, succeeded_runs, waiting_uploads

WITH_ROOF = QUICK.model_copy(update={"export_appliances": ("Roof",)})
ROOF = hourly_rows("2026-01-01", hours=72, appliance="Roof", kwh=5)
HOUSE = hourly_rows("2026-01-01", hours=72)
LATER_ROOF = hourly_rows("2026-01-04", hours=24, appliance="Roof", kwh=7)


def run_each(lake: Lake, keys: Iterable[str]) -> None:
    for key in keys:
        with suppress(FailedRunError):
            run_one(lake, key, settings=WITH_ROOF)


def anew(lake: Lake) -> dict[str, bytes]:
    forget_results(lake)
    run_each(lake, [stored.key for stored in waiting_uploads(lake)])
    return contents(lake)


def billed(lake: Lake) -> dict[str, tuple[float, float]]:
    """Return what the run of each upload tells of use and of feed-in."""
    found = {}
    for run in succeeded_runs(lake):
        results = run["results"]
        found[run["upload"]["key"]] = results["total_kwh"], results["money"]["bill"]["fed_in_kwh"]
    return found


def test_what_was_fed_in_counts_once_there_is_use(tmp_path: Path) -> None:
    (tmp_path / "energy.toml").write_text('export_appliances = ["Roof"]\n')
    for name, rows in (("roof", ROOF), ("house", HOUSE)):
        (tmp_path / f"{name}.csv").write_text(HEADER + rows)
    assert "The readings are kept" in told(energy("run", "roof.csv", folder=tmp_path))
    done = energy("run", "house.csv", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lake = LocalLake(tmp_path / "lake")
    assert billed(lake) == {"raw/house.csv": (72, 360)}
    assert [run["status"] for run in runs(lake)] == ["succeeded", "failed"]
    assert waiting_uploads(lake) == []


def test_any_order_ends_in_the_same(lake: Lake) -> None:
    keys = [arrive(lake, f"raw/{name}.csv", rows) for name, rows in (("a", ROOF), ("b", HOUSE), ("c", LATER_ROOF))]
    expected = anew(lake)
    assert billed(lake) == {"raw/b.csv": (72, 360), "raw/c.csv": (72, 528)}
    for order in permutations(keys) if isinstance(lake, LocalLake) else [keys[::-1]]:
        forget_results(lake)
        run_each(lake, (*order, order[0]))
        assert contents(lake) == expected, order


@pytest.mark.parametrize("gone", ["raw/a.csv", "raw/b.csv", "raw/c.csv"])
def test_one_is_forgotten(lake: Lake, gone: str) -> None:
    for name, rows in (("a", HOUSE), ("b", ROOF), ("c", LATER_ROOF)):
        run_each(lake, [arrive(lake, f"raw/{name}.csv", rows)])
    forget(lake, gone, WITH_ROOF)
    found = contents(lake)
    assert found == anew(lake)
    assert any(key.startswith("curated/daily/") for key in found) == (gone != "raw/a.csv")


def test_the_use_is_moved_behind_it(tmp_path: Path) -> None:
    """The run that had use before it has none now: what it gave is taken back, but for the rows that it refused."""
    lake = LocalLake(tmp_path)
    refused = "2026-01-01 00:30:00,Roof,much\n"
    keys = [drop(tmp_path, "raw/a.csv", HOUSE), drop(tmp_path, "raw/b.csv", ROOF + refused, minute=1)]
    run_each(lake, keys)
    run_each(lake, [drop(tmp_path, "raw/a.csv", HOUSE, minute=2)])
    assert billed(lake) == {"raw/a.csv": (72, 360)}
    found = contents(lake)
    assert sum(key.startswith("rejected/") for key in found) == 1
    assert found == anew(lake)
