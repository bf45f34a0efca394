"""Bills of a site of a lake, from the readings that are there; nothing is run and nothing is written.

Of a long history only the days asked for are added up.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from .aggregate import create_days, steps_minutes
from .calendar import clock, public_holidays
from .engine import connect
from .history import merge, read_with_other_settings
from .hours import create_hours
from .lake import Lake, LakeError, LocalLake
from .money import (
    Bill,
    Compared,
    Deferrable,
    Load,
    Shifting,
    Tariff,
    bill,
    check_currencies,
    choose_tariff,
    compare,
    deferrable,
    measure,
    read_tariff,
    shift,
    typical,
    within,
)
from .readings import readings_of_site
from .runs import what_there_is
from .settings import Settings
from .tariff import TariffError

_MONTHS: Final = 12
"""Calendar months of a bill that is not told its days: the newest with readings, and those before it."""
_YEAR: Final = timedelta(days=365)
_DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class _Site:
    engine: duckdb.DuckDBPyConnection
    load: Load
    settings: Settings

    def holidays(self, start: date, end: date) -> frozenset[date]:
        return public_holidays(self.settings.holidays_country, self.settings.holidays_region, start, end)

    def newest_year(self, first: date | None, last: date | None) -> tuple[date, date]:
        """Return the first day and the one after the last, by default of the newest 365 days."""
        until = min(last or self.load.last, self.load.last)
        return _days(self.load, first or max(self.load.first, until + timedelta(days=1) - _YEAR), last)


def tariff_of(settings: Settings, site: str) -> Tariff:
    """Return the tariff that the settings give a site. Raises TariffError with what is wrong in it."""
    own = settings.for_site(site)
    return choose_tariff(own.tariff_file, price_per_kwh=own.price_per_kwh, currency=own.currency)


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
    tariff = tariff_of(settings, site) if tariff_file is None else read_tariff(tariff_file)
    with _opened(lake, site, settings) as found:
        until = min(last or found.load.last, found.load.last)
        months = until.year * 12 + until.month - _MONTHS
        default = max(found.load.first, date(months // 12, months % 12 + 1, 1))
        start, end = _days(found.load, first or default, last)
        load = within(found.load, start, end)
        return bill(found.engine, load, tariff, start=start, end=end, holidays=found.holidays(start, end))


def compare_site(
    lake: Lake,
    site: str,
    files: Sequence[Path],
    settings: Settings,
    *,
    further: Sequence[Tariff] = (),
    first: date | None = None,
    last: date | None = None,
) -> tuple[str, tuple[Compared, ...]]:
    """Bill the same days under the site's tariff, those of the files and `further` ones, by default the newest 365.

    Returns the name of the site's tariff, and all in order of cost. Without files those of the settings are compared.
    Raises as `bill_site` does, and TariffError when there is nothing to compare with.
    """
    others = [*map(read_tariff, files or settings.for_site(site).compare_tariffs or ()), *further]
    if not others:
        raise TariffError("There is no tariff to compare with: name files, or set compare_tariffs.")
    tariffs = [tariff_of(settings, site), *others]
    check_currencies(tariffs)
    with _opened(lake, site, settings) as found:
        start, end = found.newest_year(first, last)
        load, holidays = within(found.load, start, end), found.holidays(start, end)
        return tariffs[0].name, compare(found.engine, load, tariffs, start=start, end=end, holidays=holidays)


def move_site(
    lake: Lake,
    site: str,
    settings: Settings,
    *,
    appliance: str,
    hours: tuple[int, int],
    first: date | None = None,
    last: date | None = None,
) -> Shifting:
    """Tell what one appliance would have saved at the cheapest of the local hours given, by default of 365 days.

    It may run from the first of `hours` to the second, over midnight as well: (22, 6). Its other limits are those of
    the settings, else those typical of its class, else none but its own highest power. Days that would not get
    cheaper stay as they were; under one price (see `Tariff.by_the_hour`) all do, but for a demand charge.
    Raises LakeError for an appliance without readings, and else as `bill_site` does.
    """
    tariff, own = tariff_of(settings, site), settings.for_site(site)
    limits = (own.deferrable or {}).get(appliance)
    known = typical(appliance) if limits is None else deferrable(appliance, limits)
    moved = replace(known or Deferrable(appliance), spans=_spans(hours))
    with _opened(lake, site, settings) as found:
        if appliance not in found.load.steps:
            raise LakeError(
                f"{site or 'The root site'} has no appliance {appliance!r} of which it is known when it ran."
            )
        if appliance in found.load.exports:
            raise TariffError(f"{appliance} counts what the site feeds in, which cannot be moved.")
        start, end = found.newest_year(first, last)
        answer = shift(
            found.engine,
            within(found.load, start, end),
            tariff,
            [moved],
            start=start,
            end=end,
            holidays=found.holidays(start, end),
            site_limit_kw=own.site_limit_kw,
        )
    if answer.skipped:
        raise TariffError(f"The readings of {appliance} are longer than an hour, so that nothing tells when it ran.")
    return answer


def _spans(hours: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Return local hours as minutes of the day, in two parts where they go over midnight."""
    first, end = hours
    if not (0 <= first < _DAY_HOURS and 0 <= end <= _DAY_HOURS and first != end):
        raise TariffError(
            f"From {first} to {end} is no span of hours: give two different hours of the day, such as 22 to 6."
        )
    minutes = ((first, end),) if first < end else ((first, _DAY_HOURS), (0, end))
    return tuple((60 * begin, 60 * stop) for begin, stop in minutes if begin < stop)


def _days(load: Load, first: date, last: date | None) -> tuple[date, date]:
    """Return the first day and the one after the last. Raises TariffError where nothing of them was read."""
    end = (last or load.last) + timedelta(days=1)
    read = f"the site has readings from {load.first} to {load.last}"
    if last is not None and last < first:
        raise TariffError(f"There is nothing to bill: {last}, the last day, is before {first}, the first; {read}.")
    if first > load.last or end <= load.first:
        asked = f"from {first} on" if last is None else f"from {first} to {last}"
        raise TariffError(f"There is nothing to bill {asked}: {read}.")
    return first, end


@contextmanager
def _opened(lake: Lake, site: str, settings: Settings) -> Iterator[_Site]:
    """Open the readings of a site as they were taken in, with what only all of them tell: their steps and days."""
    own = settings.for_site(site)
    place = TemporaryDirectory() if isinstance(lake, LocalLake) else lake.work_folder()
    with (
        place as folder,
        connect(memory_limit_mb=own.memory_limit_mb, threads=own.threads, spill_folder=Path(folder)) as engine,
    ):
        uploads = readings_of_site(engine, lake, site)
        name = site or "the root site"
        if not uploads:
            raise LakeError(f"The lake {lake.uri} has no readings of {name}. {what_there_is(lake)}")
        if read_with_other_settings(uploads, own):
            raise LakeError(
                f"The readings of {name} in the lake {lake.uri} were read with another timezone, date_order, decimal "
                "or max_reading_kwh than is set here. Run its newest file again, or name the settings file of its runs "
                "with --config."
            )
        readings = merge(engine, lake, uploads, own).readings
        first, last = engine.execute(f"SELECT min(timestamp), max(timestamp) FROM {readings}").fetchall()[0]
        hours = create_hours(engine, readings)
        load = measure(
            engine,
            readings,
            steps=steps_minutes(engine, readings, create_days(engine, hours)),
            wall=clock(own.timezone, first, last),
            exports=own.export_appliances or (),
            hours=hours,
        )
        yield _Site(engine, load, own)
