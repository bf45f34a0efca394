"""Tariffs as users write them: a TOML file, checked so that every hour of every month has one price."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import combinations, pairwise
from pathlib import Path
from typing import Final, get_args

from energy_analytics.tariff import TariffError, choose_price

from .hours import MOST_PERIODS, months_in_words, overlaps, unpriced
from .tables import Entries
from .terms import ALL_MONTHS, Charged, Demand, Period, Tariff, Tax, Tier, Version, Window, flat_tariff

_INTERVALS: Final = (5, 10, 15, 30, 60)
"""Lengths in minutes over which demand is averaged."""
_SHOWN_FAULTS: Final = 12
_MOST_BYTES: Final = 1_000_000
"""Of a tariff file; those in the catalogue have a few thousand."""
_MOST_PARTS: Final = 64
"""Of a key, one.two.three: to read a key takes the square of its parts, in time and in memory."""
_PART_OF_KEY: Final = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_ENDLESS_KEY: Final = re.compile(rf"""(?<![\w"'-])(?:{_PART_OF_KEY}[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}""")


class TariffFileError(TariffError):
    """A tariff file cannot be used; the message tells every fault with its version and period."""


def read_tariff(path: Path) -> Tariff:
    """Read a tariff from a file. Raises TariffFileError with all that is wrong in it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise TariffFileError(f"The tariff file {path} is larger than {_MOST_BYTES // 1_000_000} MB.")
        return parse_tariff(content.decode("utf-8-sig"), origin=str(path))
    except OSError as error:
        raise TariffFileError(f"The tariff file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TariffFileError(f"The tariff file {path} is not written in UTF-8.") from error


def choose_tariff(tariff_file: Path | None, *, price_per_kwh: float | None, currency: str | None) -> Tariff:
    """Return the tariff that the settings name: a file, a flat price, or the dated default.

    Raises TariffError for a file beside a flat price, a currency that is not the file's, and what `choose_price` and
    `read_tariff` refuse.
    """
    if tariff_file is None:
        return flat_tariff(choose_price(price_per_kwh, currency))
    if price_per_kwh is not None:
        raise TariffError(f"Both tariff_file ({tariff_file}) and price_per_kwh ({price_per_kwh:g}) are set. Keep one.")
    found = read_tariff(tariff_file)
    if currency not in (None, found.currency):
        raise TariffError(f"currency is {currency}, but {tariff_file} is in {found.currency}. Leave out currency.")
    return found


def parse_tariff(text: str, *, origin: str) -> Tariff:
    """Read a tariff from TOML. `origin` names it in messages. Raises TariffFileError with all that is wrong."""
    if _ENDLESS_KEY.search(text):
        raise TariffFileError(f"The tariff file {origin} has a key of more than {_MOST_PARTS} parts with dots between.")
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # also of an integer of thousands of digits
        raise TariffFileError(f"The tariff file {origin} is not valid TOML: {error}.") from error
    faults: list[str] = []
    entries = Entries(document, place=origin, faults=faults)
    name, currency, source = entries.text("name"), entries.text("currency"), entries.text("source")
    decimals = entries.whole("decimals", allowed=(0, 2, 3), default=2)
    limit = entries.amount("largest_site_kwh_per_year")
    tables = entries.tables("version", "version")
    if not tables:
        entries.fault("no [[version]] is given")
    versions = tuple(map(_version, tables))
    entries.done()
    _check_order(versions, tables)
    if faults:
        shown = faults[:_SHOWN_FAULTS]
        more = [f"and {len(faults) - len(shown)} more"] if len(faults) > len(shown) else []
        raise TariffFileError("The tariff cannot be used: " + "; ".join(shown + more) + ".")
    return Tariff(name, currency, source, versions, decimals, None if limit is None else float(limit))


def _version(entries: Entries) -> Version:
    valid_from, valid_to = entries.day("valid_from"), entries.day("valid_to")
    if valid_from is not None:
        entries.place += f" (from {valid_from})"
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        entries.fault(f"valid_to {valid_to} is not after valid_from {valid_from}")
    periods = _periods(entries)
    version = Version(
        valid_from,
        valid_to,
        periods=periods,
        tiers_by_month=_tiers(entries, beside_periods=bool(periods)),
        fixed_per_day=entries.amount("fixed_per_day") or Decimal(0),
        fixed_per_month=entries.amount("fixed_per_month") or Decimal(0),
        demands=tuple(map(_demand, entries.tables("demand", "demand charge"))),
        taxes=tuple(map(_tax, entries.tables("tax", "tax"))),
        export_price_per_kwh=entries.amount("export_price_per_kwh"),
    )
    if not periods and not version.tiers_by_month:
        entries.fault("energy has no price: give price_per_kwh, [[version.period]] or [[version.tiers]]")
    entries.done()
    _check_hours(periods, entries, holidays_apart=version.holidays_apart)
    return version


def _periods(entries: Entries) -> tuple[Period, ...]:
    tables = entries.tables("period", "period")
    if len(tables) > MOST_PERIODS:
        entries.fault(f"more than {MOST_PERIODS} periods")
        return ()
    if entries.has("price_per_kwh"):
        if tables:
            entries.fault("price_per_kwh and [[version.period]] exclude each other")
        return (Period("all hours", entries.needed("price_per_kwh")),)
    return tuple(map(_period, tables))


def _period(entries: Entries) -> Period:
    name = entries.text("name")
    if name:
        entries.place = f"{entries.place.rpartition(', ')[0]}, period {name!r}"
    price_per_kwh = entries.needed("price_per_kwh")
    windows = []
    for table in entries.tables("when", "when"):
        windows.append(table.window())
        table.done()
    entries.done()
    return Period(name, price_per_kwh, tuple(windows))


def _tiers(entries: Entries, *, beside_periods: bool) -> Mapping[int, tuple[Tier, ...]]:
    found: dict[int, tuple[Tier, ...]] = {}
    tables = entries.tables("tiers", "tiers")
    for table in tables:
        months = table.months()
        tiers = tuple(_tier(step, beside_periods=beside_periods) for step in table.tables("tier", "tier"))
        table.done()
        ends = [tier.up_to_kwh for tier in tiers]
        if not tiers:
            table.fault("no tier is given")
        elif None in ends[:-1] or ends[-1] is not None:
            table.fault("every tier but the last, and not the last, needs up_to_kwh")
        elif any(
            after <= before for before, after in pairwise([Decimal(0), *(end for end in ends if end is not None)])
        ):
            table.fault(f"up_to_kwh does not ascend: {', '.join(str(end) for end in ends if end is not None)}")
        if twice := months & found.keys():
            table.fault(f"tiers are given twice{months_in_words(twice)}")
        found |= dict.fromkeys(months, tiers)
    if tables and (without := ALL_MONTHS - found.keys()):
        entries.fault(f"no tiers{months_in_words(without)}")
    return found


def _tier(entries: Entries, *, beside_periods: bool) -> Tier:
    up_to_kwh = entries.amount("up_to_kwh")
    key = "surcharge_per_kwh" if beside_periods else "price_per_kwh"
    other = "price_per_kwh" if beside_periods else "surcharge_per_kwh"
    if entries.has(other):
        entries.amount(other, below_zero=True)
        why = (
            "beside a flat or time-of-use price a tier adds to it"
            if beside_periods
            else "without another price the tier is the price"
        )
        entries.fault(f"{other} must be {key}: {why}")
        return Tier(up_to_kwh, Decimal(0))
    price = entries.needed(key, below_zero=beside_periods)
    entries.done()
    return Tier(up_to_kwh, price)


def _demand(entries: Entries) -> Demand:
    name = entries.text("name") if entries.has("name") else "highest demand"
    price = entries.needed("price_per_kw")
    interval = entries.whole("interval_minutes", allowed=_INTERVALS, default=15)
    window: Window = entries.window()
    entries.done()
    return Demand(name, price, interval, window)


def _tax(entries: Entries) -> Tax:
    name, percent = entries.text("name"), entries.needed("percent")
    parts = entries.texts("on")
    known = get_args(Charged)
    for part in parts or ():
        if part not in known:
            entries.fault(f"on = {part!r} is none of {', '.join(known)}")
    entries.done()
    chosen = frozenset[Charged](part for part in known if part in parts) if parts is not None else None
    return Tax(name, percent, frozenset({"energy", "fixed", "demand"}) if chosen is None else chosen)


def _check_hours(periods: Sequence[Period], entries: Entries, *, holidays_apart: bool) -> None:
    if not periods:
        return
    if sum(not period.windows for period in periods) > 1:
        entries.fault("more than one period has no `when`; only one can have all the other hours")
        return
    for one, other in combinations(periods, 2):
        if shared := overlaps(one, other):
            entries.fault(f"periods {one.name!r} and {other.name!r} overlap: {'; '.join(shared)}")
    if open_hours := unpriced(periods, holidays_apart=holidays_apart):
        entries.fault(f"no period has a price for {'; '.join(open_hours)}")


def _check_order(versions: Sequence[Version], tables: Sequence[Entries]) -> None:
    for (before, after), table in zip(pairwise(versions), tables[1:], strict=True):
        if after.valid_from is None:
            table.fault("valid_from is missing; only the first version may begin at any time")
        elif before.valid_to is None:
            table.fault("the version before it has no valid_to")
        elif after.valid_from < before.valid_to:
            table.fault(f"it begins {after.valid_from}, before the version before it ends ({before.valid_to})")
        elif after.valid_from > before.valid_to:
            table.fault(f"no version is valid from {before.valid_to} to {after.valid_from}")
