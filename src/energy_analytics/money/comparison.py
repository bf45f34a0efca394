"""The site's own history under other tariffs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from energy_analytics.tariff import TariffError

from .bill import Bill, bill
from .load import Load
from .terms import Tariff


@dataclass(frozen=True, slots=True)
class Compared:
    """A tariff's bill of the same days. `saving` is what it costs less than the current one; negative if more."""

    bill: Bill
    saving: Decimal
    saving_percent: float | None
    """Of the current bill; None where that is zero or below."""


def check_currencies(tariffs: Sequence[Tariff]) -> None:
    """Raise TariffError for tariffs in different currencies."""
    if len({tariff.currency for tariff in tariffs}) > 1:
        named = ", ".join(f"{tariff.name} in {tariff.currency}" for tariff in tariffs)
        raise TariffError(f"Tariffs in different currencies cannot be compared: {named}.")


def compare(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariffs: Sequence[Tariff],
    *,
    start: date | None = None,
    end: date | None = None,
    holidays: frozenset[date] = frozenset(),
) -> tuple[Compared, ...]:
    """Bill the same days under each tariff, the first being the current one; returned in order of cost.

    Use stays as it was: nobody moves anything because of the prices. Of tariffs that cost the same, the current
    one comes first. Raises TariffError for tariffs in different currencies.
    """
    check_currencies(tariffs)
    bills = [bill(engine, load, tariff, start=start, end=end, holidays=holidays) for tariff in tariffs]
    current = bills[0].total
    found = [
        Compared(one, current - one.total, float(100 * (current - one.total) / current) if current > 0 else None)
        for one in bills
    ]
    return tuple(sorted(found, key=lambda one: one.bill.total))
