"""Uploads that come more than once, late, in any order, replaced or removed: the lake ends as if each had come once."""

from collections.abc import Callable, Iterator
from itertools import permutations

import duckdb
import pytest
from commands import drop, hourly_rows
from lakes import QUICK, arrive, as_if_each_had_come_once, contents, forget_results, run_one

from energy_analytics.lake import GoneError, Lake, LocalLake
from energy_analytics.pipeline import STAGES, FailedRunError, Progress
from energy_analytics.runs import WITHDRAWN, put_manifest, runs, upload_of, waiting_uploads
from energy_analytics.uploads import find

ONE, TWO = hourly_rows("2026-01-01", hours=72), hourly_rows("2026-01-01", hours=72, kwh=2)
OVERLAP = hourly_rows("2026-01-03", hours=72, kwh=3)


def at_stage(stage: str, act: Callable[[], object]) -> Progress:
    """Return a progress that acts once, when the stage begins."""
    once: Iterator[Callable[[], object]] = iter([act])

    def progress(begun: str, engine: duckdb.DuckDBPyConnection, rows: int | None) -> None:
        if begun == stage:
            next(once, lambda: None)()

    return progress


def totals(lake: Lake) -> list[tuple[str, float]]:
    return [(run["upload"]["key"], run["results"]["total_kwh"]) for run in runs(lake)]


@pytest.mark.slow
def test_every_order_more_than_once(lake: Lake) -> None:
    keys = [arrive(lake, "raw/a.csv", ONE), arrive(lake, "raw/b.csv", OVERLAP), arrive(lake, "raw/c c+.csv", TWO)]
    expected = as_if_each_had_come_once(lake)
    orders = list(permutations(keys)) if isinstance(lake, LocalLake) else [keys[::-1], keys[1:] + keys[:1]]
    for order in orders:
        forget_results(lake)
        for key in (*order, order[0], order[-1]):
            run_one(lake, key)
        assert contents(lake) == expected, order


def test_a_replaced_upload_leaves_nothing(lake: Lake) -> None:
    """The run between rested on the old version, and is made again without it: the new one came after it."""
    bad_row = "2026-01-01 00:30:00,Oven,much\n"
    run_one(lake, arrive(lake, "raw/a.csv", ONE + bad_row))
    run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))
    assert [run["results"]["total_kwh"] for run in runs(lake)] == [48 + 72 * 3, 72]
    run_one(lake, arrive(lake, "raw/a.csv", TWO))
    assert totals(lake) == [("raw/a.csv", 72 * 2 + 48 * 3), ("raw/b.csv", 72 * 3)]
    found = contents(lake)
    assert not any(key.startswith("rejected/") for key in found)
    assert len([key for key in found if key.startswith("reports/")]) == 4
    assert found == as_if_each_had_come_once(lake)


@pytest.mark.parametrize("stage", STAGES)
def test_an_upload_that_is_replaced_while_it_is_run(lake: Lake, stage: str) -> None:
    run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))
    arrive(lake, "raw/a.csv", ONE)
    manifest = run_one(lake, "raw/a.csv", progress=at_stage(stage, lambda: arrive(lake, "raw/a.csv", TWO)))
    assert manifest["results"]["total_kwh"] == 72 * 2 + 48 * 3
    assert waiting_uploads(lake) == []
    assert contents(lake) == as_if_each_had_come_once(lake)


@pytest.mark.parametrize("stage", STAGES)
def test_an_upload_that_is_replaced_and_run_while_it_is_run(lake: Lake, stage: str) -> None:
    """The process that has the old version is late to write; what it writes does not stay."""
    run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))
    arrive(lake, "raw/a.csv", ONE)
    run_one(lake, "raw/a.csv", progress=at_stage(stage, lambda: run_one(lake, arrive(lake, "raw/a.csv", TWO))))
    assert contents(lake) == as_if_each_had_come_once(lake)


@pytest.mark.parametrize("stage", STAGES)
def test_an_upload_that_is_removed_while_it_is_run(lake: Lake, stage: str) -> None:
    run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))
    arrive(lake, "raw/a.csv", ONE)
    with pytest.raises(GoneError, match=r"raw/a\.csv was removed from the lake"):
        run_one(lake, "raw/a.csv", progress=at_stage(stage, lambda: lake.delete("raw/a.csv")))
    assert find(lake, "raw/a.csv") is None
    assert contents(lake) == as_if_each_had_come_once(lake)


def test_the_only_upload_is_removed_while_it_is_run(lake: Lake) -> None:
    arrive(lake, "raw/a.csv", ONE)
    with pytest.raises(GoneError):
        run_one(lake, "raw/a.csv", progress=at_stage(STAGES[3], lambda: lake.delete("raw/a.csv")))
    assert contents(lake) == {}


def test_another_upload_while_one_is_run(lake: Lake) -> None:
    arrive(lake, "raw/a.csv", ONE)
    run_one(lake, "raw/a.csv", progress=at_stage(STAGES[3], lambda: run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))))
    assert totals(lake) == [("raw/b.csv", 48 + 72 * 3), ("raw/a.csv", 72)]
    assert contents(lake) == as_if_each_had_come_once(lake)


def test_one_that_lost_its_way_after_the_curated_tables_of_another(lake: Lake) -> None:
    """A run again of the older upload writes the site's tables while the newer one is between those and its record."""
    run_one(lake, arrive(lake, "raw/a.csv", ONE))
    arrive(lake, "raw/b.csv", OVERLAP)
    expected = as_if_each_had_come_once(lake)
    forget_results(lake)
    run_one(lake, "raw/a.csv")

    def older_again() -> None:
        run_one(lake, "raw/a.csv")

    run_one(lake, "raw/b.csv", progress=at_stage(STAGES[4], older_again))
    assert contents(lake) == expected


def test_an_unusable_version_and_the_good_one_after_it(lake: Lake) -> None:
    run_one(lake, arrive(lake, "raw/a.csv", ONE))
    run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))
    before = contents(lake, without=("raw",))
    for number in (1, 2):
        with pytest.raises(FailedRunError, match="The readings of the upload before it still count"):
            run_one(lake, arrive(lake, "raw/a.csv", "no,reading,at all\n" * number))
    after = contents(lake, without=("raw",))
    assert {key: after[key] for key in before} == before
    assert len([key for key in after if key.startswith("runs/")]) == 3
    run_one(lake, arrive(lake, "raw/a.csv", TWO))
    assert [run["status"] for run in runs(lake)] == ["succeeded", "succeeded"]
    assert contents(lake) == as_if_each_had_come_once(lake)


def test_what_a_later_upload_corrected_is_not_undone_by_an_unusable_one(lake: Lake) -> None:
    """The readings of a stay those of its first version, which came before b."""
    run_one(lake, arrive(lake, "raw/a.csv", ONE))
    run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))
    with pytest.raises(FailedRunError):
        run_one(lake, arrive(lake, "raw/a.csv", "no,reading,at all\n"))
    run_one(lake, "raw/b.csv")
    assert runs(lake)[1]["results"]["total_kwh"] == 48 + 72 * 3


def test_a_withdrawal_that_was_cut_off_is_taken_up(lake: Lake) -> None:
    run_one(lake, arrive(lake, "raw/a.csv", ONE))
    [first] = runs(lake)
    run_one(lake, arrive(lake, "raw/b.csv", OVERLAP))
    lake.delete("raw/a.csv")
    put_manifest(lake, upload_of(first), first | {"status": WITHDRAWN})
    assert totals(lake) == [("raw/b.csv", 48 + 72 * 3)]
    run_one(lake, "raw/b.csv")
    lake.delete("curated/readings/a.csv.parquet")
    assert contents(lake) == as_if_each_had_come_once(lake)


@pytest.mark.slow
def test_copies_of_one_file_in_one_second(tmp_path_factory: pytest.TempPathFactory) -> None:
    """They share a stamp, and so the record of their run, which is the last one's."""
    found = []
    for order in (("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c", "b")):
        root = tmp_path_factory.mktemp("lake")
        lake = LocalLake(root)
        for name in "abc":
            drop(root, f"raw/{name}.csv", ONE)
        for name in order:
            run_one(lake, f"raw/{name}.csv")
        assert totals(lake) == [("raw/c.csv", 72)]
        assert waiting_uploads(lake) == []
        found.append(contents(lake))
        run_one(lake, drop(root, "raw/c.csv", TWO, minute=1))
        assert [run["upload"]["key"] for run in runs(lake)] == ["raw/c.csv", "raw/b.csv"]
        assert contents(lake) == as_if_each_had_come_once(lake)
    assert found[0] == found[1] == found[2]


def test_refused_rows_that_other_settings_accept(lake: Lake) -> None:
    """A failed run leaves them; when the same upload is run with a setting that fits, they go."""
    arrive(lake, "raw/a.csv", TWO)
    with pytest.raises(FailedRunError, match=r"None of the 72 rows of a\.csv can be used"):
        run_one(lake, "raw/a.csv", settings=QUICK.model_copy(update={"max_reading_kwh": 1.0}))
    assert lake.list("rejected")
    run_one(lake, "raw/a.csv")
    assert lake.list("rejected") == []
    assert contents(lake) == as_if_each_had_come_once(lake)
