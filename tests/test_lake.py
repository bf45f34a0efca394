"""The verbs of a lake: one suite for every kind of lake."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from energy_analytics.lake import Lake, LakeError, LocalLake, open_lake
from energy_analytics.uploads import Upload, is_upload, raw_key, readings_key, site_of


@pytest.fixture(params=["folder"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return {"folder": lambda: open_lake(str(tmp_path / "lake"))}[request.param]()


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


def test_time_of_an_upload_is_kept(lake: Lake) -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    with lake.work_folder() as folder:
        (folder / "a").write_bytes(b"x")
        lake.put("raw/a.csv", folder / "a", modified=at)
    assert lake.describe("raw/a.csv").modified == at
    assert not folder.exists()


def test_what_is_not_there(lake: Lake) -> None:
    lake.delete("raw/a.csv")
    with pytest.raises(LakeError, match=r"There is no raw/a\.csv in the lake"):
        lake.read("raw/a.csv")
    with pytest.raises(LakeError, match=r"There is no raw/a\.csv in the lake"):
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
