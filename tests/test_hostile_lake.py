"""A lake that others write to: links, pipes, names and records that lead elsewhere or lie."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from commands import HEADER, drop, energy, hourly_rows, run_key, state, told

from energy_analytics.cleanup import contents, remove
from energy_analytics.delivery import deliver
from energy_analytics.lake import GoneError, LakeError, LocalLake, NoPlaceError
from energy_analytics.query import query
from energy_analytics.readings import readings_of_site
from energy_analytics.runs import runs, waiting_uploads
from energy_analytics.settings import Settings
from energy_analytics.uploads import is_upload, raw_key
from energy_analytics.watch import Arrivals

ROWS = hourly_rows("2026-01-01", hours=48)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of someone's, outside the lake."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "secret.csv").write_text(HEADER + ROWS)
    return folder / "secret.csv"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def linked(lake: Path, key: str, target: Path) -> str:
    path = lake / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return key


@pytest.mark.parametrize("key", ["raw/a.csv", "raw/plant/a.csv", "curated/readings/a.csv.parquet", "runs/run_a.json"])
def test_a_link_to_a_file_is_no_object(lake: Path, secret: Path, key: str) -> None:
    linked(lake, key, secret)
    opened = LocalLake(lake)
    before = secret.read_bytes()
    assert opened.list(key.partition("/")[0]) == []
    for verb in (opened.describe, opened.read, opened.fetch, lambda key: opened.write(key, b"over")):
        with pytest.raises(LakeError, match="is a symbolic link, and none is followed"):
            verb(key)
    opened.delete(key)
    assert not (lake / key).is_symlink()
    assert secret.read_bytes() == before


@pytest.mark.parametrize("link", ["raw", "raw/plant", "curated", "curated/readings", "processed", "runs", ".work"])
def test_nothing_is_done_through_a_linked_folder(lake: Path, secret: Path, link: str) -> None:
    (lake / "raw").mkdir(parents=True)
    if link == "raw":
        (lake / "raw").rmdir()
    linked(lake, link, secret.parent)
    source = lake.parent / "mine.csv"
    source.write_text(HEADER + ROWS)
    before = state(secret.parent)
    message = told(energy("run", source, "--site", "plant", folder=lake.parent))
    assert f"{link} in the lake" in message and "is a symbolic link" in message
    assert state(secret.parent) == before
    opened = LocalLake(lake)
    if link not in ("raw", ".work"):
        with pytest.raises(LakeError, match="symbolic link"):
            opened.delete(f"{link}/secret.csv")
    assert state(secret.parent) == before


def test_clean_neither_follows_links_nor_removes_what_they_lead_to(lake: Path, secret: Path) -> None:
    run_key(lake, drop(lake, "raw/a.csv", ROWS))
    linked(lake, "raw/other.csv", secret)
    linked(lake, "reports/final_report_x.txt", secret)
    linked(lake, "curated/hourly/elsewhere", secret.parent)
    before = state(secret.parent)
    opened = LocalLake(lake)
    remove(opened, contents(opened, keep_raw=False))
    assert state(secret.parent) == before
    left = sorted(
        path.relative_to(lake).as_posix() for path in lake.rglob("*") if not path.is_dir() or path.is_symlink()
    )
    assert left == ["curated/hourly/elsewhere", "raw/other.csv", "reports/final_report_x.txt"]


def test_clean_does_not_go_through_a_linked_prefix(lake: Path, secret: Path) -> None:
    linked(lake, "processed", secret.parent)
    (secret.parent / "empty").mkdir()
    (secret.parent / "aggregated_1.csv").write_text("mine")
    assert "processed in the lake" in told(energy("clean", "--yes", folder=lake.parent))
    assert sorted(path.name for path in secret.parent.iterdir()) == ["aggregated_1.csv", "empty", "secret.csv"]


@pytest.mark.slow
def test_the_lake_itself_may_be_reached_by_a_link(lake: Path) -> None:
    real = lake.parent / "disk" / "lake"
    real.mkdir(parents=True)
    lake.symlink_to(real)
    source = lake.parent / "a.csv"
    source.write_text(HEADER + ROWS)
    done = energy("run", source, folder=lake.parent)
    assert done.returncode == 0, done.stderr
    assert (real / "raw" / "a.csv").is_file()
    asked = energy("query", "SELECT sum(kwh) AS kwh FROM readings", "--format", "csv", folder=lake.parent)
    assert asked.stdout == "kwh\n48.0\n"
    again = energy("run", lake / "raw" / "a.csv", folder=lake.parent)
    assert again.returncode == 0, again.stderr
    assert [path.name for path in (real / "raw").iterdir()] == ["a.csv"]
    assert LocalLake(lake).key_of(real / "raw" / "a.csv") == "raw/a.csv"


def test_a_file_given_by_a_link_is_the_users_choice(lake: Path, secret: Path) -> None:
    link = lake.parent / "january.csv"
    link.symlink_to(secret)
    upload = deliver(LocalLake(lake), link, site="", now=datetime(2030, 1, 1, tzinfo=UTC))
    assert upload.key == "raw/january.csv"
    assert not (lake / upload.key).is_symlink()
    assert (lake / upload.key).read_bytes() == secret.read_bytes()


def test_a_file_beside_the_lake_may_be_named_by_way_of_it(lake: Path, secret: Path) -> None:
    (lake / "raw").mkdir(parents=True)
    source = lake / "raw" / ".." / ".." / "elsewhere" / "secret.csv"
    upload = deliver(LocalLake(lake), source, site="", now=datetime(2030, 1, 1, tzinfo=UTC))
    assert upload.key == "raw/secret.csv"


def test_a_link_under_raw_is_told_when_it_is_run(lake: Path, secret: Path) -> None:
    linked(lake, "raw/link.csv", secret)
    message = told(energy("run", lake / "raw" / "link.csv", folder=lake.parent))
    assert message.startswith("raw/link.csv in the lake") and "put the file or folder itself in its place" in message
    assert [path.name for path in lake.iterdir()] == ["raw"]


def test_the_watch_is_given_each_stranger_once(lake: Path, secret: Path) -> None:
    linked(lake, "raw/link.csv", secret)
    linked(lake, "raw/plant", secret.parent)
    os.mkfifo(lake / "raw" / "pipe.csv")
    (lake / "raw" / "two\nlines.csv").write_text(HEADER + ROWS)
    (lake / "raw" / "back\\slash.csv").write_text(HEADER + ROWS)
    (lake / "raw" / "a.csv").write_text(HEADER + ROWS)
    arrivals = Arrivals(LocalLake(lake), clock=iter(range(0, 100, 10)).__next__)
    strangers = ["raw/back\\slash.csv", "raw/link.csv", "raw/pipe.csv", "raw/plant", "raw/two\nlines.csv"]
    assert arrivals.ready() == strangers
    for key in strangers:
        with pytest.raises(LakeError):
            LocalLake(lake).describe(key)
    assert arrivals.ready() == ["raw/a.csv"]
    assert arrivals.ready() == []


def test_a_pipe_is_no_object(lake: Path) -> None:
    (lake / "raw").mkdir(parents=True)
    os.mkfifo(lake / "raw" / "a.csv")
    assert waiting_uploads(LocalLake(lake)) == []
    with pytest.raises(GoneError, match=r"There is no raw/a\.csv that is a file"):
        LocalLake(lake).describe("raw/a.csv")


ODD_KEYS = [
    "../a.csv",
    "raw/../a.csv",
    "raw/../../etc/a.csv",
    "/raw/a.csv",
    "raw//a.csv",
    "raw/./a.csv",
    "./raw/a.csv",
    "raw/a\\b.csv",
    "raw/..\\..\\a.csv",
    "raw/a\0.csv",
    "raw/a\nb.csv",
    "raw/\x1b[31m.csv",
    "raw/\x9b31m.csv",
    "raw/\udcff.csv",
    "raw/a/../b.csv",
    "raw/\r.csv",
    "",
    "/",
    "..",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_keys_that_lead_elsewhere_or_play_tricks_are_none(lake: Path, key: str) -> None:
    opened = LocalLake(lake)
    assert not is_upload(key)
    for verb in (
        opened.describe,
        opened.read,
        opened.fetch,
        opened.delete,
        opened.list,
        lambda key: opened.write(key, b""),
    ):
        with pytest.raises(NoPlaceError, match="is no place in a lake"):
            verb(key)
    assert not lake.exists() or not any(path.is_file() for path in lake.rglob("*"))


@pytest.mark.parametrize(
    "site",
    [
        "..",
        "../x",
        "a/../b",
        "/etc",
        "a//b",
        "a/.",
        ".",
        "./a",
        "a/",
        "/",
        "_a",
        ".a",
        "a/_b",
        "a\\b",
        "a\nb",
        "a\0b",
        "\x1b[2J",
        "a/\x7f",
    ],
)
def test_sites_that_are_no_folder_are_refused(lake: Path, site: str) -> None:
    with pytest.raises(LakeError, match="cannot be a site"):
        raw_key(site, "a.csv")
    if "\0" not in site:
        source = lake.parent / "a.csv"
        source.write_text(HEADER + ROWS)
        assert "cannot be a site" in told(energy("run", source, "--site", site, folder=lake.parent))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("two\nlines.csv", "raw/two-lines.csv"),
        ("\x1b[31mred.csv", "raw/-[31mred.csv"),
        ("back\\slash.csv", "raw/back-slash.csv"),
        (os.fsdecode(b"latin-\xe9.csv"), "raw/latin--.csv"),
        ("..csv", "raw/upload.csv"),
        ("...", "raw/upload.csv"),
        ("\x1c\x1d.csv", "raw/--.csv"),
        ("-rf.csv", "raw/-rf.csv"),
        ("a*?[1].csv", "raw/a*?[1].csv"),
    ],
)
def test_names_of_files_become_names_that_any_lake_can_hold(lake: Path, name: str, key: str) -> None:
    source = lake.parent / "given" / name
    source.parent.mkdir()
    source.write_text(HEADER + ROWS)
    assert deliver(LocalLake(lake), source, site="", now=datetime(2030, 1, 1, tzinfo=UTC)).key == key


def forged(record: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> bytes:
    change(record)
    return json.dumps(record).encode()


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "outputs elsewhere": lambda one: one["outputs"].update(report_html="../../etc/passwd"),
    "outputs of another": lambda one: one["outputs"].update(report_text="raw/b/private.csv"),
    "more outputs": lambda one: one["outputs"].update(more="raw/a.csv"),
    "no outputs": lambda one: one.pop("outputs"),
    "upload elsewhere": lambda one: one["upload"].update(key="raw/../../../etc/x.csv"),
    "upload of another site": lambda one: one["upload"].update(key="raw/b/a.csv"),
    "site elsewhere": lambda one: one.update(site="../.."),
    "another stamp": lambda one: one.update(stamp="20200101_000000_00000000"),
    "another status": lambda one: one.update(status="splendid"),
    "no upload": lambda one: one.pop("upload"),
    "upload is a list": lambda one: one.update(upload=[1]),
    "time is none": lambda one: one["upload"].update(uploaded_at="yesterday"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_record_counts_for_nothing_and_its_upload_is_run_again(lake: Path, name: str) -> None:
    key = drop(lake, "raw/a/a.csv", ROWS)
    manifest = run_key(lake, key)
    before = state(lake)
    path = lake / f"runs/a/run_{manifest['stamp']}.json"
    path.write_bytes(forged(json.loads(path.read_bytes()), FORGERIES[name]))
    opened = LocalLake(lake)
    assert runs(opened) == []
    assert [stored.key for stored in waiting_uploads(opened)] == [key]
    assert energy("report", "--site", "a", folder=lake.parent).returncode == 1
    run_key(lake, key)
    assert state(lake) == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"[" * 100_000, b"\xff\xfe", b'{"upload": null}']
)
def test_a_record_that_is_none_counts_for_nothing(lake: Path, content: bytes) -> None:
    key = drop(lake, "raw/a.csv", ROWS)
    manifest = run_key(lake, key)
    (lake / "runs" / "run_junk.json").write_bytes(content)
    assert [one["stamp"] for one in runs(LocalLake(lake))] == [manifest["stamp"]]
    assert query(LocalLake(lake), "SELECT count(*) FROM runs", Settings()).rows == [(1,)]
    run_key(lake, key)


@pytest.mark.parametrize(
    "marks", ["", "KV_METADATA {fingerprint: 'x', verdict: 'y'}", "KV_METADATA {fingerprint: '{}', verdict: '{}'}"]
)
def test_readings_that_are_not_ours_are_taken_in_anew(lake: Path, marks: str) -> None:
    import duckdb

    key = drop(lake, "raw/a.csv", ROWS)
    run_key(lake, key)
    before = state(lake)
    path = lake / "curated/readings/a.csv.parquet"
    options = ", ".join(["FORMAT parquet", *([marks] if marks else [])])
    duckdb.execute(f"COPY (SELECT now() AS timestamp, 'x' AS appliance, 9e9 AS kwh) TO '{path}' ({options})")
    with duckdb.connect() as engine:
        assert readings_of_site(engine, LocalLake(lake), "") == ()
    run_key(lake, key)
    assert state(lake) == before


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda record: record.pop(name)


def _results(**change: object) -> Callable[[dict[str, Any]], object]:
    return lambda record: record["results"].update(change)


SPOILT_RECORDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no results": _without("results"),
    "no intake": _without("intake"),
    "no history": _without("history"),
    "results that are a list": lambda record: record.update(results=[]),
    "outputs that are a text": lambda record: record.update(outputs="all"),
    "an error that is a number": lambda record: record.update(status="failed", error=5),
    "the results of a success for a failure": lambda record: record.update(status="failed", error="It failed."),
    "a timezone that is none": lambda record: record["settings"].update(timezone="../Paris"),
    "an upload without an offset": lambda record: record["upload"].update(uploaded_at="2026-03-01T12:00:00"),
    "a size that is a text": lambda record: record["upload"].update(size_bytes="many"),
    "refused rows that are a list": lambda record: record["intake"].update(rejected_by_reason=[1]),
    "refused rows that lie nowhere": lambda record: record["intake"].update(rows_accepted=1),
    "a total that is a text": _results(total_kwh="much"),
    "a last reading of the year 9999": _results(last="9999-12-31 23:00:00"),
    "a first reading with an offset": _results(first="2026-01-01 00:00:00+01:00"),
    "episodes that are a number": _results(episodes=5),
    "an episode of another form": _results(episodes=[{"id": "a"}]),
    "a finding of another form": _results(findings=[{"id": "a"}]),
    "an appliance without a name": _results(appliances=[{"total_kwh": 48.0}]),
    "a forecast without a model": _results(forecast={}),
    "money that is a number": _results(money=48),
    "an error that is half a character": lambda record: record.update(status="failed", error="\ud800"),
}


@pytest.mark.tampered("the record of a run is changed by hand")
@pytest.mark.parametrize("how", SPOILT_RECORDS)
def test_a_record_with_parts_of_another_form_counts_for_nothing_until_its_upload_is_run_again(
    lake: Path, how: str
) -> None:
    run_key(lake, drop(lake, "raw/plant/a.csv", ROWS))
    run_key(lake, drop(lake, "raw/plant/b.csv", hourly_rows("2026-01-03", hours=24), minute=5))
    before = state(lake)
    [path] = (lake / "runs" / "plant").glob("run_20260301_120500_*.json")
    record = json.loads(path.read_text("utf-8"))
    SPOILT_RECORDS[how](record)
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")

    opened = LocalLake(lake)
    assert [one["upload"]["key"] for one in runs(opened)] == ["raw/plant/a.csv"]
    assert [one.key for one in waiting_uploads(opened)] == ["raw/plant/b.csv"]
    run_key(lake, "raw/plant/b.csv")
    assert state(lake) == before


@pytest.mark.tampered("the record of a run is changed by hand")
def test_an_upload_whose_record_is_spoilt_is_forgotten_with_all_that_came_of_it(lake: Path) -> None:
    run_key(lake, drop(lake, "raw/plant/a.csv", ROWS))
    before = state(lake)
    run_key(lake, drop(lake, "raw/plant/b.csv", hourly_rows("2026-01-03", hours=24), minute=5))
    [path] = (lake / "runs" / "plant").glob("run_20260301_120500_*.json")
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"results": None}), encoding="utf-8")
    done = energy("forget", "raw/plant/b.csv", "--yes", folder=lake.parent)
    assert done.returncode == 0, done.stderr
    assert state(lake, without=()).keys() == before.keys() | {"raw/plant/a.csv"}


@pytest.mark.tampered("the record of a run is changed by hand")
def test_findings_that_somebody_has_changed_so_that_they_say_nothing_are_left_out(lake: Path) -> None:
    run_key(lake, drop(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=24 * 30)))
    [path] = (lake / "runs").glob("run_*.json")
    record = json.loads(path.read_text("utf-8"))
    first, *others = record["results"]["findings"]
    assert others
    first |= {"kind": "standby", "figures": {}}
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    told = energy("findings", "--json", folder=lake.parent)
    assert told.returncode == 0, told.stderr
    assert [one["id"] for one in json.loads(told.stdout)] == [one["id"] for one in others]
