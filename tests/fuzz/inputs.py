"""Uploads as chance makes them: readings in all the shapes people write, mixed with what is none, then damaged."""

import gzip
from typing import Final

from hypothesis import strategies as st

_TIMES: Final = [
    "2026-02-20 00:00:00",
    "2026-02-20 01:00:00",
    "2026-02-20T02:00",
    "2026-02-20",
    "2026-03-29 02:30",
    "2026-10-25 02:30",
    "20.02.2026 03:00",
    "02/20/2026 4:00 PM",
    "03/04/2026",
    "20-Feb-2026 05:00",
    "February 20, 2026",
    "2026-02-20T06:00:00Z",
    "2026-02-20 07:00+01:00",
    "2026-02-20 08:00:00.25",
    "2026/2/20 9:05",
    "1969-12-31 23:59",
    "2101-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-02-20 24:00",
    "2026-02-20 00:00:60",
    "now",
    "infinity",
    "epoch",
    "294247-01-10",
    "-4713-01-01",
    "2026-02-20 00:00:00 UTC",
    "2026-02-20 00:00:00 BC",
    "",
    " 2026-02-20 10:00 ",
    "2026-02-20\t11:00",
]
_NUMBERS: Final = [
    "0",
    "0.5",
    "1.234",
    "1,234",
    "1.234,5",
    "1,234.5",
    "1e3",
    "1e999",
    "-0",
    "-1",
    "nan",
    "inf",
    "-inf",
    "+1",
    ".5",
    "5.",
    "0x10",
    "1_000",
    "1e-400",
    "4.9e-324",
    "999999999",
    "1000000000",
    "1e9",
    "1e10",
    "1 000",
    "1'000",
    "",
    " 2 ",
    "2kWh",
    "0,5",
    "1.000.000",
    "1,000,000",
    "١٢",
    "00000000000000000000001",
    "1" * 400,
    "1e",
    "--1",
    "1-",
    "true",
]
_NAMES: Final = [
    "Fridge",
    "Oven",
    "Fridge ",
    " Fridge",
    "Kühlschrank",
    "=1+1",
    "+A",
    "-A",
    "@A",
    "\t=A",
    "a\0b",
    "\x1b[31mred",
    "🏠",
    "\u202eevil",
    "a\u00a0",
    "\u00a0",
    "'",
    "';--",
    "%s%n",
    "{x}",
    "$(x)",
    "../../etc",
    "NULL",
    "null",
    "nan",
    "",
    " ",
    "\x1c\x1d\x1e",
    "\x1f",
    "\x85",
    "\u2028",
    "\ufeff",
    "x" * 300,
    "a\x0bb",
    "\\N",
    "\\",
    "#",
    "sep=;",
]
_HEADERS: Final = [
    ["timestamp", "appliance", "kwh"],
    ["kwh", "timestamp", "appliance"],
    ["timestamp", "appliance", "kwh", "note"],
    ["Timestamp", " appliance", "kWh "],
    ["timestamp", "appliance", "kwh", ""],
    ["timestamp", "appliance", "kwh", "", ""],
    ["id", "appliance", "x", "kwh", "timestamp"],
    ["timestamp", "appliance"],
    ["timestamp", "appliance", "kwh", "kwh"],
    ["a", "b", "c"],
    ["2026-02-20", "Fridge", "1"],
    [],
]
_ENCODINGS: Final = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
_PIECES: Final = [
    b'"',
    b'""',
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"\x1f\x8b",
    b"\x1a",
    b"sep=;\n",
    b"\x1d",
    b"\x1e",
    b"\x1f",
    b'"\n"',
    b'",',
    b',"',
    b'"""',
    b"\\",
    b"PAR1",
    b" ",
    b"\xc2\xa0",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"'",
    b"-",
    b".",
    b"0",
    b"9" * 30,
    b"x" * 2000,
]

_times = st.one_of(
    st.builds(
        "2026-{:02}-{:02} {:02}:{:02}:00".format,
        st.integers(1, 12),
        st.integers(1, 28),
        st.integers(0, 23),
        st.sampled_from([0, 15, 30]),
    ),
    st.builds("2026-02-20 {:02}:00:00".format, st.integers(0, 23)),
    st.sampled_from(_TIMES),
)
_numbers = st.one_of(st.builds("{:.3f}".format, st.floats(0, 900)), st.floats().map(repr), st.sampled_from(_NUMBERS))
_names = st.one_of(st.sampled_from(["Fridge", "Oven", "Pump"]), st.sampled_from(_NAMES), st.text(max_size=8))
_plain_rows = st.lists(
    st.tuples(st.integers(0, 3000), st.sampled_from(["Fridge", "Oven", "Pump 2"]), st.floats(0, 5)),
    min_size=1,
    max_size=30,
).map(
    lambda rows: [
        [f"2026-02-{1 + n // 1440:02} {n // 60 % 24:02}:{n % 60:02}:00", name, f"{kwh:.3f}"] for n, name, kwh in rows
    ]
)


def _field(text: str, delimiter: str, *, quoted: bool) -> str:
    return '"' + text.replace('"', '""') + '"' if quoted or any(one in text for one in (delimiter, "\n", '"')) else text


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw the text of an upload."""
    header = draw(st.sampled_from(_HEADERS[:1] * 40 + _HEADERS[1:5] * 5 + _HEADERS))
    delimiter = draw(st.sampled_from(",,,,,;\t|"))
    newline = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    quoted = draw(st.sampled_from([False, False, False, True]))
    careful = draw(st.booleans())
    rows = draw(_plain_rows) if header[:3] == _HEADERS[0] else []
    if careful:
        rows = rows + draw(st.lists(st.tuples(_times, _names, _numbers).map(list), max_size=8))
        rows = draw(st.permutations(rows)) if len(rows) <= 12 else rows
    lines = []
    for row in [header, *rows]:
        fields = list(row)
        if careful and draw(st.integers(0, 15)) == 0:
            fields = draw(st.sampled_from([fields[:-1], [*fields, ""], [*fields, "more"], [], ["", "", ""]]))
        raw = careful and draw(st.integers(0, 9)) == 0
        lines.append(delimiter.join(one if raw else _field(one, delimiter, quoted=quoted) for one in fields))
    start = draw(st.sampled_from([""] * 8 + ["\n", "sep=;\n", f"sep={delimiter}\n", "\ufeff", " \n,,\n"]))
    return start + newline.join(lines) + draw(st.sampled_from([newline, "", newline * 3]))


@st.composite
def uploads(draw: st.DrawFn) -> bytes:
    """Draw the bytes of an upload: text in some encoding, with pieces put in, taken out or doubled, packed or not."""
    encoding = draw(st.sampled_from(_ENCODINGS[:1] * 12 + _ENCODINGS))
    content = draw(texts()).encode(encoding, errors="replace")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3, 6]))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.sampled_from([0, 1, 1, 2, 5, 40])))
        piece = draw(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=3), st.just(content[at:end] * 2)))
        content = content[:at] + piece + content[end:]
    if draw(st.integers(0, 19)) == 0:
        content = gzip.compress(content, compresslevel=1, mtime=0)
        if draw(st.booleans()) and content:
            at = draw(st.integers(0, len(content) - 1))
            content = content[:at] + draw(st.sampled_from([b"", b"\0", b"\xff\xff"])) + content[at + 1 :]
    return content


@st.composite
def names_of_files(draw: st.DrawFn) -> str:
    """Draw a file's name that a disk takes."""
    name = draw(
        st.one_of(
            st.sampled_from([*_NAMES, "a.csv", "b.CSV.gz", "c.tsv", ".hidden.csv", "_x.csv", "a*?[1].csv"]),
            st.text(max_size=12),
        )
    )
    kept = "".join(one for one in name if one not in "/\0" and not "\ud800" <= one <= "\udfff")[:60]
    return kept if kept not in ("", ".", "..") else "upload.csv"


def parquet_columns() -> st.SearchStrategy[tuple[str, str, str]]:
    """Draw SQL for the columns of a Parquet file: their types, and names that only resemble ours."""
    return st.tuples(
        st.sampled_from(
            [
                "TIMESTAMP '2026-02-20' + to_hours(n) AS timestamp",
                "'2026-02-20' AS timestamp",
                "n AS timestamp",
                "NULL AS timestamp",
                "TIMESTAMPTZ '2026-02-20 00:00+01' + to_hours(n) AS timestamp",
                "DATE '2026-02-20' + n::INTEGER AS timestamp",
                "TIMESTAMP_NS '2026-02-20' AS timestamp",
                "[n] AS timestamp",
                "TIME '10:00' AS timestamp",
                "'infinity'::TIMESTAMP AS timestamp",
            ]
        ),
        st.sampled_from(
            [
                "'Fridge' AS appliance",
                "n AS appliance",
                "'a\nb' AS appliance",
                "'=1+1' AS appliance",
                "NULL AS appliance",
                "'\\xE9'::BLOB AS appliance",
                "{'a': n} AS appliance",
                "chr(0) || 'x' AS \"Appliance\"",
                "uuid() AS appliance",
                "repeat('x', 200000) AS appliance",
            ]
        ),
        st.sampled_from(
            [
                "0.5 AS kwh",
                "n AS kwh",
                "'nan'::DOUBLE AS kwh",
                "'1,5' AS kwh",
                "-1 AS kwh",
                "NULL AS kwh",
                "1e300 AS kwh",
                "true AS kwh",
                "n::HUGEINT * 10 ** 20 AS kwh",
                "[0.5] AS kwh",
                '0.5 AS kwh, 1 AS "KWH "',
                "0.5 AS KWh, 2 AS more",
            ]
        ),
    )
