"""Every kind of bad input: what is taken, what is refused, at which line and why."""

import bz2
import codecs
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest
from intake_reading import HEADER, read

from energy_analytics.intake import UnusableUploadError

MIDNIGHT = "2026-02-20 00:00:00,Fridge,0.5\n"
ONE = "2026-02-20 01:00:00,Fridge,0.25\n"
BAD = "oops,Fridge,1\n"
TWO_GOOD = [("2026-02-20 00:00:00", "Fridge", 0.5), ("2026-02-20 01:00:00", "Fridge", 0.25)]


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def in_tar(content: str, kind: int) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=kind) as file:
        member = tarfile.TarInfo("../../meter.csv")
        member.size = len(content)
        file.addfile(member, io.BytesIO(content.encode()))
    return archive.getvalue()


@pytest.mark.parametrize(
    ("content", "bad_lines"),
    [
        (HEADER + MIDNIGHT + ONE, []),
        (HEADER + MIDNIGHT + BAD + ONE, [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).replace("\n", "\r\n"), [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).replace("\n", "\r"), [3]),
        (HEADER + MIDNIGHT.replace("\n", "\r\n") + BAD + ONE.replace("\n", "\r") + BAD, [3, 5]),
        ("\n \n" + HEADER + "\n" + MIDNIGHT + "\n,,\n" + BAD + ONE, [8]),
        (codecs.BOM_UTF8 + (HEADER + MIDNIGHT + BAD + ONE).encode(), [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).encode("utf-16"), [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).encode("utf-16-le"), [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).encode("utf-16-be"), [3]),
        (codecs.BOM_UTF16_BE + (HEADER + MIDNIGHT + BAD + ONE).encode("utf-16-be"), [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).encode("utf-32"), [3]),
        (packed((HEADER + MIDNIGHT + BAD + ONE).encode()), [3]),
        ("sep=;\n" + (HEADER + MIDNIGHT + BAD + ONE).replace(",", ";"), [4]),
        ((HEADER + MIDNIGHT + BAD + ONE).replace(",", "\t"), [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).replace(",", "|"), [3]),
        ((HEADER + MIDNIGHT + BAD + ONE).replace("\n", ",\n"), [3]),
        (HEADER.replace("\n", ",,\n") + MIDNIGHT + BAD + ONE, [3]),
        (HEADER + MIDNIGHT.replace("\n", ",\n") + BAD + ONE.replace("\n", ",,\n"), [3]),
        ('"kWh", Appliance ,n,TIMESTAMP\n0.5,Fridge,1,2026-02-20\nx,F,,2026-02-20\n0.25,Fridge,,2026-02-20 01:00', [3]),
    ],
)  # fmt: skip
def test_the_same_two_readings_however_the_file_is_written(
    tmp_path: Path, content: str | bytes, bad_lines: list[int]
) -> None:
    result = read(tmp_path, content)
    assert result.accepted == TWO_GOOD
    assert [line for line, _ in result.reasons] == bad_lines


@pytest.mark.parametrize("name", ["energy [1]*.csv", "A'b.CSV", "plain.csv.gz", "what?.csv"])
def test_names_of_files_that_mean_something_to_an_engine(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, HEADER + MIDNIGHT + ONE, name=name).accepted == TWO_GOOD
    assert read(tmp_path, HEADER + MIDNIGHT + BAD + ONE, name=name).accepted == TWO_GOOD


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-02-20 02:00:00,Fridge", "wrong number of fields"),
        ("2026-02-20 02:00:00,Fridge,1,2", "wrong number of fields"),
        (",Fridge,1", "no timestamp"),
        ("2026-02-20 02:00:00,,1", "no appliance"),
        ("2026-02-20 02:00:00,\u00a0 ,1", "no appliance"),
        ("2026-02-20 02:00:00,Fridge,", "no kWh value"),
        ("2026-02-20 02:00:00,Fri\0dge,1", "null byte in the appliance"),
        ("timestamp,appliance,kwh", "unreadable timestamp"),
        ("2026-02-30,Fridge,1", "unreadable timestamp"),
        ("2026-02-20 25:00,Fridge,1", "unreadable timestamp"),
        ("2026-02-20 13:00 PM,Fridge,1", "unreadable timestamp"),
        ("2026-02-20 00:00+99:99,Fridge,1", "unreadable timestamp"),
        ("1771545600,Fridge,1", "unreadable timestamp"),
        ("now,Fridge,1", "unreadable timestamp"),
        ("1969-12-31 23:00:00,Fridge,1", "timestamp outside 1970 to 2100"),
        ("2101-01-01,Fridge,1", "timestamp outside 1970 to 2100"),
        ("03/04/2026,Fridge,1", "day and month cannot be told apart"),
        ("2026-02-20 02:00:00,Fridge,NaN", "not a finite number"),
        ("2026-02-20 02:00:00,Fridge,-inf", "not a finite number"),
        ("2026-02-20 02:00:00,Fridge,-0.001", "negative kWh"),
        ("2026-02-20 02:00:00,Fridge,1e300", "absurdly large kWh"),
        ("2026-02-20 02:00:00,Fridge,0x10", "unreadable number"),
        ("2026-02-20 02:00:00,Fridge,5 kWh", "unreadable number"),
        ('2026-02-20 02:00:00,"Fridge,1', "a quote is opened and never closed"),
        ('2026-02-20 02:00:00,"Fri"dge,1', "a quote is opened and never closed"),
        ("x" * 3_000_000, "longer than 100,000 bytes"),
        ('2026-02-20 02:00:00,"' + "é" * 60_000 + '",1', "longer than 100,000 bytes"),
        ("2026-02-20 00:00:00,Fridge,0.50", "duplicate of line 4"),
        ("2026-02-20 00:00:00,Fridge,0.75", "replaced by a later line: line 4"),
    ],
)
def test_a_bad_row_between_good_ones_is_kept_with_its_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    result = read(tmp_path, HEADER + ONE + row + "\n" + MIDNIGHT)
    assert result.accepted == TWO_GOOD
    assert result.reasons == [(3, reason)]
    assert result.rejected[0][1] == row or result.rejected[0][1] == row[:1000] + "…"


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-02-20T13:30", "2026-02-20 13:30:00"),
        ("2026-02-20 13:30:00.5", "2026-02-20 13:30:00.500000"),
        ("2026-02-20 24:00", "2026-02-21 00:00:00"),
        ("2026-02-20 12:30 AM", "2026-02-20 00:30:00"),
        ("20/2/2026 1:30 p.m.", "2026-02-20 13:30:00"),
        ("2/20/2026 12:30 PM", "2026-02-20 12:30:00"),
        ("20.02.2026 13:30", "2026-02-20 13:30:00"),
        ("05/05/2026", "2026-05-05 00:00:00"),
        ("20-Feb-2026 13:30", "2026-02-20 13:30:00"),
        ("2026-02-20T13:30:00Z", "2026-02-20 13:30:00"),
        ("2026-02-20T13:30:00.250+05:45", "2026-02-20 07:45:00.250000"),
        ("2026-02-20 13:30-0330", "2026-02-20 17:00:00"),
        ("1970-01-01", "1970-01-01 00:00:00"),
        ("2100-12-31 23:59:59", "2100-12-31 23:59:59"),
    ],
)
def test_a_time_that_can_mean_one_thing_only(tmp_path: Path, time: str, expected: str) -> None:
    assert read(tmp_path, f"{HEADER}{time},Fridge,1\n").accepted == [(expected, "Fridge", 1.0)]


@pytest.mark.parametrize(
    ("numbers", "decimal", "expected"),
    [
        (["0,156", "1,156"], None, [0.156, 1.156]),
        (["1,5", "2,345", "1.234,5"], None, [1.5, 2.345, 1234.5]),
        (["1,234.5", "2,345"], None, [1234.5, 2345.0]),
        (["1,156", "2,156"], ",", [1.156, 2.156]),
        (["1,156", "2,156"], ".", [1156.0, 2156.0]),
        (["1.234", "2.345"], None, [1.234, 2.345]),
        (["1.234", "2.345"], ",", [1234.0, 2345.0]),
        (["0.5", "1.234"], ",", [0.5, 1.234]),
        (["2,5", "2.5", "1,156"], None, [2.5, 2.5, "decimal comma or thousands separator cannot be told apart"]),
        (["2,5", "1.234"], None, [2.5, "decimal comma or thousands separator cannot be told apart"]),
        (["-0.0", "+5", ".5", "1e-3", " 7 ", "1_000"], None, [0.0, 5.0, 0.5, 0.001, 7.0, 1000.0]),
    ],
)
def test_decimal_signs(tmp_path: Path, numbers: list[str], decimal: str | None, expected: list[float | str]) -> None:
    rows = "".join(f"2026-02-20 {hour:02}:00:00;F;{number}\n" for hour, number in enumerate(numbers))
    result = read(tmp_path, "timestamp;appliance;kwh\n" + rows, decimal=decimal)
    assert [kwh for *_, kwh in result.accepted] == [one for one in expected if isinstance(one, float)]
    assert result.reasons == [(line, one) for line, one in enumerate(expected, start=2) if isinstance(one, str)]


@pytest.mark.parametrize("row", ["01/02/2026,F,1\n", "1,156\n"])
def test_what_is_ambiguous_is_refused_with_the_setting_that_resolves_it(tmp_path: Path, row: str) -> None:
    semicolons = "timestamp;appliance;kwh\n2026-02-20;F;"
    dates = row.startswith("01/02")
    with pytest.raises(UnusableUploadError, match="ENERGY_DATE_ORDER" if dates else "ENERGY_DECIMAL"):
        read(tmp_path, (HEADER if dates else semicolons) + row)


def test_one_row_that_leaves_no_doubt_tells_the_order_of_the_others(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "01/02/2026,F,1\n13/02/2026,F,2\n").accepted[0][0] == "2026-02-01 00:00:00"
    assert read(tmp_path, HEADER + "01/02/2026,F,1\n02/13/2026,F,2\n").accepted[0][0] == "2026-01-02 00:00:00"
    assert read(tmp_path, HEADER + "01/02/2026,F,1\n", date_order="MDY").accepted[0][0] == "2026-01-02 00:00:00"
    both = read(tmp_path, HEADER + "01/02/2026,F,1\n13/02/2026,F,2\n02/14/2026,F,3\n")
    assert both.reasons == [(2, "day and month cannot be told apart")]


NAMES = [
    "a,b",
    'say "hi"',
    "two\nlines",
    "=cmd()",
    "😀",
    "x" * 10_000,
    ('y"\n' * 3000) + "z",
    "5 apples",
    "'; --",
    "NULL",
]


@pytest.mark.parametrize("bad", ["", BAD])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_names_arrive_as_they_are(tmp_path: Path, bad: str, delimiter: str) -> None:
    rows = "".join('2026-02-20 00:00:00,"{}",1\n'.format(name.replace('"', '""')) for name in NAMES)
    content = (HEADER + rows + bad).replace(",", delimiter)
    result = read(tmp_path, content)
    assert [name for _, name, _ in result.accepted] == sorted(name.replace(",", delimiter) for name in NAMES)
    assert result.reasons == ([(content.count("\n"), "unreadable timestamp")] if bad else [])


def test_a_carriage_return_within_a_name_is_a_line_feed_in_both_readings(tmp_path: Path) -> None:
    content = (HEADER + '2026-02-20 00:00:00,"a\nb",1\n').replace("\n", "\r\n")
    assert read(tmp_path, content).accepted == read(tmp_path, content + BAD).accepted


def test_white_space_around_a_name_is_no_part_of_it(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + "2026-02-20 00:00:00,  \u00a0Fridge ,1\n2026-02-20 01:00:00,Fridge,1\n")
    assert {name for _, name, _ in result.accepted} == {"Fridge"}


def test_stray_quotes_in_every_row_take_no_longer_than_rows(tmp_path: Path) -> None:
    rows = "".join(f'2026-02-20 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},"Fridge,1\n' for n in range(50_000))
    result = read(tmp_path, HEADER + MIDNIGHT + rows)
    assert result.verdict.rejected_by_reason == {"a quote is opened and never closed": 50_000}


def test_bytes_that_are_not_utf_8_leave_the_utf_8_around_them_alone(tmp_path: Path) -> None:
    many = "".join(f"2026-02-20 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},Küche,1\n" for n in range(40_000))
    content = (HEADER + many).encode() + "2026-02-20 00:00:00,Büro,1\n".encode("cp1252")
    result = read(tmp_path, content)
    assert result.verdict.encoding == "Windows-1252"
    assert {name for _, name, _ in result.accepted} == {"Küche", "Büro"}


def test_a_counter_that_overflows_is_absurd_beside_the_other_readings(tmp_path: Path) -> None:
    rows = "".join(f"2026-02-20 {hour:02}:00:00,F,0.1\n" for hour in range(12))
    result = read(tmp_path, HEADER + rows + "2026-02-20 12:00:00,F,65535\n")
    assert result.reasons == [(14, "absurdly large kWh beside the other readings of the appliance")]


@pytest.mark.parametrize(("decimal", "expected"), [(",", [1270.0, 900.0]), (".", [1.27, 900.0])])
def test_points_that_may_separate_thousands_are_read_as_the_setting_says(
    tmp_path: Path, decimal: str, expected: list[float]
) -> None:
    result = read(tmp_path, HEADER + "2026-02-20,A,1.270\n2026-02-21,A,900\n", decimal=decimal)
    assert [kwh for _, _, kwh in result.accepted] == expected


def test_decimals_that_end_where_they_end_are_no_thousands(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + "2026-02-20,A,1.275\n2026-02-21,A,900\n2026-02-22,A,1.27\n")
    assert [kwh for _, _, kwh in result.accepted] == [1.275, 900.0, 1.27]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("1767571200,A,1", "seconds since 1970 are not read"),
        ("05.01.26,A,1", "with all four digits of the year"),
        ("2026-01-05,A,127 Wh", "kwh is a number alone, without unit"),
        ("2026-01-05,A,0,127", "a number with a decimal comma stands in quotes"),
        ("2026-01-05,A,-1", "name that in export_appliances in energy.toml"),
    ],
)
def test_a_file_whose_every_row_is_refused_is_told_how_they_are_written(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(UnusableUploadError, match=told):
        read(tmp_path, HEADER + f"{row}\n" * 3)


def test_of_many_lines_for_an_interval_the_last_one_is_kept(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + MIDNIGHT + ONE + "2026-02-20T00:00,Fridge,0.7\n" + MIDNIGHT)
    assert result.accepted == TWO_GOOD
    assert result.reasons == [(2, "duplicate of line 5"), (4, "replaced by a later line: line 5")]


def test_two_thousand_appliances_and_four_steps_in_one_file(tmp_path: Path) -> None:
    rows = [f"2026-02-20 0{hour}:00:00,Meter {n},0.1" for n in range(2000) for hour in range(2)]
    rows += [f"2026-02-20 00:{minute:02}:00,Minute,0.1" for minute in range(60)]
    rows += [f"2026-02-20 00:{minute:02}:00,Quarter,0.1" for minute in range(0, 60, 15)]
    rows += [f"2026-02-{day},Day,0.1" for day in range(10, 20)]
    assert len(read(tmp_path, HEADER + "\n".join(rows)).accepted) == 4000 + 60 + 4 + 10


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        (" \r\n\t\n", "is empty"),
        (",,\n,,\n", "no text but delimiters"),
        (HEADER, "header in line 1 but no rows"),
        (MIDNIGHT + ONE, "has no header: line 1"),
        ("time,device,energy\n1,2,3\n", "Rename time to timestamp, device to appliance and energy to kwh, if that is"),
        ("Date;Time;meter;kwh\n1;2;3;4\n", "Join Date and Time in one column timestamp: 2026-02-20 00:00:00. Rename"),
        ("date;meter;value\n1;2;3\n", "Rename date to timestamp, meter to appliance and value to kwh, if that is"),
        (
            "Datum;Gerät;Verbrauch (kWh)\n1;2;3\n".encode("cp1252"),
            "Rename Datum to timestamp, Gerät to appliance and V",
        ),
        ("timestamp,kwh\n1,2\n", "appliance is missing. Where all is of one meter, add a column appliance"),
        ("timestamp,Oven,Hob\n1,2,3\n", "If each of Oven, Hob is an appliance, write a row for each of its readings."),
        ("Name,Jo\n\nTYPE,DATE,START TIME,USAGE\n1,2,3,4\n", "columns in line 3. Remove what is above it. It has"),
        ("Name,Jo\n\nTYPE,DATE,START TIME,USAGE\n1,2,3,4\n", "Join DATE and START TIME in one column timestamp: 2026-"),
        ("PRM;Unite\n1;W\nHorodate;Valeur\n1;2\n", "A line above it says W: kwh is the mean power in W, divided by"),
        ("Datum/Uhrzeit;Verbrauchswert;Verbrauch in Euro\n1;2;3\n", "Datum/Uhrzeit to timestamp and Verbrauchswert to"),
        ("timestamp,appliance,cost,unit\n1,2,3,kWh\n", "cost, unit; kwh is missing. Expected are"),
        ("time,Import kWh,Export kWh\n1,2,3\n", "Write a row for each of Import kWh and Export kWh, with its name as"),
        ("Datum;Zähler;Wert (kW)\n1;2;3\n", "Wert (kW) looks like power: kwh is the mean power in kW times the"),
        ("entity_id,state,last_changed\n1,2,3\n", "state looks like the reading of a counter: kwh is its difference"),
        ("MPAN,Date,00:00,00:30\n1,2,3,4\n", "Where there is a column for each time, write a row for each reading."),
        ("timestamp,appliance,kwh,unit\n2026-02-20,Oven,156,Wh\n", "its column unit says Wh: divide by 1,000 for kwh"),
        ("Fridge;2026-02-20 00:00:00;0.5\n", "has no header: line 1"),
        (HEADER + "2026-02-20,A,1.270\n2026-02-21,A,900\n", "1.270 beside 900: decimal comma or thousands separator"),
        ("timestamp,appliance,Wh\n1,2,3\n", "kwh is missing. Wh looks like watt-hours: divide by 1,000 for kwh."),
        ("timestamp,appliance,power_kw\n1,2,3\n", "power_kw looks like power: kwh is the mean power in kW times"),
        ("Export of\nMeter 7\n\n" + HEADER + MIDNIGHT + ONE, "names its columns in line 4. Remove what is above"),
        ("<?xml version='1.0'?>\n<feed/>\n", "is an XML document, such as Green Button"),
        ('{"readings": []}', "is JSON: write the readings as CSV"),
        ("timestamp,appliance,kwh,kWh\n1,2,3,4\n", "the column kwh 2 times"),
        ("x" * 3_000_000, "timestamp, appliance and kwh are missing. Expected"),
        (HEADER + BAD, "The only row of upload.csv cannot be used: unreadable timestamp (1); first line 2: oops"),
        (bytes(range(256)) * 9, "is a binary file"),
        (b"PK\x03\x04 and so on", "Excel workbook"),
        (b"PAR1 and so on", "a Parquet file"),
        (in_tar(HEADER + MIDNIGHT, tarfile.GNU_FORMAT), "is an archive: unpack it"),
        (in_tar(HEADER + MIDNIGHT, tarfile.PAX_FORMAT), "is an archive: unpack it"),
        (packed(in_tar(HEADER + MIDNIGHT, tarfile.PAX_FORMAT)), "is an archive: unpack it"),
        (
            lzma.compress((HEADER + MIDNIGHT).encode()),
            "is packed in a way that is not read: unpack it, or pack it with",
        ),
        (bz2.compress((HEADER + MIDNIGHT).encode()), "is packed in a way that is not read"),
        (b"\x28\xb5\x2f\xfd and so on", "is packed in a way that is not read"),
        (b"Rar!\x1a\x07\x01\x00", "is an archive: unpack it, and give its files"),
        (packed((HEADER + MIDNIGHT).encode())[:-9], "is cut off"),
        (packed((HEADER + MIDNIGHT).encode())[:-6] + b"123456", "is damaged"),
        (packed((HEADER + MIDNIGHT).encode()) + b"more", "is damaged"),
        (packed(packed((HEADER + MIDNIGHT).encode())), "is a binary file"),
        (HEADER.encode("utf-16") + b"x", "begins as UTF-16 text but cannot be decoded"),
    ],
)
def test_a_file_without_a_usable_row_fails_with_one_sentence(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(UnusableUploadError) as raised:
        read(tmp_path, content)
    message = str(raised.value)
    assert sentence in message
    assert message.startswith(("upload.csv", "The only row of upload.csv"))
    assert "\n" not in message and len(message) < 500
