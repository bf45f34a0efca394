"""What each kWh cost: energy at the price of its hour, by appliance and by day.

Fixed and demand charges belong to no kWh; they are in the bill and not here. Tiers count with the month's mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import inf, lcm

import duckdb

from energy_analytics.hours import NANO
from energy_analytics.tariff import FlatPrice

from .bill import Bill, bill_of, rounded, rounded_ratio, tier_parts
from .hours import face_of, slot_minutes
from .load import Load, kwh, site_slots, slots
from .terms import DAY_MINUTES, Tariff
from .usage import Usage, create_table, period_of, usage


@dataclass(frozen=True, slots=True)
class Cost:
    """Energy, and what it cost with the taxes on energy. A register that feeds in has earned: its cost is negative."""

    kwh: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of energy in the billed days, each rounded on its own to the smallest coin."""

    currency: str
    by_appliance: Mapping[str, Cost]
    by_day: Mapping[date, Cost]
    """Of the energy taken; days without readings are absent."""
    daily: str
    """Name of the table in the engine of what each appliance cost on each day, not rounded: appliance, day, exported,
    nano_kwh, cost. A reading over midnight counts on the day on which it starts, as its energy does in `DAILY`."""


def costs(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    *,
    start: date,
    end: date,
    holidays: frozenset[date] = frozenset(),
) -> Costs:
    """Put the cost beside the energy of each appliance and of each local day from `start` to `end`, exclusive."""
    return bill_with_costs(engine, load, tariff, start=start, end=end, holidays=holidays)[1]


def bill_with_costs(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    *,
    start: date,
    end: date,
    holidays: frozenset[date] = frozenset(),
) -> tuple[Bill, Costs]:
    """Return the bill of the days from `start` to `end` (exclusive) and their costs, for little more than one."""
    slot = slot_minutes([tariff])
    used = usage(engine, load, tariff, start=start, end=end, holidays=holidays, slot_minutes=slot)
    found = _costs(engine, load, tariff, used, slot)
    return bill_of(engine, load, tariff, used, holidays=holidays, slot_minutes=slot), found


def _costs(engine: duckdb.DuckDBPyConnection, load: Load, tariff: Tariff, used: Sequence[Usage], slot: int) -> Costs:
    """Put the cost beside what `usage` has just added up: its tables say in which period each part of a day is."""
    taking = [prices_of(tariff, one) for one in used]
    feeding_in = [-_export_price(tariff, one) for one in used]
    # Sums of whole numbers: each price times what makes all of them whole.
    scale = lcm(*(price.denominator for own in (*taking, feeding_in) for price in own))
    prices = [[int(price * scale) for price in own] for own in taking]
    export_prices = [int(price * scale) for price in feeding_in]
    alike = len(set(export_prices)) == len({one for own in prices for one in own}) == 1
    energy = _create_energy(engine, load, used, slot, alike=alike)
    appliances: dict[str, list[int]] = {}
    for appliance, exported, segment, period, nano in engine.execute(
        f"SELECT appliance, exported, segment, period, sum(nano_kwh) FROM {energy} GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        total = appliances.setdefault(appliance, [0, 0])
        total[0] += int(nano)
        total[1] += int(nano) * (export_prices[segment] if exported else prices[segment][period])
    days: dict[date, list[int]] = {}
    period_sql, joins = period_of(slot)
    for day, segment, period, nano in engine.execute(f"""
        SELECT day, segment, {period_sql} AS period, sum(taken) FROM {site_slots(engine, load, slot)} {joins}
        WHERE taken IS NOT NULL GROUP BY ALL ORDER BY ALL""").fetchall():
        total = days.setdefault(day, [0, 0])
        total[0] += int(nano)
        total[1] += int(nano) * prices[segment][period]

    def cost(total: list[int]) -> Cost:
        return Cost(kwh(total[0]), rounded_ratio(total[1], scale * NANO, tariff.decimals))

    return Costs(
        tariff.currency,
        {appliance: cost(total) for appliance, total in appliances.items()},
        {day: cost(total) for day, total in days.items()},
        _create_daily(engine, energy, taking, feeding_in),
    )


def _create_energy(
    engine: duckdb.DuckDBPyConnection, load: Load, used: Sequence[Usage], slot: int, *, alike: bool
) -> str:
    """Create the table of each appliance's energy by day, segment and period; as one period where prices are `alike`.

    Columns: appliance, exported, day (on which the readings start), segment, period, nano_kwh.
    """
    table, columns, (period, joins) = f"{load.name}_energy", "appliance, exported, read_on AS day", period_of(slot)
    if alike:
        within = f"day >= DATE '{used[0].segment.first}' AND day < DATE '{used[-1].segment.end}'"
        energy = f"""SELECT {columns}, 0 AS segment, 0 AS period, sum(nano_kwh) AS nano_kwh
            FROM {slots(load, slot)} AS parts WHERE {within} GROUP BY appliance, exported, read_on"""
    else:
        energy = f"""SELECT {columns}, segment, {period} AS period, sum(nano_kwh) AS nano_kwh
            FROM {slots(load, slot)} AS parts {joins} GROUP BY appliance, exported, read_on, segment, period"""
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {energy}")
    return table


def _create_daily(
    engine: duckdb.DuckDBPyConnection,
    energy: str,
    taking: Sequence[Sequence[Fraction]],
    feeding_in: Sequence[Fraction],
) -> str:
    """Create the table that `Costs.daily` names, from that of the energy and the prices of segments and periods.

    Sums are taken in the order of the hours' prices, so that threads do not change them.
    """
    prices = [
        (segment, period, exported, float(feeding_in[segment] if exported else price))
        for segment, own in enumerate(taking)
        for period, price in enumerate(own)
        for exported in (False, True)
    ]
    columns = {"segment": "INTEGER", "period": "INTEGER", "exported": "BOOLEAN", "price": "DOUBLE"}
    create_table(engine, "money_prices", columns, prices)
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE money_daily AS
        SELECT appliance, day, exported, sum(nano_kwh) AS nano_kwh,
            sum(CAST(nano_kwh AS DOUBLE) * price ORDER BY segment, period) / {NANO} AS cost
        FROM {energy} JOIN money_prices USING (segment, period, exported) GROUP BY appliance, day, exported""")
    return "money_daily"


def mean_price(found: Costs, tariff: Tariff) -> FlatPrice | None:
    """Return what a kWh taken cost on average, taxes included, as one price; None where none was taken.

    For estimates that know a year's energy and not its hours. A tariff with one price and no tax is that price.
    """
    taken = sum((one.kwh for one in found.by_day.values()), Decimal(0))
    if not taken:
        return None
    limit = tariff.largest_site_kwh_per_year
    version = tariff.versions[0]
    plain = len(tariff.versions) == len(version.periods) == 1 and not (version.tiers_by_month or version.taxes)
    if plain:
        name, price = tariff.name, version.periods[0].price_per_kwh
    else:
        cost = sum((one.cost for one in found.by_day.values()), Decimal(0))
        name, price = f"{tariff.name}, mean of its energy", rounded(Fraction(cost) / Fraction(taken), 4)
    return FlatPrice(
        name=name,
        price_per_kwh=float(price),
        currency=tariff.currency,
        valid_from=version.valid_from,
        source=tariff.source,
        largest_site_kwh_per_year=inf if limit is None else limit,
    )


def slot_prices(tariff: Tariff, day: date, *, slot: int, holidays: frozenset[date]) -> tuple[Fraction, ...]:
    """Return the price of a kWh in each part of a day by the wall clock, with the taxes on energy, without tiers."""
    version = tariff.versions[tariff.version_on(day)]
    factor = 1 + Fraction(version.tax_percent("energy")) / 100
    if not version.periods:
        return (Fraction(0),) * (DAY_MINUTES // slot)
    minutes = face_of(version)[day.month, version.kind_of(day, holidays)]
    return tuple(
        Fraction(version.periods[minutes[minute]].price_per_kwh) * factor for minute in range(0, DAY_MINUTES, slot)
    )


def prices_of(tariff: Tariff, used: Usage) -> tuple[Fraction, ...]:
    """Return the price of a kWh in each period of a segment, with its share of the tiers and taxes."""
    version = tariff.versions[used.segment.version]
    factor = 1 + Fraction(version.tax_percent("energy")) / 100
    tiers = tier_parts(version, used)
    taken = sum(nano for _, nano, _ in tiers)
    mean = sum((nano * Fraction(price) for _, nano, price in tiers), Fraction(0)) / taken if taken else Fraction(0)
    if not version.periods:
        return (mean * factor,)
    return tuple((Fraction(period.price_per_kwh) + mean) * factor for period in version.periods)


def _export_price(tariff: Tariff, used: Usage) -> Fraction:
    version = tariff.versions[used.segment.version]
    price = Fraction(version.export_price_per_kwh or 0)
    return price * (1 + Fraction(version.tax_percent("export")) / 100)
