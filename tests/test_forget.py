"""`energy forget`: the lake is as if the upload had never been there."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from commands import HEADER, drop, energy, hourly_rows, run_key, state, told
from emulator import Emulator
from lakes import QUICK, arrive, as_if_each_had_come_once, contents, run_one

from energy_analytics.lake import Lake, LocalLake
from energy_analytics.pipeline import FailedRunError, forget
from energy_analytics.runs import runs, waiting_uploads

ONE, TWO = hourly_rows("2026-01-01", hours=72), hourly_rows("2026-01-01", hours=72, kwh=2)
OVERLAP = hourly_rows("2026-01-03", hours=72, kwh=3)
BAD_ROW = "2026-01-01 00:30:00,Oven,much\n"
THREE = {"raw/a.csv": ONE + BAD_ROW, "raw/b.csv": OVERLAP, "raw/c.csv": TWO}


def filled(lake: Lake, uploads: dict[str, str]) -> None:
    for key, rows in uploads.items():
        run_one(lake, arrive(lake, key, rows))


@pytest.mark.parametrize("key", THREE)
def test_as_if_it_had_never_been_there(lake: Lake, key: str) -> None:
    """The first, whose readings others correct; the one between; the newest, which corrects the first."""
    filled(lake, THREE | {"raw/plant/a.csv": ONE})
    forget(lake, key, QUICK)
    found = contents(lake)
    assert key not in found
    assert found == as_if_each_had_come_once(lake)


def test_the_only_upload_of_a_site(lake: Lake) -> None:
    filled(lake, {"raw/plant/a.csv": ONE})
    beside = contents(lake)
    filled(lake, {"raw/a.csv": ONE + BAD_ROW})
    forget(lake, "raw/a.csv", QUICK)
    assert contents(lake) == beside


def test_one_that_was_corrected_under_its_own_name(lake: Lake) -> None:
    filled(lake, {"raw/b.csv": OVERLAP})
    beside = contents(lake)
    for rows in (ONE, TWO + BAD_ROW):
        run_one(lake, arrive(lake, "raw/a.csv", rows))
    with pytest.raises(FailedRunError):
        run_one(lake, arrive(lake, "raw/a.csv", "no,reading,at all\n"))
    forget(lake, "raw/a.csv", QUICK)
    assert contents(lake) == beside


def test_one_that_could_not_be_used(lake: Lake) -> None:
    filled(lake, {"raw/b.csv": OVERLAP})
    beside = contents(lake)
    with pytest.raises(FailedRunError):
        run_one(lake, arrive(lake, "raw/a.csv", "no,reading,at all\n"))
    forget(lake, "raw/a.csv", QUICK)
    assert contents(lake) == beside


def test_one_that_was_never_run(lake: Lake) -> None:
    filled(lake, {"raw/b.csv": OVERLAP})
    beside = contents(lake)
    forget(lake, arrive(lake, "raw/a.csv", ONE), QUICK)
    assert contents(lake) == beside


@pytest.mark.parametrize("key", ["raw/a.csv", "raw/b.csv", "raw/c.csv"])
def test_a_copy_that_shares_its_stamp(tmp_path: Path, key: str) -> None:
    lake = LocalLake(tmp_path)
    for name in "abc":
        run_key(tmp_path, drop(tmp_path, f"raw/{name}.csv", ONE))
    forget(lake, key, QUICK)
    assert waiting_uploads(lake) == []
    assert contents(lake) == as_if_each_had_come_once(lake)


@pytest.mark.parametrize("removed", [["raw/a.csv"], ["raw/c.csv"], ["raw/b.csv", "raw/c.csv"]])
@pytest.mark.parametrize("met", ["by the next run", "by forget"])
def test_what_was_removed_by_hand(lake: Lake, removed: Sequence[str], met: str) -> None:
    filled(lake, THREE)
    lake.delete(*removed)
    if met == "by forget":
        forget(lake, removed[0], QUICK)
    else:
        run_one(lake, next(key for key in THREE if key not in removed))
    assert contents(lake) == as_if_each_had_come_once(lake)


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    for name, rows in (("a", ONE), ("b", OVERLAP)):
        (tmp_path / f"{name}.csv").write_text(HEADER + rows)
        assert energy("run", f"{name}.csv", "--site", "plant", folder=tmp_path).returncode == 0
        if name == "a":
            before = state(tmp_path / "lake", without=())
    whole = state(tmp_path / "lake", without=())
    listed = energy("forget", "b.csv", "--site", "plant", "--dry-run", folder=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "lake/raw/" in listed.stdout
    assert "say --yes" in told(energy("forget", "raw/plant/b.csv", folder=tmp_path))
    assert state(tmp_path / "lake", without=()) == whole
    done = energy("forget", "raw/plant/b.csv", "--yes", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Removed raw/plant/b.csv and what came of it from ./lake." in " ".join(done.stdout.split())
    assert state(tmp_path / "lake", without=()) == before
    assert [one["upload"]["key"] for one in runs(LocalLake(tmp_path / "lake"))] == ["raw/plant/a.csv"]


@pytest.mark.slow
def test_what_the_command_refuses(tmp_path: Path) -> None:
    drop(tmp_path / "lake", "raw/a.csv", ONE)
    assert "There is no raw/b.csv in the lake" in told(energy("forget", "b.csv", "--yes", folder=tmp_path))
    for key in ("notes.txt", "../a.csv", "_hidden.csv"):
        told(energy("forget", key, "--yes", folder=tmp_path))
    assert (tmp_path / "lake" / "raw" / "a.csv").is_file()


@pytest.mark.slow
def test_the_command_on_a_bucket(aws: Emulator, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + ONE)
    uri = f"s3://{bucket}"
    assert energy("run", "a.csv", "--lake", uri, folder=tmp_path).returncode == 0
    aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    done = energy("forget", "a.csv", "--lake", uri, "--yes", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "until its rules remove them" in " ".join(done.stdout.split())
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert aws.client("s3").list_object_versions(Bucket=bucket, Prefix="raw/")["Versions"]
