"""What the command line shows of bills and tariffs."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from . import words
from .terminal import console, table

if TYPE_CHECKING:
    from .money import Bill, Compared, Line, MonthBill, Tariff


def show_bill(made: "Bill") -> None:
    """Print a bill line by line, month by month, with what it rests on."""
    out = console()
    for month in made.months:
        out.print(Text(f"{words.MONTHS[month.month.month - 1]} {month.month.year}", style="bold"))
        rows = table("Charge", "Quantity", "Price", "Amount", right=("Quantity", "Price", "Amount"))
        in_parts = len({line.first for line in month.lines}) > 1
        for line in month.lines:
            what = f"{line.what} ({_span(line.first, line.end)})" if in_parts else line.what
            rows.add_row(Text(words.name(what, limit=100)), *_figures(line, made.currency))
        rows.add_section()
        rows.add_row("Total", _quantity(month), "", f"{month.total:,} {made.currency}", style="bold")
        out.print(rows)
        out.print()
    out.print(Text(f"Total     {made.total:,} {made.currency} for {made.kwh:,} kWh", style="bold"), soft_wrap=True)
    told = [("Days", _span(made.start, made.end)), ("Tariff", made.tariff), ("Source", made.source)]
    if made.exported_kwh:
        told.append(("Fed in", f"{made.exported_kwh:,} kWh"))
    if made.days_without_readings or made.days_with_gaps:
        without = words.count(made.days_without_readings, "day")
        gaps = words.count(made.days_with_gaps, "day")
        told.append(("Not read", f"{without} without any reading, {gaps} with gaps; what was not read is not billed"))
    told += [("Note", note) for note in made.assumptions]
    for label, text in told:
        out.print(f"{label:<10}{text}", soft_wrap=True)


def show_comparison(current: str, found: "Sequence[Compared]") -> None:
    """Print the same days under each tariff, the cheapest first."""
    out = console()
    rows = table("Tariff", "Bill", "Saving", "", right=("Bill", "Saving", ""))
    for one in found:
        is_current = one.bill.tariff == current and not one.saving
        percent = "" if one.saving_percent is None else words.percent(one.saving_percent)
        rows.add_row(
            Text(words.name(one.bill.tariff, limit=80)),
            f"{one.bill.total:,} {one.bill.currency}",
            "current" if is_current else f"{one.saving:,} {one.bill.currency}",
            "" if is_current else percent,
        )
    out.print(rows)
    out.print()
    first = found[0].bill
    out.print(f"Days      {_span(first.start, first.end)}, {words.number(float(first.kwh))} kWh")
    notes = dict.fromkeys(note for one in found for note in one.bill.assumptions)
    for label, text in [*(("Source", f"{one.bill.tariff}: {one.bill.source}") for one in found)]:
        out.print(f"{label:<10}{text}", soft_wrap=True)
    for note in notes:
        out.print(f"Note      {note}", soft_wrap=True)


def show_tariff(path: Path, tariff: "Tariff") -> None:
    """Print what a tariff file says, in short."""
    out = console()
    out.print(Text(f"{path}: no fault found", style="bold"), soft_wrap=True)
    out.print(f"  {tariff.name}, in {tariff.currency}, after {tariff.source}", soft_wrap=True)
    for version in tariff.versions:
        since = "from any day" if version.valid_from is None else f"from {version.valid_from}"
        until = "on" if version.valid_to is None else f"to {version.valid_to - timedelta(days=1)}"
        parts = [f"{one.name} {words.unit_price(float(one.price_per_kwh), tariff.currency)}" for one in version.periods]
        if version.tiers_by_month:
            parts.append("tiers")
        if version.fixed_per_day or version.fixed_per_month:
            parts.append("fixed charges")
        parts += [one.name for one in version.demands]
        parts += [f"{one.name} {one.percent} %" for one in version.taxes]
        if version.export_price_per_kwh is not None:
            parts.append(f"fed in {words.unit_price(float(version.export_price_per_kwh), tariff.currency)}")
        out.print(f"  {since} {until}: {', '.join(parts)}", soft_wrap=True)


def _figures(line: "Line", currency: str) -> tuple[str, str, str]:
    """Return quantity, price and amount of a line; a tax is a percentage of what it lies on."""
    amount = f"{line.amount:,} {currency}"
    if line.unit == "%":
        return f"{line.quantity.normalize():f} %", f"of {line.unit_price:,} {currency}", amount
    quantity = f"{line.quantity:,} {line.unit}"
    if line.share != 1:
        month = f"{(line.end - line.first).days}/{round((line.end - line.first).days / line.share)} of a month"
        quantity = month if line.unit == "months" else f"{quantity}, {month}"
    elif line.unit == "months":
        quantity = "1 month"
    return quantity, words.unit_price(float(line.unit_price), currency), amount


def _quantity(month: "MonthBill") -> str:
    return f"{month.kwh:,} kWh"


def _span(first: date, end: date) -> str:
    return words.day_span(first, end - timedelta(days=1))
