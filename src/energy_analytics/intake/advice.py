"""What to do about a file whose columns have other names or other units than those that are read."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final

from ..schema import RAW_ENERGY_DATA
from ..words import listing

_ALSO_CALLED: Final = {
    "timestamp": (
        "time",
        "datetime",
        "date",
        "date_time",
        "ts",
        "start",
        "start_time",
        "start_date",
        "interval_start",
        "from",
        "read_at",
        "last_changed",
        "last_updated",
        "date_time_utc",
        "zeit",
        "datum",
        "datum_uhrzeit",
        "datum_zeit",
        "zeitstempel",
        "zeitpunkt",
        "von",
        "fecha",
        "data",
        "horodatage",
        "horodate",
    ),
    "appliance": (
        "device",
        "meter",
        "meter_id",
        "meter_number",
        "circuit",
        "channel",
        "sensor",
        "entity_id",
        "name",
        "equipment",
        "submeter",
        "mpan",
        "gerät",
        "geraet",
        "zähler",
        "zaehler",
        "zählpunkt",
        "appareil",
        "compteur",
        "prm",
    ),
    "kwh": (
        "energy",
        "energy_kwh",
        "consumption",
        "usage",
        "value",
        "kw_h",
        "kilowatt_hours",
        "verbrauch",
        "verbrauchswert",
        "energie",
        "consommation",
        "consumo",
        "valeur",
        "wert",
        "wh",
        "kw",
        "power",
    ),
}
_TIMES: Final = ("time", "start_time", "uhrzeit", "zeit", "heure", "hora", "ora")
"""Of a file that has the date in a column of its own, called one of the following."""
_DATES: Final = ("date", "start_date", "read_date", "datum", "fecha", "data")
_COUNTED: Final = ("state", "register", "reading", "meter_reading", "zählerstand", "zaehlerstand", "stand", "index")
_MONEY: Final = frozenset(
    {"cost", "costs", "price", "euro", "eur", "usd", "gbp", "kosten", "preis", "betrag", "coût", "cout", "prix"}
)
_POWER: Final = frozenset({"kw", "w", "watt", "watts", "power", "leistung", "puissance"})
_UNIT_COLUMNS: Final = frozenset(
    {"unit", "units", "uom", "unit_of_measurement", "einheit", "unite", "unité", "unidad", "consumptionunit"}
)
_OTHER_UNITS: Final = {
    "wh": "divide by 1,000 for kwh",
    "mwh": "multiply by 1,000 for kwh",
    "w": "kwh is the mean power in W, divided by 1,000, times the hours of the interval",
    "kw": "kwh is the mean power in kW times the hours of the interval",
    "m3": "cubic metres are no energy",
    "m³": "cubic metres are no energy",
    "therms": "multiply by 29.3 for kwh",
}


def advice(missing: list[str], columns: tuple[str, ...]) -> str:
    """Say what to do about the columns that are missing, as far as the names of the others tell."""
    in_two = _date_and_time(columns) if "timestamp" in missing else ()
    to_rename = [column for column in missing if not (in_two and column == "timestamp")]
    alike = {column: found for column in to_rename if (found := _alike(column, columns))}
    sentences = []
    if in_two:
        sentences.append(f"Join {in_two[0]} and {in_two[1]} in one column timestamp: 2026-02-20 00:00:00.")
    in_kwh = [column for column in columns if "kwh" in _words(column) and not _is_money(column)]
    are_appliances = "kwh" in missing and len(in_kwh) > 1
    of_energy = _of_several(in_kwh) if are_appliances else _of_energy(missing, columns, alike)
    if of_energy:
        alike.pop("kwh", None)
    if alike:
        renames = listing([f"{brief(found)} to {column}" for column, found in alike.items()])
        sentences.append(f"Rename {renames}, if that is what {'it is' if len(alike) == 1 else 'they are'}.")
    if of_energy:
        sentences.append(of_energy)
    others = [
        column
        for column in columns
        if column.strip() and column.casefold() not in ("timestamp", *map(str.casefold, in_two), *alike.values())
    ]
    is_told_of = "kwh" not in missing or bool(alike) or of_energy is not None
    of_one_meter = is_told_of and "appliance" not in alike and not are_appliances
    if any(re.fullmatch(r"(?:\S+ )?\d{1,2}:\d{2}(?::\d{2})?", column) for column in others):
        sentences.append("Where there is a column for each time, write a row for each reading.")
    elif "appliance" in missing and of_one_meter:
        sentences.append("Where all is of one meter, add a column appliance with its name in every row.")
    elif missing == ["appliance", "kwh"] and not alike and not of_energy and others:
        named = f"each of {brief(others[0])}, {brief(others[1])}" if len(others) > 1 else brief(others[0])
        sentences.append(f"If {named} is an appliance, write a row for each of its readings.")
    return "".join(f"{sentence} " for sentence in sentences)


def of_other_units(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """Tell of a column that names another unit than kWh for a reading."""
    for place, column in enumerate(columns):
        if _key(column) in _UNIT_COLUMNS and (unit := other_unit(row[place] for row in rows)):
            return f"its column {brief(column)} says {unit}"
    return None


def other_unit(fields: Iterable[str]) -> str | None:
    """Return the first of the fields that is a unit other than kWh, with what it means for kwh."""
    for field in fields:
        unit = field.strip()
        if unit.casefold() in _OTHER_UNITS:
            return f"{unit}: {_OTHER_UNITS[unit.casefold()]}"
    return None


def resembles_header(columns: Sequence[str]) -> bool:
    """Tell whether names are those of columns with a time and an energy or a power, under whatever name."""
    keys = [_key(column) for column in columns]
    time = any(key in ("timestamp", *_ALSO_CALLED["timestamp"], *_DATES) for key in keys)
    return time and any(key in ("kwh", *_ALSO_CALLED["kwh"]) or _words(key) & {"kwh", "wh", *_POWER} for key in keys)


def brief(text: str) -> str:
    """Put a name on one line, and cut it where it is long."""
    single = " ".join(text.split())
    return single if len(single) <= 40 else single[:39] + "…"


def _date_and_time(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of the date and of the time of day, where a file has both."""
    keys = {_key(column): column for column in reversed(columns)}
    date = next((keys[one] for one in _DATES if one in keys), None)
    time = next((keys[one] for one in _TIMES if one in keys), None)
    return (date, time) if date and time else ()


def _of_energy(missing: list[str], columns: tuple[str, ...], alike: dict[str, str]) -> str | None:
    """Say what to do where no column can simply be renamed to kwh."""
    if "kwh" not in missing:
        return None
    candidates = [alike["kwh"]] if "kwh" in alike else columns
    told = next((told for column in candidates if (told := _unit_of(column))), None)
    if told or "kwh" in alike:
        return told
    counter = next((column for column in columns if _key(column) in _COUNTED), None)
    return counter and (
        f"{brief(counter)} looks like the reading of a counter: kwh is its difference from the reading before."
    )


def _of_several(in_kwh: Sequence[str]) -> str:
    """Say what to do where several columns are of kWh."""
    named = listing([brief(column) for column in in_kwh[:4]])
    return (
        f"Write a row for each of {named}, with its name as the appliance; what is the reading of a counter as its "
        "difference from the reading before."
    )


def _alike(wanted: str, columns: tuple[str, ...]) -> str | None:
    """Return the column that may be the one wanted under another name."""
    taken = set(RAW_ENERGY_DATA.column_names)
    candidates: dict[str, str] = {}
    for column in columns:
        if _key(column) not in taken | _UNIT_COLUMNS and not _is_money(column):
            candidates.setdefault(_key(column), column)
    for alias in _ALSO_CALLED[wanted]:
        if alias in candidates:
            return candidates[alias]
    known = difflib.get_close_matches(wanted, candidates, n=1, cutoff=0.5)
    if not known:
        known = [key for key in candidates if wanted in key or any(a in key.split("_") for a in _ALSO_CALLED[wanted])]
    return candidates[known[0]] if known else None


def _unit_of(column: str) -> str | None:
    """Return what to do where the name tells of another unit than kWh: to rename it would be wrong by a thousand."""
    words = _words(column)
    if "wh" in words:
        return f"{brief(column)} looks like watt-hours: divide by 1,000 for kwh."
    if "mwh" in words:
        return f"{brief(column)} looks like megawatt-hours: multiply by 1,000 for kwh."
    if words & _POWER:
        return f"{brief(column)} looks like power: kwh is the mean power in kW times the hours of the interval."
    return None


def _is_money(column: str) -> bool:
    return bool(_words(column) & _MONEY) or any(sign in column for sign in "€$£")


def _words(column: str) -> set[str]:
    return set(re.split(r"[^a-zà-ÿ]+", column.casefold()))


def _key(column: str) -> str:
    return re.sub(r"[\s\-./]+", "_", column.casefold().strip())
