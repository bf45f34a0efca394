"""What a file is called under raw/, and what becomes of a Parquet file."""

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from energy_analytics.delivery import deliver
from energy_analytics.intake import UnusableUploadError
from energy_analytics.lake import open_lake

TEXT = b"timestamp,appliance,kwh\n2026-02-20 00:00:00,Fridge,0.5\n"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("data.csv", TEXT, "raw/data.csv"),
        ("DATA.CSV", TEXT, "raw/DATA.csv"),
        ("data.tsv", TEXT, "raw/data.csv"),
        ("data.txt", TEXT, "raw/data.csv"),
        ("data", TEXT, "raw/data.csv"),
        ("data.csv", packed(TEXT), "raw/data.csv.gz"),
        ("data.csv.gz", TEXT, "raw/data.csv"),
        ("data.gz", packed(TEXT), "raw/data.csv.gz"),
        ("energy [1]*.csv", TEXT, "raw/energy [1]*.csv"),
        (".csv", TEXT, "raw/upload.csv"),
        ("_hidden.csv", TEXT, "raw/hidden.csv"),
    ],
)
def test_the_suffix_under_raw_tells_what_is_in_the_file(tmp_path: Path, name: str, content: bytes, key: str) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    (tmp_path / name).write_bytes(content)
    assert deliver(lake, tmp_path / name, site="", now=NOW).key == key
    assert lake.read(key) == content
    assert deliver(lake, tmp_path / name, site="", now=NOW).key == key


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize(
    ("timestamp", "written"),
    [
        ("DATE '2026-02-20'", "2026-02-20"),
        ("TIMESTAMP '2026-02-20 01:30:00'", "2026-02-20 01:30:00"),
        ("TIMESTAMPTZ '2026-02-20 01:30:00+01'", "2026-02-20 00:30:00+00"),
    ],
)
def test_parquet_becomes_the_same_text_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, timestamp: str, written: str
) -> None:
    monkeypatch.setitem(os.environ, "TZ", zone)
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT 1 AS n, {timestamp} AS \"Timestamp\", 'a,b' AS appliance, 0.5 AS KWH) "
            f"TO '{tmp_path}/a.parquet' (FORMAT parquet)"
        )
    lake = open_lake(str(tmp_path / "lake"))
    key = deliver(lake, tmp_path / "a.parquet", site="plant", now=NOW).key
    assert key == "raw/plant/a.csv.gz"
    assert gzip.decompress(lake.read(key)).decode() == f'timestamp,appliance,kwh\n{written},"a,b",0.5\n'


def test_what_cannot_be_delivered_is_told_in_a_sentence(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no end")
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04 and so on")
    (tmp_path / "green button.xml").write_bytes(b'\xef\xbb\xbf<?xml version="1.0"?>\n<feed/>\n')
    (tmp_path / "all.json").write_text('\n[{"kwh": 1}]')
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT 1 AS time, 2 AS kwh) TO '{tmp_path}/other.parquet' (FORMAT parquet)")
    for name, sentence in {
        "none.csv": "does not exist",
        ".": "is a folder",
        "cut.parquet": "begins as a Parquet file but cannot be read",
        "other.parquet": "timestamp and appliance are missing. Rename time to timestamp, if that is what it is.",
        "book.xlsx": "book.xlsx is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV",
        "green button.xml": "green button.xml is an XML document, such as Green Button, which is not read",
        "all.json": "all.json is JSON",
    }.items():
        with pytest.raises(UnusableUploadError, match=sentence):
            deliver(lake, tmp_path / name, site="", now=NOW)
    assert lake.list("raw") == []
