"""What a site with many uploads is remembered by: it saves reading, and never decides."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import drop, hourly_rows, run_key, state
from lakes import arrive, contents, indexed_from_the_first, run_one

from energy_analytics.lake import Lake, LocalLake, StoredObject

INDEX, COLLECTED = "runs/.memory-index.json", "runs/.memory-readings.parquet"
DIGEST = "runs/.memory-readings.sha256"


@pytest.fixture
def remembering() -> Iterator[None]:
    with indexed_from_the_first():
        yield


def days(root: Path, count: int) -> list[str]:
    """Upload and run a day after the other, and a correction of the first at the end."""
    keys = [drop(root, f"raw/{day:02}.csv", hourly_rows(f"2026-01-{day + 1:02}", hours=24)) for day in range(count)]
    for key in keys:
        run_key(root, key)
    return keys


@pytest.mark.slow
def test_the_next_upload_opens_none_of_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "lake"
    root.mkdir()
    days(root, 20)
    opened: list[str] = []
    fetch_all, read = LocalLake.fetch_all, LocalLake.read

    def counting_fetch(lake: LocalLake, wanted: list[StoredObject]) -> Any:
        opened.extend(stored.key for stored in wanted)
        return fetch_all(lake, wanted)

    def counting_read(lake: LocalLake, key: str) -> bytes:
        opened.append(key)
        return read(lake, key)

    monkeypatch.setattr(LocalLake, "fetch_all", counting_fetch)
    monkeypatch.setattr(LocalLake, "read", counting_read)
    run_key(root, drop(root, "raw/20.csv", hourly_rows("2026-01-21", hours=24)))
    readings, records = ({key for key in opened if key.startswith(prefix)} for prefix in ("curated/readings/", "runs/"))
    assert len(readings) <= 5, "those that came after they were last collected"
    assert len(records) <= 2, "the upload's own, and that of the run before it"


@pytest.mark.usefixtures("remembering")
def test_it_is_in_no_listing_and_goes_when_the_lake_is_cleaned(lake: Lake) -> None:
    for day in range(1, 4):
        run_one(lake, arrive(lake, f"raw/{day}.csv", hourly_rows(f"2026-01-{day:02}", hours=24)))
    assert lake.recall("runs", "index.json") is not None
    assert lake.recall("runs", "readings.parquet") is not None
    listed = [stored.key for stored in lake.list("runs")]
    assert len(listed) == 3 and not any("memory" in key for key in listed)
    lake.delete(*contents(lake))
    lake.prune("raw", "runs", "curated")
    assert lake.recall("runs", "index.json") is None
    assert lake.recall("runs", "readings.parquet") is None


def test_an_index_that_cannot_be_kept_is_no_fault(lake: Lake) -> None:
    with lake.work_folder() as folder:
        (folder / "x").write_bytes(b"one")
        lake.remember("runs/north", "x", folder / "x")
        (folder / "x").write_bytes(b"two")
        lake.remember("runs/north", "x", folder / "x")
    path = lake.recall("runs/north", "x")
    assert path is not None and path.read_bytes() == b"two"
    assert lake.recall("runs/north", "y") is None
    assert lake.recall("runs/south", "x") is None


def _spoilt(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        told = json.loads(path.read_bytes())
        change(told)
        path.write_text(json.dumps(told), encoding="utf-8")

    return spoil


def _without_verdicts(told: dict[str, Any]) -> None:
    for entry in told["readings"].values():
        del entry[1]["verdict"]


def _of_no_version(told: dict[str, Any]) -> None:
    """Facts that are false, of versions that are not there."""
    for entry in (*told["readings"].values(), *told["records"].values()):
        entry[0], entry[1] = "another", {"rows": 7, "status": "failed"}


def _naming_others(told: dict[str, Any]) -> None:
    for key, entry in told["records"].items():
        entry[1] |= {"outputs": {"processed": "raw/00.csv"}, "stamp": key}


def _be_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _be_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _hold(content: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.write_bytes(content)

    return spoil


def _be_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50_000_000_000)


SPOILT: dict[str, Callable[[Path], None]] = {
    "empty": _hold(b""),
    "half": _hold(b'{"format":2,"records":{"runs/'),
    "no object": _hold(b"[]"),
    "deep": _hold(b"[" * 100_000),
    "kinds that are lists": _hold(b'{"format": 2, "records": [], "readings": [1]}'),
    "entries of another form": _spoilt(lambda told: told["records"].update(dict.fromkeys(told["records"], "x"))),
    "facts of other versions": _spoilt(_of_no_version),
    "records that name other files": _spoilt(_naming_others),
    "readings that tell too little": _spoilt(_without_verdicts),
    "huge": _be_huge,
    "a number without end": _hold(b'{"format": 2, "records": ' + b"9" * 5000 + b"}"),
    "a folder": _be_a_folder,
    "a link": _be_a_link,
}


@pytest.mark.slow
@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_index_counts_for_nothing(tmp_path: Path, how: str) -> None:
    root = tmp_path / "lake"
    root.mkdir()
    days(root, 3)
    SPOILT[how](root / INDEX)
    run_key(root, drop(root, "raw/03.csv", hourly_rows("2026-01-04", hours=24)))
    assert state(root, without=()) == as_without(root, tmp_path / "afresh")


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize(
    "how",
    ["empty", "no marks", "of other files", "no readings", "spoilt in the middle", "fewer readings", "no digest"],
)
def test_collected_readings_that_do_not_fit_count_for_nothing(tmp_path: Path, how: str) -> None:
    root = tmp_path / "lake"
    root.mkdir()
    days(root, 3)
    path = root / COLLECTED
    if how == "empty":
        path.write_bytes(b"")
    elif how == "no digest":
        (root / DIGEST).unlink()
    elif how == "spoilt in the middle":  # with the marks as they were
        content = path.read_bytes()
        path.write_bytes(content[:20] + bytes(100) + content[120:])
    elif how == "fewer readings":
        marks = duckdb.execute(f"SELECT key, value FROM parquet_kv_metadata('{path}')").fetchall()
        told = ", ".join(f"{key.decode()}: '{value.decode()}'" for key, value in marks)
        rows = f"SELECT * FROM '{path}' LIMIT 1"
        duckdb.execute(f"COPY ({rows}) TO '{root}/fewer' (FORMAT parquet, KV_METADATA {{{told}}})")
        (root / "fewer").replace(path)
    elif how == "no readings":
        duckdb.execute(f"COPY (SELECT 1 AS x) TO '{path}' (FORMAT parquet, KV_METADATA {{uploads: '2', files: 'x'}})")
    else:
        marks = ", KV_METADATA {uploads: '2', files: 'x'}" if how == "of other files" else ""
        rows = "SELECT timestamp, appliance, 9.0 AS kwh, NULL AS utc_offset_minutes"
        duckdb.execute(f"COPY ({rows} FROM '{root}/curated/readings/*.parquet') TO '{path}' (FORMAT parquet{marks})")
    run_key(root, drop(root, "raw/03.csv", hourly_rows("2026-01-04", hours=24)))
    assert state(root, without=()) == as_without(root, tmp_path / "afresh")


@pytest.mark.usefixtures("remembering")
def test_a_lake_that_was_copied_is_read_anew(tmp_path: Path) -> None:
    root, copy = tmp_path / "lake", tmp_path / "copy"
    root.mkdir()
    days(root, 3)
    shutil.copytree(root, copy)
    for one in (root, copy):
        run_key(one, drop(one, "raw/03.csv", hourly_rows("2026-01-04", hours=24)))
    assert state(copy, without=()) == state(root, without=())


def as_without(root: Path, afresh: Path) -> dict[str, str]:
    """Run the same uploads where nothing is remembered."""
    shutil.copytree(root / "raw", afresh / "raw")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalLake, "recall", lambda *_: None)
        for key in sorted(path.name for path in (afresh / "raw").iterdir()):
            run_key(afresh, f"raw/{key}")
    return state(afresh, without=())
