"""SQL that reads the fields of a row: timestamps in the shapes people write them, numbers with point or comma."""

import re
from typing import Final

from ..engine import literal
from .limits import EARLIEST, LATEST

_OFFSET: Final = r"(Z|z|UTC|GMT|[+-](?:0\d|1[0-4]):?[0-5]\d|[+-](?:0\d|1[0-4]))?"
_TIME: Final = r"(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*([AaPp]\.?[Mm]\.?)?"
_YEAR_FIRST: Final = rf"^(\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}})(?:[T ]+{_TIME}\s*{_OFFSET})?$"
_YEAR_LAST: Final = rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}})(?:[T, ]+{_TIME}\s*{_OFFSET})?$"
_NAMED_MONTHS: Final = [
    f"{date}{time}"
    for date in ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%b/%Y")
    for time in (" %H:%M:%S", " %H:%M", "")
]

_NAMED_MONTH: Final = (
    r"(?i)^\s*(?:\d{1,2}[-/\s]\s*[a-z]{3,9}[-/\s]\s*\d{1,4}|[a-z]{3,9}\s+\d{1,2},\s*\d{1,4})"
    r"(?:\s+\d{1,2}:\d{1,2}(?::\d{1,2})?)?\s*$"
)
"""What any of them may fit: to try them all takes a hundred times as long, of which a file of junk is made."""

WHITE_SPACE: Final = "' \t\r\n' || chr(160)"
"""SQL for the characters that are taken off both ends of a field."""
_SPACE: Final = r"[\s\x{A0}]"


_PLAIN_TIMES: Final = (
    "____-__-__ __:__:__",
    "____-__-__T__:__:__",
    "____-__-__ __:__",
    "____-__-__T__:__",
    "____-__-__",
)
"""LIKE patterns of timestamps that the engine's cast reads as we do, if at all."""


def not_blank(raw: str, delimiter: str) -> str:
    """Write SQL for whether a line holds more than white space, delimiters and quotes."""
    something = r'[^\s\x{A0}"' + re.escape(delimiter) + "]"
    return f"regexp_matches({raw}, {literal(something)})"


def clean(appliance: str) -> str:
    """Write SQL for whether a name is text: a logger that loses power leaves null bytes."""
    return f"NOT contains({appliance}, chr(0))"


def sifted_rows(
    records: str, *, timestamp: int, appliance: int, kwh: int, widths: tuple[int, int], max_reading_kwh: float
) -> str:
    """Write SQL that reads the plain rows of `records` at once and keeps the fields of all others.

    `timestamp`, `appliance` and `kwh` are the positions of the columns, `widths` how many fields a row has at least
    and at most. A plain row has
    `wall`, `appliance`, `kwh`, and in `proves_point` whether its number must have a decimal point; for any
    other row `wall` is null and `fields` is not.
    """
    shapes = " OR ".join(f"time_text LIKE '{shape}'" for shape in _PLAIN_TIMES)
    return f"""(
        WITH texts AS (
            SELECT line, fields, len(fields) BETWEEN {widths[0]} AND {widths[1]} AS fits,
                fields[{timestamp + 1}] AS time_text,
                fields[{appliance + 1}] AS appliance,
                fields[{kwh + 1}] AS kwh_text
            FROM {records}
        ), read AS (
            SELECT *, CASE WHEN fits AND ({shapes}) THEN try_cast(time_text AS TIMESTAMP) END AS wall,
                CASE WHEN fits THEN {_number("kwh_text")} + 0.0 END AS kwh
            FROM texts
        ), judged AS (
            SELECT *, coalesce(
                appliance <> '' AND NOT regexp_matches(appliance, '^{_SPACE}|{_SPACE}$') AND {clean("appliance")}
                AND kwh BETWEEN 0 AND {max_reading_kwh!r}
                AND wall >= TIMESTAMP '{EARLIEST}' AND wall < TIMESTAMP '{LATEST}', false) AS plain
            FROM read
        )
        SELECT line, CASE WHEN plain THEN wall END AS wall, CASE WHEN plain THEN appliance END AS appliance,
            CASE WHEN plain THEN kwh END AS kwh,
            CASE WHEN NOT plain OR NOT contains(kwh_text, '.') THEN false
                WHEN kwh_text[-4] <> '.' THEN true
                ELSE {_number_proof("kwh_text")} = 'point' END AS proves_point,
            CASE WHEN NOT plain THEN fields END AS fields
        FROM judged)"""


def parsed_rows(rows: str, *, timestamp: int, appliance: int, kwh: int, widths: tuple[int, int]) -> str:
    """Write SQL for `rows` (line, fields) with every reading of a field that its text allows.

    `timestamp`, `appliance` and `kwh` are the positions of the columns, `widths` how many fields a row has at least
    and at most. The result has a
    wall time that is certain (`wall`), or one per order of day and month (`wall_dmy`, `wall_mdy`), the offset
    in minutes where there is one, and the number with a decimal point and with a decimal comma.
    """
    return f"""(
        WITH texts AS (
            SELECT line, len(fields) AS width, fields[1] AS first_field,
                len(fields) > {widths[1]} AND list_any_value(list_transform(fields[{widths[1] + 1}:],
                    lambda field: nullif(trim(field, {WHITE_SPACE}), ''))) IS NULL AS only_empty_beyond,
                trim(coalesce(fields[{timestamp + 1}], ''), {WHITE_SPACE}) AS time_text,
                trim(coalesce(fields[{appliance + 1}], ''), {WHITE_SPACE}) AS appliance,
                trim(coalesce(fields[{kwh + 1}], ''), {WHITE_SPACE}) AS kwh_text
            FROM {rows}
        ), year_first AS (
            SELECT *, regexp_extract(time_text, '{_YEAR_FIRST}', ['date', 'time', 'half', 'zone']) AS iso FROM texts
        ), year_last AS (
            SELECT *, CASE WHEN iso.date = '' THEN regexp_extract(
                time_text, '{_YEAR_LAST}', ['a', 'b', 'year', 'time', 'half', 'zone']) END AS other
            FROM year_first
        )
        SELECT line, width, first_field, only_empty_beyond, time_text, appliance, kwh_text,
            CASE WHEN iso.date <> '' THEN {_cast("replace(replace(iso.date, '/', '-'), '.', '-')", "iso")}
                WHEN other.year = '' AND regexp_matches(time_text, '{_NAMED_MONTH}')
                    THEN try_strptime(time_text, {_NAMED_MONTHS}) END AS wall,
            CASE WHEN other.year <> '' THEN
                {_cast("other.year || '-' || other.b || '-' || other.a", "other")} END AS wall_dmy,
            CASE WHEN other.year <> '' THEN
                {_cast("other.year || '-' || other.a || '-' || other.b", "other")} END AS wall_mdy,
            {_offset_minutes("coalesce(nullif(iso.zone, ''), nullif(other.zone, ''))")} AS given_offset,
            {_number("kwh_text")} AS with_point,
            CASE WHEN contains(kwh_text, ',') THEN
                {_number("replace(replace(kwh_text, '.', ''), ',', '.')")} END AS with_comma,
            {_number("replace(replace(kwh_text, ',', ''), '.', '')")} AS whole,
            CASE WHEN contains(kwh_text, ',') THEN {_number("replace(kwh_text, ',', '')")} END AS grouped,
            {_number_proof("kwh_text")} AS proof
        FROM year_last)"""


def _cast(date: str, parts: str) -> str:
    time = f"{parts}.time"
    return f"""try_cast({date} || ' ' || coalesce(nullif(replace({time}, ',', '.'), ''), '00:00') AS TIMESTAMP)
                + CASE
                    WHEN {parts}.half = '' THEN INTERVAL 0 HOUR
                    WHEN CAST(split_part({time}, ':', 1) AS INTEGER) NOT BETWEEN 1 AND 12 THEN NULL
                    WHEN lower({parts}.half[1]) = 'p' AND NOT starts_with({time}, '12') THEN INTERVAL 12 HOUR
                    WHEN lower({parts}.half[1]) = 'a' AND starts_with({time}, '12') THEN INTERVAL (-12) HOUR
                    ELSE INTERVAL 0 HOUR END"""


def _offset_minutes(zone: str) -> str:
    digits = f"replace({zone}[2:], ':', '')"
    return f"""CASE WHEN {zone} IS NULL THEN NULL
                WHEN {zone}[1] NOT IN ('+', '-') THEN 0
                ELSE (CASE WHEN {zone}[1] = '-' THEN -1 ELSE 1 END) * (
                    60 * CAST({digits}[1:2] AS INTEGER) + CAST(coalesce(nullif({digits}[3:4], ''), '0') AS INTEGER))
                END"""


def _number(text: str) -> str:
    return f"try_cast({text} AS DOUBLE)"


def _number_proof(text: str) -> str:
    """Write SQL that tells what a number proves of the file: 'comma', 'point', 'either', or null for a bare one.

    1,5 and 0,125 and 1.234,5 can only have a decimal comma; 1,234.5 and 1,234,567 only a point. 2,345 can be either.
    """
    return f"""CASE
                WHEN NOT regexp_matches({text}, '[.,]') THEN NULL
                WHEN regexp_matches({text}, '^[+-]?\\d{{1,3}}(\\.\\d{{3}})*,\\d+$') THEN CASE
                    WHEN contains({text}, '.') THEN 'comma'
                    WHEN regexp_matches({text}, '^[+-]?[1-9]\\d{{0,2}},\\d{{3}}$') THEN 'either'
                    ELSE 'comma' END
                WHEN regexp_matches({text}, '^[+-]?\\d+,\\d+$') THEN 'comma'
                WHEN contains({text}, ',') THEN 'point'
                WHEN regexp_matches({text}, '^[+-]?[1-9]\\d{{0,2}}(\\.\\d{{3}})+$') THEN 'bare point'
                ELSE 'point' END"""
