"""Bills of a site of a lake, from the readings that are there; nothing is run and nothing is written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from .aggregate import create_days, statistics, steps_minutes
from .calendar import clock, public_holidays
from .engine import connect
from .history import merged, read_with_other_settings, readings_of_site
from .lake import Lake, LakeError, LocalLake
from .money import Bill, Compared, Load, bill, choose_tariff, compare, measure, read_tariff
from .settings import Settings
from .tariff import TariffError

_MONTHS: Final = 12
"""Calendar months of a bill that is not told its days: the newest with readings, and those before it."""
_YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class _Site:
    engine: duckdb.DuckDBPyConnection
    load: Load
    settings: Settings

    def holidays(self, start: date, end: date) -> frozenset[date]:
        return public_holidays(self.settings.holidays_country, self.settings.holidays_region, start, end)


def bill_site(
    lake: Lake,
    site: str,
    settings: Settings,
    *,
    tariff_file: Path | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Bill:
    """Bill the local days from `first` to `last` of a site, by default those of the newest twelve calendar months.

    `tariff_file` stands in for the settings' tariff. Raises LakeError without readings, TariffError for a tariff or
    days that cannot be billed.
    """
    own = settings.for_site(site)
    if tariff_file is None:
        tariff = choose_tariff(own.tariff_file, price_per_kwh=own.price_per_kwh, currency=own.currency)
    else:
        tariff = read_tariff(tariff_file)
    with _opened(lake, site, own) as found:
        until = min(last or found.load.last, found.load.last)
        months = until.year * 12 + until.month - _MONTHS
        default = max(found.load.first, date(months // 12, months % 12 + 1, 1))
        start, end = _days(found.load, first or default, last)
        return bill(found.engine, found.load, tariff, start=start, end=end, holidays=found.holidays(start, end))


def compare_site(
    lake: Lake,
    site: str,
    files: Sequence[Path],
    settings: Settings,
    *,
    first: date | None = None,
    last: date | None = None,
) -> tuple[str, tuple[Compared, ...]]:
    """Bill the same days under the site's tariff and those of the files, by default the newest 365.

    Returns the name of the site's tariff, and all in order of cost. Without files those of the settings are compared.
    Raises as `bill_site` does, and TariffError when there is nothing to compare with.
    """
    own = settings.for_site(site)
    others = [read_tariff(file) for file in files or own.compare_tariffs or ()]
    if not others:
        raise TariffError("There is no tariff to compare with: name files, or set compare_tariffs.")
    current = choose_tariff(own.tariff_file, price_per_kwh=own.price_per_kwh, currency=own.currency)
    with _opened(lake, site, own) as found:
        until = min(last or found.load.last, found.load.last)
        default = max(found.load.first, until + timedelta(days=1) - _YEAR)
        start, end = _days(found.load, first or default, last)
        holidays = found.holidays(start, end)
        tariffs = [current, *others]
        return current.name, compare(found.engine, found.load, tariffs, start=start, end=end, holidays=holidays)


def _days(load: Load, first: date, last: date | None) -> tuple[date, date]:
    """Return the first day and the one after the last. Raises TariffError where nothing of them was read."""
    end = (last or load.last) + timedelta(days=1)
    if first >= end:
        raise TariffError(f"There is nothing to bill from {first} to {end - timedelta(days=1)}.")
    if first > load.last or end <= load.first:
        raise TariffError(
            f"There is no reading from {first} to {end - timedelta(days=1)}: those of the site are from {load.first} "
            f"to {load.last}."
        )
    return first, end


@contextmanager
def _opened(lake: Lake, site: str, settings: Settings) -> Iterator[_Site]:
    """Open the readings of a site as they were taken in."""
    place = TemporaryDirectory() if isinstance(lake, LocalLake) else lake.work_folder()
    with (
        place as folder,
        connect(
            memory_limit_mb=settings.memory_limit_mb, threads=settings.threads, spill_folder=Path(folder)
        ) as engine,
    ):
        uploads = readings_of_site(engine, lake, site)
        name = site or "the root site"
        if not uploads:
            raise LakeError(f"The lake {lake.uri} has no readings of {name}. Run a file first.")
        if read_with_other_settings(uploads, settings):
            raise LakeError(
                f"The readings of {name} in the lake {lake.uri} were read with another timezone, date_order, decimal "
                "or max_reading_kwh than is set here. Run its newest file again, or name the settings file of its runs "
                "with --config."
            )
        readings = merged(engine, [one.path for one in uploads])
        if len(uploads) > 1:
            engine.execute(f"CREATE TEMP TABLE readings AS SELECT * FROM {readings}")
            readings = "readings"
        days = create_days(engine, readings)
        spans = statistics(engine, days).values()
        wall = clock(settings.timezone, min(one.first for one in spans), max(one.last for one in spans))
        load = measure(
            engine,
            readings,
            steps=steps_minutes(engine, readings, days),
            wall=wall,
            exports=settings.export_appliances or (),
        )
        yield _Site(engine, load, settings)
