"""The verbs of a lake: one suite for every kind of lake."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lakes import empty_lake

from energy_analytics.lake import GoneError, Lake, LakeError, LocalLake, StoredObject, fetch_folder, open_lake
from energy_analytics.lake.cache import process_cache
from energy_analytics.uploads import Upload, is_upload, raw_key, readings_key, site_of, upload_time


@pytest.fixture(params=["folder", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake in a folder, and one in a bucket: what each of them owes takes no time."""
    return empty_lake(request, tmp_path)


def test_what_is_written_can_be_read(lake: Lake) -> None:
    lake.write("reports/north/a.txt", b"one")
    lake.write("reports/north/a.txt", b"three")
    assert lake.read("reports/north/a.txt") == b"three"
    assert lake.fetch("reports/north/a.txt").read_bytes() == b"three"
    assert lake.describe("reports/north/a.txt").size_bytes == 5


def test_list_is_in_order_of_keys_and_of_one_folder(lake: Lake) -> None:
    for key in ("raw/b.csv", "raw/a/z.csv", "raw/a.csv", "rawer/c.csv"):
        lake.write(key, b"")
    assert [stored.key for stored in lake.list("raw")] == ["raw/a.csv", "raw/a/z.csv", "raw/b.csv"]
    assert [stored.key for stored in lake.list("raw/a")] == ["raw/a/z.csv"]
    assert lake.list("reports") == []


def test_list_of_a_folder_alone(lake: Lake) -> None:
    for key in ("raw/b.csv", "raw/a/z.csv", "raw/a.csv"):
        lake.write(key, b"")
    assert [stored.key for stored in lake.list("raw", below=False)] == ["raw/a.csv", "raw/b.csv"]


def test_time_of_an_upload_is_kept_in_a_folder(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    at = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    with lake.work_folder() as folder:
        (folder / "a").write_bytes(b"x")
        lake.put("raw/a.csv", folder / "a", modified=at)
    assert lake.describe("raw/a.csv").modified == at
    assert not folder.exists()


def test_time_of_an_upload_is_not_before_the_one_that_was_asked_for(lake: Lake) -> None:
    lake.write("raw/a.csv", b"1")
    later = upload_time(lake.describe("raw/a.csv")) + timedelta(seconds=1)
    with lake.work_folder() as folder:
        (folder / "b").write_bytes(b"2")
        lake.put("raw/b.csv", folder / "b", modified=later)
    assert later <= upload_time(lake.describe("raw/b.csv")) <= later + timedelta(seconds=2)


@pytest.mark.parametrize(
    "key", ["raw/with space/a b.csv", "raw/a+b.csv", "raw/50%/a%20b.csv", "raw/Wärme 🔥.csv", "raw/it's [a] *?#&=;.csv"]
)
def test_odd_names(lake: Lake, key: str) -> None:
    lake.write(key, b"x")
    assert [stored.key for stored in lake.list("raw")] == [key]
    assert lake.describe(key) == lake.list("raw")[0]
    assert lake.fetch(key).read_bytes() == lake.read(key) == b"x"
    lake.delete(key)
    assert lake.list("raw") == []


def test_no_two_contents_share_a_version(lake: Lake) -> None:
    versions = set()
    for content in (b"1", b"2", b"", b"22"):
        lake.write("raw/a.csv", content)
        versions.add(lake.describe("raw/a.csv").version)
    assert len(versions) == 4


def test_a_version_is_fetched_or_nothing(lake: Lake) -> None:
    lake.write("raw/a.csv", b"old")
    old = lake.describe("raw/a.csv")
    lake.write("raw/b.csv", b"beside")
    lake.write("raw/a.csv", b"new")
    process_cache().trim()
    new, beside = lake.list("raw")
    assert [path.read_bytes() for path in lake.fetch_all([new, beside, new])] == [b"new", b"beside", b"new"]
    lake.delete("raw/a.csv")
    with pytest.raises(GoneError):
        lake.fetch_all([beside, old])


def test_content_is_compared(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(b"same")
    (tmp_path / "else").write_bytes(b"else")
    lake.write("raw/a.csv", b"same")
    stored = lake.describe("raw/a.csv")
    assert lake.holds(stored, tmp_path / "same")
    assert not lake.holds(stored, tmp_path / "else")


def test_several_at_a_time(lake: Lake) -> None:
    with lake.work_folder() as folder:
        files = {f"reports/{number}.txt": folder / str(number) for number in range(40)}
        for path in files.values():
            path.write_text(path.name)
        lake.put_all(files)
    assert {stored.key: lake.read(stored.key).decode() for stored in lake.list("reports")} == {
        f"reports/{number}.txt": str(number) for number in range(40)
    }
    lake.delete(*files, "reports/absent.txt")
    assert lake.list("reports") == []


def test_a_folder_that_changes_while_it_is_fetched(lake: Lake) -> None:
    """What is listed first has gone when it is fetched; what is there then is fetched."""
    lake.write("runs/a.json", b"1")
    lake.write("runs/b.json", b"1")
    turns = iter([True])

    def wanted(stored: StoredObject) -> bool:
        if stored.key == "runs/b.json" and next(turns, False):
            lake.write("runs/a.json", b"22")
        return True

    process_cache().trim()
    found = fetch_folder(lake, "runs", wanted=wanted)
    assert {stored.key: path.read_bytes() for stored, path in found.items()} == {
        "runs/a.json": b"22",
        "runs/b.json": b"1",
    }


def test_what_is_not_there(lake: Lake) -> None:
    lake.delete("raw/a.csv")
    with pytest.raises(GoneError, match=r"There is no raw/a\.csv in the lake"):
        lake.read("raw/a.csv")
    with pytest.raises(GoneError, match=r"There is no raw/a\.csv in the lake"):
        lake.describe("raw/a.csv")


def test_work_is_no_part_of_the_lake(lake: Lake) -> None:
    with lake.work_folder() as folder:
        (folder / "half").write_bytes(b"x")
        assert [stored for prefix in ("raw", "reports") for stored in lake.list(prefix)] == []


def test_an_object_is_never_seen_in_part(lake: Lake) -> None:
    """A reader beside a writer of two contents of 4 MB sees the one or the other."""
    contents = (b"a" * 4_000_000, b"b" * 4_000_000)
    lake.write("reports/a.txt", contents[0])
    done = threading.Event()

    def write() -> None:
        for turn in range(20):
            lake.write("reports/a.txt", contents[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(lake.read("reports/a.txt"))
    writer.join()
    assert seen <= set(contents)
    assert len(lake.list("reports")) == 1


@pytest.mark.parametrize(
    "key", ["", ".", "/etc/passwd", "../a", "raw/../../a", "raw//a", "raw/./a", "raw\\a", "raw/\0"]
)
def test_no_key_leads_out_of_the_lake_or_has_two_names(lake: Lake, key: str) -> None:
    for verb in (lake.read, lake.describe, lake.fetch, lake.delete, lake.list):
        with pytest.raises(LakeError, match="no place in a lake"):
            verb(key)
    with pytest.raises(LakeError, match="no place in a lake"):
        lake.write(key, b"")


def test_prune_leaves_what_is_not_ours(tmp_path: Path) -> None:
    lake = LocalLake(tmp_path / "lake")
    lake.write("raw/a/b.csv", b"")
    lake.delete("raw/a/b.csv")
    (lake.root / "photos").mkdir()
    lake.prune("raw")
    assert [path.name for path in lake.root.iterdir()] == ["photos"]


def test_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_lake("./lake").uri == f"{tmp_path}/lake"
    assert open_lake(f"file://{tmp_path}/lake").uri == f"{tmp_path}/lake"
    assert open_lake("s3://energy-analytics-1234").uri == "s3://energy-analytics-1234"
    assert open_lake("s3://energy-analytics-1234/").uri == "s3://energy-analytics-1234"
    for uri, sentence in {
        "gs://energy": r"gs:// is not supported; give a folder, such as \./lake, or s3:// and a bucket",
        "s3://energy/lake": "A lake is a whole bucket: give s3://energy in place",
        "s3://": "is no name of a bucket",
        "s3://Energy_1": "'Energy_1' is no name of a bucket",
    }.items():
        with pytest.raises(LakeError, match=sentence):
            open_lake(uri)
    (tmp_path / "file").touch()
    with pytest.raises(LakeError, match="is a file; a lake is a folder"):
        open_lake("file")


def test_a_lake_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LakeError, match="cannot be written: Not a directory"):
        LocalLake(tmp_path / "file" / "lake").write("raw/a.csv", b"")


def test_sites_and_keys() -> None:
    assert raw_key("", "a.csv") == "raw/a.csv"
    assert raw_key("north/plant-a", "a.csv") == "raw/north/plant-a/a.csv"
    assert site_of("raw/a.csv") == ""
    assert site_of("raw/north/plant-a/a.csv") == "north/plant-a"
    assert readings_key("raw/north/a.csv.gz") == "curated/readings/north/a.csv.gz.parquet"
    assert raw_key("", "_hidden.csv") == "raw/hidden.csv"


@pytest.mark.parametrize("site", ["/", "/a", "a/", "a//b", "..", "a/../b", ".a", "a/.b", "_a", "a\\b", "a\0", "a\nb"])
def test_names_that_are_no_site(site: str) -> None:
    with pytest.raises(LakeError, match="cannot be a site: it is a folder name such as plant-a"):
        raw_key(site, "a.csv")


def test_what_triggers_a_run() -> None:
    for key in ("raw/a.csv", "raw/a.csv.gz", "raw/site/A.CSV", "raw/ü x/b.csv"):
        assert is_upload(key), key
    for key in ("raw/a.txt", "raw/.a.csv", "raw/_a.csv", "raw/_site/a.csv", "raw/a.csv.part", "reports/a.csv"):
        assert not is_upload(key), key


def test_stamp_is_the_time_of_the_upload_and_its_content() -> None:
    upload = Upload("raw/north/a.csv", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), 7, lambda: "0123456789abcdef")
    assert upload.stamp == "20260203_040506_01234567"
    assert upload.result_key("reports", "final_report.txt") == (
        "reports/north/final_report_20260203_040506_01234567.txt"
    )
