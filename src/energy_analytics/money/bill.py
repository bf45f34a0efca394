"""A bill, line by line, exact to the cent.

Rules, the same for every tariff:

- Each line is rounded on its own, half away from zero, to the currency's smallest coin; totals are sums of lines.
- What is cut by the start or end of the billed days, or by a change of prices within a month, is billed in parts.
  A part of a month bears fixed monthly charges, tier thresholds and demand charges in proportion to its days.
- A fixed daily charge counts local days, whatever their hours.
- Beside a flat or time-of-use price, tiers are a surcharge (or credit) on the month's energy.
- A tax is taken on the rounded lines that it lies on.
- Energy that was not read is not billed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any, Literal

import duckdb

from energy_analytics import words
from energy_analytics.tariff import TariffError

from .basis import basis
from .hours import slot_minutes
from .load import Load, kwh, site_slots
from .terms import Charged, Demand, Tariff, Tier, Version
from .usage import Peak, Usage, usage

Charge = Literal["energy", "tier", "daily", "monthly", "demand", "export", "tax"]

_PART_OF: dict[Charge, Charged] = {
    "energy": "energy", "tier": "energy", "daily": "fixed", "monthly": "fixed", "demand": "demand", "export": "export",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `amount` is `quantity` x `unit_price` x `share`, rounded. Days from `first` to `end`, exclusive."""

    first: date
    end: date
    charge: Charge
    what: str
    quantity: Decimal
    unit: str
    """kWh, kW, days, months, or % of the amount that a tax lies on."""
    unit_price: Decimal
    """In the currency per unit; negative for a credit."""
    share: Fraction
    """1, or the days of the line over those of its month where a monthly charge is billed for part of it."""
    amount: Decimal


@dataclass(frozen=True, slots=True)
class MonthBill:
    """The lines of one calendar month."""

    month: date
    """Its first day, also where the bill begins later."""
    kwh: Decimal
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """Sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill of the local days from `start` to `end`, exclusive."""

    tariff: str
    currency: str
    source: str
    start: date
    end: date
    months: tuple[MonthBill, ...]
    exported_kwh: Decimal
    days_without_readings: int
    days_with_gaps: int
    """Days with readings on which the site has none in at least one hour (or part of an hour with a price)."""
    assumptions: tuple[str, ...]
    """Sentences on what the amounts rest on; empty when they follow from readings and tariff alone."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines, month by month."""
        return tuple(line for month in self.months for line in month.lines)

    @property
    def kwh(self) -> Decimal:
        """Energy billed, kWh, exactly."""
        return sum((month.kwh for month in self.months), Decimal(0))

    @property
    def total(self) -> Decimal:
        """Sum of the lines."""
        return sum((month.total for month in self.months), Decimal(0))


def bill(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    *,
    start: date | None = None,
    end: date | None = None,
    holidays: frozenset[date] = frozenset(),
) -> Bill:
    """Bill the local days from `start` to `end` (exclusive); by default all from the first to the last reading.

    `holidays` are the site's public holidays. Raises TariffError when `end` is not after `start`.
    """
    start, end = start or load.first, end or date.fromordinal(load.last.toordinal() + 1)
    if end <= start:
        raise TariffError(f"There is nothing to bill from {start} to {end}: the end must be after the start.")
    slot = slot_minutes([tariff])
    used = usage(engine, load, tariff, start=start, end=end, holidays=holidays, slot_minutes=slot)
    return bill_of(engine, load, tariff, used, holidays=holidays, slot_minutes=slot)


def bill_of(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    used: Sequence[Usage],
    *,
    holidays: frozenset[date],
    slot_minutes: int,
) -> Bill:
    """Bill what was used; `slot_minutes` are those that it was added up in."""
    start, end = used[0].segment.first, used[-1].segment.end
    missing, gaps = _unread_days(engine, load, start, end, slot_minutes)
    return assemble(
        tariff,
        used,
        days_without_readings=missing,
        days_with_gaps=gaps,
        assumptions=basis(load, tariff, used, start=start, end=end, holidays=holidays),
    )


def assemble(
    tariff: Tariff,
    used: Sequence[Usage],
    *,
    days_without_readings: int = 0,
    days_with_gaps: int = 0,
    assumptions: tuple[str, ...] = (),
) -> Bill:
    """Make the bill of what was used, segments in order."""
    months = []
    for month, parts in groupby(used, key=lambda one: one.segment.first.replace(day=1)):
        own = tuple(parts)
        energy = kwh(sum(sum(one.taken_nano_kwh) for one in own))
        months.append(MonthBill(month, energy, tuple(line for one in own for line in lines(tariff, one))))
    return Bill(
        tariff=tariff.name,
        currency=tariff.currency,
        source=tariff.source,
        start=used[0].segment.first,
        end=used[-1].segment.end,
        months=tuple(months),
        exported_kwh=kwh(sum(one.fed_in_nano_kwh for one in used)),
        days_without_readings=days_without_readings,
        days_with_gaps=days_with_gaps,
        assumptions=assumptions,
    )


def lines(tariff: Tariff, used: Usage) -> list[Line]:
    """Write the lines of one segment. A line without quantity is left out."""
    segment, version = used.segment, tariff.versions[used.segment.version]
    share = segment.share_of_month
    found: list[Line] = []

    def add(
        charge: Charge, what: str, quantity: Decimal, unit: str, unit_price: Decimal, share: Fraction = Fraction(1)
    ) -> None:
        if quantity:
            amount = Fraction(quantity) * Fraction(unit_price) * share
            coins = rounded(amount / (100 if unit == "%" else 1), tariff.decimals)
            found.append(Line(segment.first, segment.end, charge, what, quantity, unit, unit_price, share, coins))

    for period, nano in zip(version.periods, used.taken_nano_kwh, strict=False):
        name = "Energy" if len(version.periods) == 1 else f"Energy, {period.name}"
        add("energy", name, kwh(nano), "kWh", period.price_per_kwh)
    for name, nano, price in tier_parts(version, used):
        add("tier" if version.periods else "energy", name, kwh(nano), "kWh", price)
    if version.fixed_per_day:
        add("daily", "Fixed charge per day", Decimal(segment.days), "days", version.fixed_per_day)
    if version.fixed_per_month:
        add("monthly", "Fixed charge per month", Decimal(1), "months", version.fixed_per_month, share)
    for demand, peak in zip(version.demands, used.peaks, strict=True):
        if peak is not None:
            add("demand", _demand_name(demand, peak), kilowatts(peak), "kW", demand.price_per_kw, share)
    if version.export_price_per_kwh is not None:
        add("export", "Energy fed in", kwh(used.fed_in_nano_kwh), "kWh", -version.export_price_per_kwh)
    for tax in version.taxes:
        taxed = sum((line.amount for line in found if _PART_OF.get(line.charge) in tax.on), Decimal(0))
        add("tax", tax.name, tax.percent, "%", taxed)
    return found


def tier_parts(version: Version, used: Usage) -> list[tuple[str, int, Decimal]]:
    """Return the energy in each tier: a name, nano-kWh and the price. Thresholds of part of a month are shares."""
    tiers: Sequence[Tier] = version.tiers_by_month.get(used.segment.first.month, ())
    total = sum(used.taken_nano_kwh)
    word = "Surcharge" if version.periods else "Energy"
    parts, begin, begin_kwh = [], 0, Decimal(0)
    for tier in tiers:
        if tier.up_to_kwh is None:
            name = f"{word}, above {begin_kwh:,} kWh a month" if begin_kwh else word
            parts.append((name, max(0, total - begin), tier.price_per_kwh))
            break
        end = round(Fraction(tier.up_to_kwh) * 10**9 * used.segment.share_of_month)
        name = f"{word}, {'first' if not begin_kwh else f'{begin_kwh:,} to'} {tier.up_to_kwh:,} kWh a month"
        parts.append((name, max(0, min(total, end) - begin), tier.price_per_kwh))
        begin, begin_kwh = end, tier.up_to_kwh
    return parts


def plain(made: Bill) -> dict[str, Any]:
    """Return a bill as JSON can hold it; decimals as strings, so that not a cent is lost."""
    return {
        "tariff": made.tariff,
        "currency": made.currency,
        "source": made.source,
        "start": made.start.isoformat(),
        "end": made.end.isoformat(),
        "kwh": str(made.kwh),
        "exported_kwh": str(made.exported_kwh),
        "total": str(made.total),
        "days_without_readings": made.days_without_readings,
        "days_with_gaps": made.days_with_gaps,
        "assumptions": list(made.assumptions),
        "months": [
            {
                "month": f"{one.month:%Y-%m}",
                "kwh": str(one.kwh),
                "total": str(one.total),
                "lines": [
                    {
                        "first": line.first.isoformat(),
                        "end": line.end.isoformat(),
                        "charge": line.charge,
                        "what": line.what,
                        "quantity": str(line.quantity),
                        "unit": line.unit,
                        "unit_price": str(line.unit_price),
                        "share": str(line.share),
                        "amount": str(line.amount),
                    }
                    for line in one.lines
                ],
            }
            for one in made.months
        ],
    }


def rounded(amount: Fraction, decimals: int) -> Decimal:
    """Round half away from zero, as bills do."""
    return rounded_ratio(amount.numerator, amount.denominator, decimals)


def rounded_ratio(numerator: int, denominator: int, decimals: int) -> Decimal:
    """Do the same for a ratio that need not be in lowest terms."""
    whole = (2 * abs(numerator) * 10**decimals + denominator) // (2 * denominator)
    return Decimal(whole if numerator >= 0 else -whole).scaleb(-decimals)


def kilowatts(peak: Peak) -> Decimal:
    """Return the demand as it is billed: in kW to three decimals, half up."""
    return rounded(peak.watts / 1000, 3).normalize() + 0


def _demand_name(demand: Demand, peak: Peak) -> str:
    return f"{demand.name[:1].upper()}{demand.name[1:]}, {words.moment(peak.start)}, over {words.span(peak.minutes)}"


def _unread_days(engine: duckdb.DuckDBPyConnection, load: Load, start: date, end: date, slot: int) -> tuple[int, int]:
    """Count the days without any reading, and those on which a part of the day has none."""
    seen, whole = engine.execute(f"""
        SELECT count(*), count(*) FILTER (parts * {slot} >= {load.wall.day_minutes("day")})
        FROM (SELECT day, count(*) AS parts FROM {site_slots(engine, load, slot)}
            WHERE day >= DATE '{start}' AND day < DATE '{end}' GROUP BY day)""").fetchall()[0]
    return (end - start).days - seen, seen - whole
