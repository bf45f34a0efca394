"""What the report says of money and carbon: every amount with the tariff or factor that it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from energy_analytics import words
from energy_analytics.report.quality import Row
from energy_analytics.results import Comparison, DayTotal, ForecastDay, Money, MovedAppliance, ShiftingTotal

MONTHS_SHOWN: Final = 13
"""A year and the month a year ago."""
_HOURS_NAMED: Final = 3
_MOVED_SHOWN: Final = 10
_NOT_ZERO: Final = 0.005


@dataclass(frozen=True, slots=True)
class Spending:
    """The finished sentences and rows of a report's part on money and carbon."""

    facts: tuple[Row, ...]
    notes: tuple[str, ...]
    months_caption: str
    months: tuple[tuple[str, str, str], ...]
    """Month, energy, bill."""
    comparison_caption: str
    comparison: tuple[tuple[str, str, str], ...]
    """Tariff, bill, saving."""
    shifting: str
    moved: tuple[tuple[str, str, str, str, str], ...]
    """Appliance, energy a day, hours as read, cheapest hours, saving a year."""


def spending(money: Money | None) -> Spending | None:
    """Put costs and carbon into words; None where only energy was looked at."""
    if money is None:
        return None
    months = money.bill.months[-MONTHS_SHOWN:] if money.bill else ()
    currency = money.price.currency
    return Spending(
        facts=tuple(_facts(money)),
        notes=tuple(_notes(money)),
        months_caption=_months_caption(money),
        months=tuple(
            (words.month(one.month), words.energy(one.kwh), words.money(float(one.total), currency, cents=True))
            for one in months
        ),
        comparison_caption=_comparison_caption(money.comparison),
        comparison=_comparison_rows(money.comparison, currency),
        shifting=_shifting(money.shifting, currency),
        moved=_moved_rows(money.shifting, currency),
    )


def cost_of(money: Money | None, appliances: Sequence[str]) -> str:
    """Write what appliances cost together; nothing where no amount is told."""
    if money is None or money.unpriced:
        return ""
    total = sum((money.by_appliance.get(name, Decimal(0)) for name in appliances), Decimal(0))
    return words.money(float(total), money.price.currency)


def carbon_of(money: Money | None, appliances: Sequence[str]) -> str:
    """Write what appliances emitted together."""
    return (
        "" if money is None else words.weight(sum(money.carbon.by_appliance_kg.get(name, 0.0) for name in appliances))
    )


def day_in_words(one: DayTotal, money: Money | None) -> str:
    """Tell a day's energy with its cost and carbon, as they are shown where its bar is pointed at."""
    parts = [words.energy(one.kwh)]
    if money is not None:
        if one.day in money.by_day:
            parts.append(words.money(float(money.by_day[one.day]), money.price.currency))
        parts.append(f"{words.weight(money.carbon.by_day_kg.get(one.day, 0.0))} of CO2")
    return f"{words.day(one.day)}: {', '.join(parts)}"


def day_ahead_in_words(one: ForecastDay, money: Money | None) -> str:
    """Tell the same of a day ahead."""
    parts = [words.energy(one.yhat)]
    if money is not None:
        parts += [_range(each.cost, each.lower, each.upper, money) for each in money.ahead if each.day == one.day]
        parts.append(f"{words.weight(one.yhat * money.carbon.mean_g_per_kwh / 1000)} of CO2")
    return f"{words.day(one.day)}, forecast: {', '.join(parts)}"


def ahead_costs(money: Money | None, days: Sequence[ForecastDay]) -> tuple[str, ...]:
    """Write what each forecast day costs, with its interval; nothing where no amount is told."""
    if money is None or len(money.ahead) != len(days):
        return ()
    return tuple("{} ({}-{})".format(*_figures(one.cost, one.lower, one.upper)) for one in money.ahead)


def ahead_sentences(money: Money | None) -> tuple[str, ...]:
    """Tell the cost of the days ahead and the bill expected at the month's end."""
    if money is None or not money.ahead:
        return ()
    total = sum((one.cost for one in money.ahead), Decimal(0))
    cost = words.money(float(total), money.price.currency)
    told = [f"Their energy costs about {cost} at {money.price.terms}{_assumed(money)}."]
    if money.expected:
        expected = money.expected
        bill = _range(expected.total, expected.lower, expected.upper, money)
        told.append(
            f"The bill of {_month(expected.month)} is expected to be {bill}; {expected.days_read} of its "
            f"{expected.days} days {'is' if expected.days_read == 1 else 'are'} read."
        )
    return tuple(told)


def _facts(money: Money) -> list[Row]:
    currency, carbon = money.price.currency, money.carbon
    rows = []
    if not money.unpriced:
        cost = words.money(float(sum((one for one in money.by_appliance.values() if one > 0), Decimal(0))), currency)
        rows.append(Row("Cost of energy", f"{cost} at {money.price.terms}{_assumed(money)}"))
    if money.bill:
        total = words.money(float(money.bill.total), currency, cents=True)
        last = money.bill.end - timedelta(days=1)
        rows.append(Row("Bills", f"{total}, {words.day_span(money.bill.start, last)}"))
        if money.bill.fed_in_kwh:
            earned = -sum((one for one in money.by_appliance.values() if one < 0), Decimal(0))
            fed_in = words.energy(money.bill.fed_in_kwh)
            rows.append(Row("Fed in", f"{fed_in}, which earned {words.money(float(earned), currency)}"))
    if money.expected:
        expected = money.expected
        bill = _range(expected.total, expected.lower, expected.upper, money)
        rows.append(Row(f"Bill of {_month(expected.month)}", f"{bill} expected"))
    assumed = ", an assumption" if carbon.is_default else ""
    rows.append(Row("Carbon", f"{words.weight(carbon.kg)} at {carbon.terms}{assumed}"))
    return rows


def _notes(money: Money) -> list[str]:
    price, carbon = money.price, money.carbon
    notes = [money.unpriced] if money.unpriced else [f"Price: {price.name}, after {price.source}."]
    if price.is_default and not money.unpriced:
        notes.append(
            "The site has no price of its own, so this one is an assumption; set tariff_file, or price_per_kwh with "
            "currency."
        )
    notes.append(f"Carbon: {carbon.name}, after {carbon.source}.")
    if carbon.is_default:
        notes.append("The site has no factor of its own, so this one is an assumption; set g_per_kwh or carbon_file.")
    if carbon.without_hour_percent >= _NOT_ZERO:
        missing = words.percent(carbon.without_hour_percent)
        notes.append(f"For the hours of {missing} of the energy the file has no factor; its mean stands in.")
    if money.bill:
        notes += money.bill.assumptions
    if money.expected:
        notes.append(f"Expected bill: {money.expected.assumption}")
    if money.comparison:
        told = {note for one in money.comparison.tariffs if not one.is_current for note in one.assumptions}
        notes += sorted(told - set(notes))
    return notes


def _months_caption(money: Money) -> str:
    if not money.bill:
        return ""
    count = len(money.bill.months)
    shown = f", the last {MONTHS_SHOWN} of {count} months" if count > MONTHS_SHOWN else ""
    return f"Bills by month ({money.price.name}){shown}"


def _comparison_caption(found: Comparison | None) -> str:
    if found is None:
        return ""
    return f"{words.day_span(found.start, found.end - timedelta(days=1))} under each tariff"


def _comparison_rows(found: Comparison | None, currency: str) -> tuple[tuple[str, str, str], ...]:
    if found is None:
        return ()
    rows = []
    for one in found.tariffs:
        saving = "this is the current one"
        if not one.is_current:
            amount = words.money(abs(float(one.saving)), currency, cents=True)
            part = "" if one.saving_percent is None else f" ({words.percent(abs(one.saving_percent))})"
            saving = f"{amount} {'less' if one.saving > 0 else 'more'}{part}" if one.saving else "the same"
        rows.append((words.name(one.name, limit=80), words.money(float(one.total), currency, cents=True), saving))
    return tuple(rows)


def _shifting(found: ShiftingTotal | None, currency: str) -> str:
    if found is None:
        return ""
    names = words.listing([words.name(one.appliance) for one in found.moved[:_MOVED_SHOWN]])
    last = found.end - timedelta(days=1)
    span = f"{'on' if found.start == last else 'from'} {words.day_span(found.start, last)}"
    told = []
    if found.moved and found.saving > 0 and found.saving_per_year:
        saved = words.money(float(found.saving), currency)
        a_year = words.money(found.saving_per_year, currency)
        told.append(
            f"Run at the cheapest hours of the same day, within the hours and the power that they may take, {names} "
            f"would have cost {saved} less {span}: {a_year} in a year of such days."
        )
        if found.demand_saving > 0:
            lower = words.money(float(found.demand_saving), currency)
            told.append(f"Of this, {lower} come from a lower highest demand.")
        if not found.proved:
            told.append("The search for the best hours was cut short; perhaps more can be saved.")
    elif found.moved:
        told.append(f"Other hours of the same day would not have made {names} cheaper {span}.")
    if found.skipped:
        skipped = words.listing([words.name(one) for one in found.skipped[:_MOVED_SHOWN]])
        told.append(f"Not moved, for want of readings that tell hours: {skipped}.")
    return " ".join(told)


def _moved_rows(found: ShiftingTotal | None, currency: str) -> tuple[tuple[str, str, str, str, str], ...]:
    if found is None or found.saving <= 0:
        return ()
    ranked = sorted(found.moved, key=lambda one: (-one.saving, one.appliance))
    return tuple(_moved_row(one, currency, days=found.days) for one in ranked[:_MOVED_SHOWN] if one.saving)


def _moved_row(one: MovedAppliance, currency: str, *, days: int) -> tuple[str, str, str, str, str]:
    return (
        words.name(one.appliance),
        words.energy(one.kwh_per_day),
        _main_hours(one.kwh_by_hour_as_read),
        _main_hours(one.kwh_by_hour_moved),
        words.money(float(one.saving) * 365 / max(1, days), currency),
    )


def _main_hours(kwh_by_hour: Sequence[float]) -> str:
    """Name the hours with the most energy."""
    used = sorted((-kwh, hour) for hour, kwh in enumerate(kwh_by_hour) if kwh > 0)
    return ", ".join(words.clock(hour) for hour in sorted(hour for _, hour in used[:_HOURS_NAMED]))


def _range(amount: Decimal, lower: Decimal, upper: Decimal, money: Money) -> str:
    """Write an amount with its interval."""
    middle, low, high = _figures(amount, lower, upper)
    return f"{middle} {money.price.currency} ({low} to {high})"


def _figures(*amounts: Decimal) -> list[str]:
    """Write amounts alike, with cents where all are below 100."""
    decimals = 2 if max(map(abs, amounts)) < 100 else 0
    return [words.number(float(one), decimals=decimals) for one in amounts]


def _assumed(money: Money) -> str:
    return ", an assumption" if money.price.is_default else ""


def _month(first: date) -> str:
    return f"{words.MONTHS[first.month - 1]} {first.year}"
