"""Files made to fill the disk, the memory or the time: refused in a sentence, with little done before."""

import gzip
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from commands import HEADER, drop, energy, hourly_rows, peak_mb, run_key, told
from intake_reading import read

from energy_analytics.intake import UnusableUploadError, tolerant
from energy_analytics.intake.limits import MOST_APPLIANCES, MOST_COLUMNS
from energy_analytics.lake import LocalLake
from energy_analytics.money import CarbonError, TariffFileError, parse_tariff, read_carbon, read_tariff
from energy_analytics.runs import runs
from energy_analytics.settings import SettingsError, load_settings
from energy_analytics.watch import Arrivals
from energy_analytics.weather import WeatherError, read_temperatures

ROWS = hourly_rows("2026-01-01", hours=48)
ONE_MB = {"ENERGY_MAX_UPLOAD_MB": "1"}


def bomb(path: Path, start: str, *, mb: int) -> Path:
    """Write a packed file of a few kilobytes that unpacks to that many megabytes of rows."""
    row = b"2026-01-01 00:00:00,Oven,0.5\n"
    with gzip.open(path, "wb") as file:
        file.write(start.encode())
        for _ in range(mb):
            file.write(row * (1_000_000 // len(row)))
    return path


def test_a_packed_bomb_is_refused_and_the_failure_on_record(tmp_path: Path) -> None:
    packed = bomb(tmp_path / "bomb.csv.gz", HEADER, mb=200)
    peak, said = peak_mb("run", packed, folder=tmp_path, variables=ONE_MB)
    assert "bomb.csv.gz is more than 1 MB when it is unpacked, which is the most that is read." in said
    assert "raise max_upload_mb in energy.toml" in said
    assert peak < 250
    (record,) = runs(LocalLake(tmp_path / "lake"))
    assert (record["status"], record["upload"]["key"]) == ("failed", "raw/bomb.csv.gz")
    assert "more than 1 MB" in record["error"]
    assert sum(path.stat().st_size for path in (tmp_path / "lake").rglob("*") if path.is_file()) < 2_000_000


def test_no_more_than_the_limit_is_unpacked(tmp_path: Path) -> None:
    packed = bomb(tmp_path / "bomb.csv.gz", HEADER, mb=40)
    with pytest.raises(UnusableUploadError, match="more than 8 MB"):
        read(tmp_path / "reading", packed.read_bytes(), name="bomb.csv.gz", max_upload_mb=8)
    assert (tmp_path / "reading/work/unpacked.csv").stat().st_size <= 8_000_000


def test_of_a_packed_file_that_is_no_text_only_the_beginning_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(UnusableUploadError, match="is empty"):
        read(tmp_path, gzip.compress(bytes(50_000_000)), name="zeros.csv.gz")
    assert not (tmp_path / "work/unpacked.csv").exists()


@pytest.mark.parametrize("before", [b"", gzip.compress((HEADER + ROWS).encode())], ids=["first", "second"])
@pytest.mark.parametrize("flag", [8, 16], ids=["name", "comment"])
def test_a_packed_file_whose_header_has_no_end_takes_no_time(tmp_path: Path, flag: int, before: bytes) -> None:
    """It is read byte by byte: 60 MB took half a minute."""
    content = before + b"\x1f\x8b\x08" + bytes([flag]) + bytes(6) + b"a" * 60_000_000
    began = time.process_time()
    with pytest.raises(UnusableUploadError, match=r"a\.csv\.gz is damaged: .* longer than 100,000 bytes"):
        read(tmp_path, content, name="a.csv.gz")
    assert time.process_time() - began < 5


def test_the_watch_does_not_stay_at_a_header_without_end(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "a.csv.gz").write_bytes(b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * 60_000_000)
    arrivals = Arrivals(LocalLake(tmp_path), clock=iter(range(0, 1000, 10)).__next__)
    began = time.process_time()
    for _ in range(3):
        arrivals.ready()
    assert time.process_time() - began < 3


def test_plain_text_has_the_same_limit(tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_text(HEADER + ROWS + "#" * 1_000_000)
    assert "large.csv is more than 1 MB" in told(energy("run", "large.csv", folder=tmp_path, variables=ONE_MB))
    raw = tmp_path / "lake" / "raw"
    with (raw / "hole.csv").open("wb") as file:
        file.truncate(60_000_000)
    assert "hole.csv is more than" in told(energy("run", raw / "hole.csv", folder=tmp_path, variables=ONE_MB))


@pytest.mark.parametrize(
    "rows",
    [
        "SELECT TIMESTAMP '2026-01-01' AS timestamp, 'Oven' AS appliance, 0.5 AS kwh FROM range(3000000)",
        "SELECT TIMESTAMP '2026-01-01' AS timestamp, repeat('x', 100000) AS appliance, 0.5 AS kwh FROM range(50)",
    ],
)
def test_parquet_that_is_much_more_as_text(tmp_path: Path, rows: str) -> None:
    duckdb.execute(f"COPY ({rows}) TO '{tmp_path}/bomb.parquet' (FORMAT parquet)")
    assert (tmp_path / "bomb.parquet").stat().st_size < 300_000
    peak, said = peak_mb("run", "bomb.parquet", folder=tmp_path, variables=ONE_MB)
    assert "bomb.parquet is more than 1 MB when it is unpacked" in said
    assert peak < 400
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]


@pytest.mark.parametrize("mb", [3, 40])
def test_an_endless_line_is_refused_by_its_number_and_not_lost(tmp_path: Path, mb: int) -> None:
    """The engine passes over a line of more than 32 MB without a word."""
    (tmp_path / "a.csv").write_text(
        f"{HEADER}2026-01-01 00:00:00,A,0.5\n{'x' * mb * 1_000_000}\n2026-01-01 01:00:00,A,1\n"
    )
    found = read(tmp_path, (tmp_path / "a.csv").read_bytes())
    assert found.verdict.rows_accepted == 2
    assert found.reasons == [(3, "longer than 100,000 bytes")]
    assert len(found.rejected[0][1]) <= 1001


def test_an_endless_line_takes_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w") as file:
        file.write(HEADER + ROWS)
        for _ in range(300):
            file.write("x" * 1_000_000)
        file.write("\n" + hourly_rows("2026-02-01", hours=24))
    peak, said = peak_mb("run", "a.csv", folder=tmp_path, variables={"ENERGY_THREADS": "1"})
    assert said.strip() == ""
    assert peak < 350
    (record,) = runs(LocalLake(tmp_path / "lake"))
    assert record["intake"]["rejected_by_reason"] == {"longer than 100,000 bytes": 1}
    assert record["intake"]["rows_accepted"] == 72


def test_a_quote_that_holds_many_lines_ends(tmp_path: Path) -> None:
    content = HEADER + '2026-01-01 00:00:00,"' + "x\n" * 60_000 + '",0.5\n2026-01-01 01:00:00,A,1\n'
    found = read(tmp_path, content)
    assert found.accepted == [("2026-01-01 01:00:00", "A", 1.0)]
    assert len(found.rejected) == 60_001


@pytest.mark.slow
def test_a_quote_over_millions_of_lines_takes_the_memory_it_may(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + ROWS + '2026-02-01 00:00:00,"' + "x\n" * 4_000_000 + '",0.5\n')
    peak, said = peak_mb("run", "a.csv", folder=tmp_path, variables={"ENERGY_MEMORY_LIMIT_MB": "96"})
    assert said.strip() == ""
    assert peak < 400
    (record,) = runs(LocalLake(tmp_path / "lake"))
    assert record["intake"]["rows_accepted"] == 48
    assert sum(record["intake"]["rejected_by_reason"].values()) == 4_000_001


def test_refused_lines_are_told_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 15 million, the engine could not sort all at once in 256 MB."""
    content = HEADER + 'x\n2026-01-01 00:00:00,"\ny\n\n2026-01-01 00:00:00,Oven,1\n' * 20 + 'z",1\nx\n'
    whole = read(tmp_path / "whole", content)
    monkeypatch.setattr(tolerant, "_LINES_AT_A_TIME", 7)
    assert read(tmp_path / "parts", content).rejected == whole.rejected
    assert len(whole.rejected) > 35


@pytest.mark.parametrize("line", ['a","b', 'x","', 'x","' + "x" * 40_000 + "\nx" * 20_000])
def test_quotes_that_open_again_where_they_close(tmp_path: Path, line: str) -> None:
    """Each line may belong to a quote opened in any of those before it; looked at once for each, it takes hours."""
    content = HEADER + hourly_rows("2026-01-01", hours=3) + f"{line}\n" * (200_000 // len(line))
    began = time.process_time()
    found = read(tmp_path, content)
    assert time.process_time() - began < 10
    assert found.verdict.rows_accepted == 3
    assert [number for number, *_ in found.rejected] == list(range(5, content.count("\n") + 1))


def test_bytes_that_are_no_text_take_no_time(tmp_path: Path) -> None:
    began = time.process_time()
    found = read(tmp_path, (HEADER + ROWS).encode() + (b"\xff" * 799 + b"\n") * 20_000)
    assert time.process_time() - began < 10
    assert found.verdict.rejected_by_reason == {"wrong number of fields": 20_000}


@pytest.mark.parametrize("field", ['"' * 99_000, '""' * 40_000 + "x", '"""' * 30_000, ",".join(['"a""b"'] * 10_000)])
def test_heaps_of_quotes(tmp_path: Path, field: str) -> None:
    found = read(tmp_path, f"{HEADER}2026-01-01 00:00:00,{field},0.5\n2026-01-01 01:00:00,A,1\n" * 20)
    assert ("2026-01-01 01:00:00", "A", 1.0) in found.accepted


def test_too_many_columns(tmp_path: Path) -> None:
    with pytest.raises(UnusableUploadError, match=f"has 150,003 columns, and at most {MOST_COLUMNS:,} are read"):
        read(tmp_path, HEADER.strip() + ",c" * 150_000 + "\n" + "1" + "," * 150_002)


@pytest.mark.parametrize("fields", ["," * 90_000, "," * 11_000, ",x" * 9_000])
def test_too_many_fields(tmp_path: Path, fields: str) -> None:
    """The engine takes 2,048 rows at a time: with 16 bytes a field, 3 GB of these."""
    lines = 40_000_000 // len(fields)
    (tmp_path / "a.csv").write_text(HEADER + ROWS + f"x{fields}\n" * lines)
    peak, said = peak_mb("run", "a.csv", folder=tmp_path, variables={})
    assert said.strip() == ""
    assert peak < 450
    (record,) = runs(LocalLake(tmp_path / "lake"))
    assert record["intake"]["rejected_by_reason"] == {"wrong number of fields": lines}


@pytest.mark.slow
@pytest.mark.parametrize("size", [20_000, 95_000])
def test_lines_of_tens_of_thousands_of_bytes_are_read_within_the_memory(tmp_path: Path, size: int) -> None:
    """The engine writes and reads thousands of rows at once: it had 256 MB, and 120 MB of these were too much."""
    lines = 120_000_000 // size
    with (tmp_path / "a.csv").open("w") as file:
        file.write("timestamp,appliance,kwh,comment\n")
        for number in range(lines):
            at = datetime(2026, 1, 1) + timedelta(hours=number)
            file.write(f"{at},Oven,{'oops' if number % 2 else 1},{'x' * size}\n")
    peak, said = peak_mb("run", "a.csv", folder=tmp_path, variables={})
    assert said.strip() == ""
    assert peak < 450
    (record,) = runs(LocalLake(tmp_path / "lake"))
    assert record["intake"]["rows_accepted"] == (lines + 1) // 2
    assert record["intake"]["rejected_by_reason"] == {"unreadable number": lines // 2}


@pytest.mark.parametrize("quote", ["", '"'])
def test_of_a_long_line_all_is_read_that_counts(tmp_path: Path, quote: str) -> None:
    long = "x" * 60_000
    content = (
        "note,timestamp,appliance,kwh\n"
        f"{long},2026-01-01 00:00:00,{quote}{long[:20_000]}{quote},1\n"
        f"{long},{' ' * 9_000}2026-01-01 01:00:00,Oven,{' ' * 9_000}2\n"
        f"{long},2026-01-01 02:00:00,Oven,3,{' ' * 9_000}\n"
        f"{long},2026-01-01 03:00:00,Oven,4,{' ' * 9_000}y\n"
        f"{long},{long[:9_000]},Oven,5\n"
        f"{long},2026-01-01 05:00:00,Oven,{long[:9_000]}\n"
    )
    found = read(tmp_path, content)
    assert found.accepted == [
        ("2026-01-01 00:00:00", long[:20_000], 1.0),
        ("2026-01-01 01:00:00", "Oven", 2.0),
        ("2026-01-01 02:00:00", "Oven", 3.0),
    ]
    assert found.reasons == [
        (5, "wrong number of fields"),
        (6, "unreadable timestamp"),
        (7, "unreadable number"),
    ]


@pytest.mark.slow
def test_blank_lines_without_end(tmp_path: Path) -> None:
    """The engine's fast reader gives up at a buffer of nothing else, with an error of its own."""
    found = read(tmp_path, HEADER + ROWS + "\n" * 70_000_000 + "2026-02-01 00:00:00,Oven,1\n")
    assert (found.verdict.rows_accepted, found.verdict.rejected_by_reason) == (49, {})


def test_too_many_appliances(tmp_path: Path) -> None:
    rows = "".join(f"2026-01-01,meter {number},1\n" for number in range(MOST_APPLIANCES + 1))
    message = f"names {MOST_APPLIANCES + 1:,} appliances, and at most {MOST_APPLIANCES:,} are read"
    with pytest.raises(UnusableUploadError, match=message):
        read(tmp_path / "clean", HEADER + rows)
    with pytest.raises(UnusableUploadError, match=message):
        read(tmp_path / "careful", HEADER + rows + "oops\n")


def test_two_readings_a_century_apart_are_not_spread_over_it(tmp_path: Path) -> None:
    """The time between them was taken for their step: 5 kB of such rows took an hour, and 5 GB of disk."""
    rows = "".join(f"{day},meter {number},1\n" for number in range(5) for day in ("1970-01-01", "2100-12-31"))
    began = time.process_time()
    record = run_key(tmp_path, drop(tmp_path, "raw/a.csv", rows))
    assert time.process_time() - began < 10
    assert record["results"]["total_kwh"] == 10
    assert {one["step_minutes"] for one in record["results"]["appliances"]} == {None}


def test_a_clock_that_was_set_wrong_takes_no_time(tmp_path: Path) -> None:
    """Each appliance was looked at hour by hour, from its first reading to its last: four seconds for a century."""
    rows = "".join(
        f"{day},meter {number},1\n" for number in range(10) for day in ("1970-01-01 00:00:00", "2100-12-31 00:00:00")
    ) + "".join(hourly_rows("2026-01-01", hours=240, appliance=f"meter {number}") for number in range(10))
    began = time.process_time()
    record = run_key(tmp_path, drop(tmp_path, "raw/a.csv", rows))
    assert time.process_time() - began < 15
    assert record["results"]["total_kwh"] == 10 * 242


def test_readings_with_hardly_any_between_them_take_no_time(tmp_path: Path) -> None:
    days = [date(1970, 1, 1) + timedelta(days=364 * number) for number in range(131)]
    rows = "".join(f"{day} {hour}:00:00,meter {n},1\n" for n in range(10) for day in days for hour in ("00", "01"))
    began = time.process_time()
    record = run_key(tmp_path, drop(tmp_path, "raw/a.csv", rows))
    assert time.process_time() - began < 15
    assert record["results"]["total_kwh"] == 2620


def test_a_bomb_in_the_lake_does_not_hinder_questions(tmp_path: Path) -> None:
    raw = tmp_path / "lake" / "raw"
    raw.mkdir(parents=True)
    bomb(raw / "bomb.csv.gz", HEADER, mb=20)
    (raw / "a.csv").write_text(HEADER + ROWS)
    asked = energy(
        "query", "SELECT sum(kwh) AS kwh FROM raw_energy_data", "--format", "csv", folder=tmp_path, variables=ONE_MB
    )
    assert asked.stdout == "kwh\n48.0\n", asked.stderr


TARIFF = 'name = "x"\ncurrency = "EUR"\nsource = "s"\n[[version]]\nprice_per_kwh = '


@pytest.mark.parametrize("price", ["1e999999999", "0e999999999", "1e-999999999", "9" * 400, "0." + "3" * 100_000])
def test_a_price_that_nothing_can_be_worked_out_of_is_refused(price: str) -> None:
    with pytest.raises(TariffFileError, match="price_per_kwh has more than 15 digits before the point"):
        parse_tariff(TARIFF + price, origin="a.toml")


@pytest.mark.parametrize("value", ["[" * 5000, "9" * 6000, "{a=" * 5000])
def test_a_tariff_that_toml_cannot_hold_is_refused(value: str) -> None:
    with pytest.raises(TariffFileError, match=r"The tariff file a\.toml is not valid TOML: "):
        parse_tariff(TARIFF + value, origin="a.toml")


@pytest.mark.parametrize(
    "key",
    [
        "a." * 20_000 + "a = 1",
        "a . " * 5000 + "a = 1",
        '"b c".' * 5000 + "a = 1",
        "[" + "'b'.a." * 5000 + "a]",
        "x = {" + "a." * 9000 + "a = 1}",
    ],
)
def test_a_key_of_thousands_of_parts_is_refused_before_it_is_read(key: str) -> None:
    began = time.process_time()
    with pytest.raises(TariffFileError, match=r"The tariff file a\.toml has a key of more than 64 parts"):
        parse_tariff(f"{TARIFF}1\n{key}\n", origin="a.toml")
    assert time.process_time() - began < 1


@pytest.mark.parametrize("text", ["a" * 900_000, '"' * 900_000, "'a " * 300_000, "a.b " * 200_000, "a . " * 30])
def test_to_look_for_such_keys_takes_no_time(text: str) -> None:
    began = time.process_time()
    with pytest.raises(TariffFileError, match=r"The tariff file a\.toml is not valid TOML: "):
        parse_tariff(text, origin="a.toml")
    assert time.process_time() - began < 2


def test_a_tariff_file_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("#" * 1_000_001)
    with pytest.raises(TariffFileError, match=r"a\.toml is larger than 1 MB"):
        read_tariff(tmp_path / "a.toml")
    with pytest.raises(TariffFileError, match="/dev/zero is larger than 1 MB"):
        read_tariff(Path("/dev/zero"))


def test_settings_nested_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "energy.toml").write_text("sites = " + "[" * 5000)
    with pytest.raises(SettingsError, match=r"energy\.toml cannot be read"):
        load_settings(tmp_path / "energy.toml")


@pytest.mark.parametrize(
    "row",
    [
        b"2026-01-02,1 \xe9",
        b"2026-01-02,1," + b"y" * 200_000,
        b'"' + b"y\n" * 100_000,
        b"2026-01-01,1e308\n2026-01-01,1e308",
        b"2026-01-02,nan",
    ],
)
def test_what_is_given_beside_the_readings_is_refused_in_a_sentence(tmp_path: Path, row: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(b"timestamp,temperature_c\n" + row + b"\n")
    with pytest.raises(WeatherError, match=r"a\.csv"):
        read_temperatures(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes(b"timestamp,g_per_kwh\n" + row + b"\n")
    with pytest.raises(CarbonError, match=r"b\.csv"):
        read_carbon(tmp_path / "b.csv", timezone=None)


def test_an_instant_before_the_first_year_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("timestamp,g_per_kwh\n0001-01-01T00:00:00+14:00,1\n")
    with pytest.raises(CarbonError, match="line 2, cannot be read"):
        read_carbon(tmp_path / "a.csv", timezone="America/New_York")
