"""SQL that reads the fields of a row: timestamps in the shapes people write them, numbers with point or comma."""

from typing import Final

_OFFSET: Final = r"(Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
_TIME: Final = r"(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)"
_YEAR_FIRST: Final = rf"^(\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}})(?:[T ]+{_TIME}\s*{_OFFSET})?$"
_YEAR_LAST: Final = rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}})(?:[T, ]+{_TIME}\s*([AaPp]\.?[Mm]\.?)?\s*{_OFFSET})?$"
_NAMED_MONTHS: Final = [
    f"{date}{time}"
    for date in ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%b/%Y")
    for time in (" %H:%M:%S", " %H:%M", "")
]

WHITE_SPACE: Final = "' \t\r\n' || chr(160)"
"""SQL for the characters that are taken off both ends of a field."""


def parsed_rows(records: str, *, timestamp: int, appliance: int, kwh: int, width: int) -> str:
    """Write SQL for the rows of `records` with every reading of a field that its text allows.

    `timestamp`, `appliance` and `kwh` are the positions of the columns, of `width` in all. The result has a
    wall time that is certain (`wall`), or one per order of day and month (`wall_dmy`, `wall_mdy`), the offset
    in minutes where there is one, and the number with a decimal point and with a decimal comma.
    """
    return f"""(
        WITH texts AS (
            SELECT line, len(fields) AS width, fields[1] AS first_field,
                len(fields) > {width} AND list_any_value(list_transform(fields[{width + 1}:],
                    lambda field: nullif(trim(field, {WHITE_SPACE}), ''))) IS NULL AS only_empty_beyond,
                trim(coalesce(fields[{timestamp + 1}], ''), {WHITE_SPACE}) AS time_text,
                trim(coalesce(fields[{appliance + 1}], ''), {WHITE_SPACE}) AS appliance,
                trim(coalesce(fields[{kwh + 1}], ''), {WHITE_SPACE}) AS kwh_text
            FROM {records}
            WHERE list_any_value(list_transform(fields, lambda field: nullif(trim(field, {WHITE_SPACE}), '')))
                IS NOT NULL
        ), year_first AS (
            SELECT *, regexp_extract(time_text, '{_YEAR_FIRST}', ['date', 'time', 'zone']) AS iso FROM texts
        ), year_last AS (
            SELECT *, CASE WHEN iso.date = '' THEN regexp_extract(
                time_text, '{_YEAR_LAST}', ['a', 'b', 'year', 'time', 'half', 'zone']) END AS other
            FROM year_first
        )
        SELECT line, width, first_field, only_empty_beyond, time_text, appliance, kwh_text,
            CASE WHEN iso.date <> '' THEN {_cast("replace(replace(iso.date, '/', '-'), '.', '-')", "iso.time")}
                WHEN other.year = '' THEN try_strptime(time_text, {_NAMED_MONTHS}) END AS wall,
            CASE WHEN other.year <> '' THEN
                {_cast("other.year || '-' || other.b || '-' || other.a", "other.time")} + {_HALF_DAY} END AS wall_dmy,
            CASE WHEN other.year <> '' THEN
                {_cast("other.year || '-' || other.a || '-' || other.b", "other.time")} + {_HALF_DAY} END AS wall_mdy,
            {_offset_minutes("coalesce(nullif(iso.zone, ''), nullif(other.zone, ''))")} AS given_offset,
            {_number("kwh_text")} AS with_point,
            CASE WHEN contains(kwh_text, ',') THEN
                {_number("replace(replace(kwh_text, '.', ''), ',', '.')")} END AS with_comma,
            CASE WHEN contains(kwh_text, ',') THEN {_number("replace(kwh_text, ',', '')")} END AS grouped,
            {_number_proof("kwh_text")} AS proof
        FROM year_last)"""


def _cast(date: str, time: str) -> str:
    return f"try_cast({date} || ' ' || coalesce(nullif(replace({time}, ',', '.'), ''), '00:00') AS TIMESTAMP)"


_HALF_DAY: Final = """CASE
                    WHEN other.half = '' THEN INTERVAL 0 HOUR
                    WHEN CAST(split_part(other.time, ':', 1) AS INTEGER) NOT BETWEEN 1 AND 12 THEN NULL
                    WHEN lower(other.half[1]) = 'p' AND NOT starts_with(other.time, '12') THEN INTERVAL 12 HOUR
                    WHEN lower(other.half[1]) = 'a' AND starts_with(other.time, '12') THEN INTERVAL (-12) HOUR
                    ELSE INTERVAL 0 HOUR END"""


def _offset_minutes(zone: str) -> str:
    digits = f"replace({zone}[2:], ':', '')"
    return f"""CASE WHEN {zone} IS NULL THEN NULL
                WHEN {zone}[1] NOT IN ('+', '-') THEN 0
                ELSE (CASE WHEN {zone}[1] = '-' THEN -1 ELSE 1 END) * (
                    60 * CAST({digits}[1:2] AS INTEGER) + CAST(coalesce(nullif({digits}[3:4], ''), '0') AS INTEGER))
                END"""


def _number(text: str) -> str:
    return f"CASE WHEN NOT contains({text}, '_') THEN try_cast({text} AS DOUBLE) END"


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
