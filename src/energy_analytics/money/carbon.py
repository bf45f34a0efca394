"""What each kWh emits: a dated factor, or the grid's emissions hour by hour."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from statistics import fmean
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from energy_analytics import words
from energy_analytics.hours import NANO
from energy_analytics.schema import MOST_G_PER_KWH
from energy_analytics.timed import timed_values

from .load import Load, slots

GRAMS_PER_KG: Final = 1000
_PARTS_PER_KG: Final = 10**18
"""Nano-kWh times micrograms per kWh in a kg: sums are whole numbers, whatever the order of rows."""


class CarbonError(ValueError):
    """The file of emissions cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Carbon:
    """Grams of CO2 (equivalent) per kWh."""

    name: str
    source: str
    g_per_kwh: float
    """The factor; of an hourly file its mean, which stands in where the file has no hour."""
    by_hour: Mapping[datetime, float] = field(default_factory=dict)
    """By the start of the hour, local wall time of the site; empty for one factor at every hour."""

    @property
    def terms(self) -> str:
        """The factor with its name, as it stands beside every amount."""
        mean = "on average " if self.by_hour else ""
        return f"{mean}{words.number(self.g_per_kwh)} g of CO2 per kWh ({self.name})"


@dataclass(frozen=True, slots=True)
class Emissions:
    """Emissions of the energy taken in a span of days, kg. What is fed in is left out."""

    kg: float
    by_appliance_kg: Mapping[str, float]
    by_day_kg: Mapping[date, float]
    """Days without readings are absent."""
    without_hour_percent: float
    """Part of the energy for whose hour the file has no factor; 0 for one factor at every hour."""
    daily: str
    """SQL for the relation of what each appliance emitted on each day: appliance, day, carbon_kg. A reading over
    midnight counts on the day on which it starts, as its energy does in `DAILY`."""


@cache
def default_carbon() -> Carbon:
    """Return the factor that is used, and named, while a site has none of its own."""
    text = resources.files("energy_analytics").joinpath("catalogue", "carbon.toml").read_text("utf-8")
    return Carbon(**tomllib.loads(text)["default"])


def flat_carbon(g_per_kwh: float) -> Carbon:
    """Return the site's own factor."""
    return Carbon("your own factor", "your settings", g_per_kwh)


def choose_carbon(g_per_kwh: float | None, carbon_file: Path | None, *, timezone: str | None) -> Carbon:
    """Return what the settings name: an hourly file, the site's own factor, or the dated default.

    Raises CarbonError for a file beside a factor, and what `read_carbon` refuses.
    """
    if carbon_file is None:
        return default_carbon() if g_per_kwh is None else flat_carbon(g_per_kwh)
    if g_per_kwh is not None:
        raise CarbonError(f"Both carbon_file ({carbon_file}) and g_per_kwh ({g_per_kwh:g}) are set. Keep one.")
    return read_carbon(carbon_file, timezone=timezone)


def carbon_kg(kwh: float, carbon: Carbon, *, hour: datetime | None = None) -> float:
    """Return the emissions of an energy, kg; at the factor of its hour (local start) where one is known."""
    grams = carbon.g_per_kwh if hour is None else carbon.by_hour.get(hour, carbon.g_per_kwh)
    return kwh * grams / GRAMS_PER_KG


def read_carbon(path: Path, *, timezone: str | None) -> Carbon:
    """Read hourly factors from a CSV of timestamp,g_per_kwh.

    A timestamp with an offset is an instant and is put on the site's clock (UTC without `timezone`); one without is
    the site's wall time. Rows within one local hour, the repeated autumn hour included, are averaged. Raises
    CarbonError.
    """
    zone = ZoneInfo(timezone or "UTC")
    found: dict[datetime, list[float]] = defaultdict(list)
    for line, moment, grams in timed_values(path, "g_per_kwh", file="file of emissions", refused=CarbonError):
        try:
            local = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
        except OverflowError as error:
            raise CarbonError(f"{path}, line {line}, cannot be read: {error}.") from error
        if not 0 <= grams <= MOST_G_PER_KWH:
            raise CarbonError(
                f"{path}, line {line}: g_per_kwh = {grams:g}; expected is 0 or more, to {MOST_G_PER_KWH:,.0f}."
            )
        found[local.replace(minute=0, second=0, microsecond=0)].append(grams)
    if not found:
        raise CarbonError(f"{path} has no rows below its header.")
    by_hour = {hour: fmean(values) for hour, values in sorted(found.items())}
    span = words.day_span(min(by_hour).date(), max(by_hour).date())
    return Carbon(f"hourly, {span}", path.name, fmean(by_hour.values()), by_hour)


def emissions(engine: duckdb.DuckDBPyConnection, load: Load, carbon: Carbon, *, start: date, end: date) -> Emissions:
    """Put the emissions beside the energy of each appliance and local day from `start` to `end`, exclusive.

    Readings longer than an hour are spread evenly over it where factors are hourly.
    """
    hourly = bool(carbon.by_hour)
    if hourly:
        _create_factors(engine, carbon, start, end)
    standing_in = _micrograms(carbon.g_per_kwh)
    factor, join, known = str(standing_in), "", "true"
    if hourly:
        factor, join = f"coalesce(ug_per_kwh, {standing_in})", "LEFT JOIN money_carbon USING (day, minute)"
        known = "ug_per_kwh IS NOT NULL"
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE money_emissions AS
        SELECT appliance, day, read_on, sum(nano_kwh) AS nano_kwh,
            sum(nano_kwh * CAST({factor} AS HUGEINT)) AS parts,
            coalesce(sum(nano_kwh) FILTER ({known}), 0) AS known_nano_kwh
        FROM {slots(load, 60 if hourly else 1440)} {join}
        WHERE NOT exported AND day >= DATE '{start}' AND day < DATE '{end}'
        GROUP BY appliance, day, read_on""")

    def by(column: str) -> dict[Any, int]:
        query = f"SELECT {column}, sum(parts) FROM money_emissions GROUP BY {column} ORDER BY {column}"
        return {one: int(parts) for one, parts in engine.execute(query).fetchall()}

    total, known_total = engine.execute(
        "SELECT coalesce(sum(nano_kwh), 0), coalesce(sum(known_nano_kwh), 0) FROM money_emissions"
    ).fetchall()[0]
    by_day = by("day")
    return Emissions(
        kg=sum(by_day.values()) / _PARTS_PER_KG,
        by_appliance_kg={name: parts / _PARTS_PER_KG for name, parts in by("appliance").items()},
        by_day_kg={day: parts / _PARTS_PER_KG for day, parts in by_day.items()},
        without_hour_percent=100 * (int(total) - int(known_total)) / int(total) if total else 0.0,
        daily=f"""(SELECT appliance, read_on AS day, CAST(sum(parts) AS DOUBLE) / {_PARTS_PER_KG} AS carbon_kg
            FROM money_emissions GROUP BY appliance, read_on)""",
    )


def emissions_of(
    by_appliance_kwh: Mapping[str, Decimal], by_day_kwh: Mapping[date, Decimal], carbon: Carbon, *, daily: str
) -> Emissions:
    """Return the emissions of energy that is added up already, at one factor at every hour.

    `daily` is the table of it by appliance and day: `Costs.daily`.
    """
    kg_per_kwh = Decimal(repr(carbon.g_per_kwh)) / GRAMS_PER_KG
    return Emissions(
        kg=float(sum(by_day_kwh.values()) * kg_per_kwh),
        by_appliance_kg={name: float(kwh * kg_per_kwh) for name, kwh in sorted(by_appliance_kwh.items())},
        by_day_kg={day: float(kwh * kg_per_kwh) for day, kwh in sorted(by_day_kwh.items())},
        without_hour_percent=0.0,
        daily=f"""(SELECT appliance, day, CAST(nano_kwh AS DOUBLE) / {NANO} * {float(kg_per_kwh)!r} AS carbon_kg
            FROM {daily} WHERE NOT exported)""",
    )


def _create_factors(engine: duckdb.DuckDBPyConnection, carbon: Carbon, start: date, end: date) -> None:
    hours = [(hour, grams) for hour, grams in carbon.by_hour.items() if start <= hour.date() < end]
    engine.execute("CREATE OR REPLACE TEMP TABLE money_carbon (day DATE, minute INTEGER, ug_per_kwh BIGINT)")
    engine.execute(
        "INSERT INTO money_carbon SELECT unnest(?::DATE[]), unnest(?::INTEGER[]), unnest(?::BIGINT[])",
        [
            [hour.date() for hour, _ in hours],
            [60 * hour.hour for hour, _ in hours],
            [_micrograms(grams) for _, grams in hours],
        ],
    )


def _micrograms(grams: float) -> int:
    return round(grams * 1_000_000)
