"""The queries that give figures again: plain SQL, the same for `energy query` and for Athena.

Each column bears the name of the figure that it gives. Numbers are written with an exponent, for an engine that
would otherwise take them for decimals and round.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from energy_analytics.engine import literal

Days = tuple[date, date]
"""First and last local day."""


def totals(site: str, appliance: str | None = None) -> str:
    """Energy over all readings."""
    return f"SELECT sum(kwh) AS total_kwh FROM daily WHERE {_of(site, appliance)}"


def share(site: str, appliance: str) -> str:
    """Part of all energy that one appliance takes."""
    own = f"sum(CASE WHEN appliance = {literal(appliance)} THEN kwh ELSE 0e0 END)"
    return f"SELECT 1e2 * {own} / sum(kwh) AS share_percent FROM daily WHERE {_of(site)}"


def year(site: str, days: Days, appliance: str | None = None) -> str:
    """Energy of a year of days like the complete ones of a span."""
    where = f"{_of(site, appliance)} AND site_day_complete AND {_within('day', days)}"
    by_day = f"SELECT day, sum(kwh) AS day_kwh FROM daily WHERE {where} GROUP BY day"
    return f"SELECT 365 * avg(day_kwh) AS kwh_per_year FROM ({by_day}) AS by_day"


def mean_day(site: str, days: Days, figure: str, appliance: str | None = None) -> str:
    """Mean energy of the complete days of a span."""
    where = f"{_of(site, appliance)} AND site_day_complete AND {_within('day', days)}"
    by_day = f"SELECT day, sum(kwh) AS day_kwh FROM daily WHERE {where} GROUP BY day"
    return f"SELECT avg(day_kwh) AS {figure} FROM ({by_day}) AS by_day"


def day_with_readings(site: str, days: Days, appliance: str) -> str:
    """Energy of an appliance on a mean day with readings of the site, in a span."""
    own = f"sum(CASE WHEN appliance = {literal(appliance)} THEN kwh ELSE 0e0 END)"
    where = f"{_of(site)} AND {_within('day', days)}"
    return f"SELECT {own} / count(DISTINCT day) AS kwh_per_day FROM daily WHERE {where}"


def week(site: str) -> str:
    """Mean complete day of weekdays and of weekends. Days are counted from a Monday."""
    by_day = (
        "SELECT day, date_diff('day', DATE '1900-01-01', day) % 7 AS weekday, sum(kwh) AS day_kwh "
        f"FROM daily WHERE {_of(site)} AND site_day_complete GROUP BY day"
    )
    return (
        "SELECT avg(CASE WHEN weekday < 5 THEN day_kwh END) AS weekday_kwh, "
        f"avg(CASE WHEN weekday >= 5 THEN day_kwh END) AS weekend_day_kwh FROM ({by_day}) AS by_day"
    )


@dataclass(frozen=True, slots=True)
class Those:
    """Some of a site's appliances, told by their names or by those of the others, whichever are fewer."""

    names: Sequence[str]
    others: Sequence[str] = ()

    @property
    def condition(self) -> str:
        """What holds for their rows; empty for all."""
        if not self.others:
            return ""
        less, named = (" NOT", self.others) if len(self.others) < len(self.names) else ("", self.names)
        return f" AND appliance{less} IN ({', '.join(map(literal, named))})"


def hours_of_day(site: str, hours: Iterable[int], figure: str, those: Those | str) -> str:
    """Mean energy of a day in these local hours, of one appliance or of several."""
    own = f" AND appliance = {literal(those)}" if isinstance(those, str) else those.condition
    means = (
        'SELECT appliance, extract(HOUR FROM "hour") AS clock, avg(kwh) AS mean_kwh FROM hourly '
        f'WHERE {_of(site)}{own} AND extract(HOUR FROM "hour") IN ({", ".join(map(str, hours))}) '
        'GROUP BY appliance, extract(HOUR FROM "hour")'
    )
    return f"SELECT sum(mean_kwh) AS {figure} FROM ({means}) AS means"


def baseload(site: str, those: Those) -> str:
    """Level that 95 of 100 hours of complete days exceed: between two hours in proportion."""
    complete = f"SELECT day FROM daily WHERE {_of(site)} AND site_day_complete"
    return (
        'WITH site_hours AS (SELECT "hour", utc_offset_minutes, sum(kwh) AS kwh FROM hourly '
        f'WHERE {_of(site)}{those.condition} AND CAST("hour" AS DATE) IN ({complete}) '
        'GROUP BY "hour", utc_offset_minutes), '
        "placed AS (SELECT kwh, row_number() OVER (ORDER BY kwh) - 1 AS place, count(*) OVER () - 1 AS last_place "
        "FROM site_hours) "
        "SELECT sum(kwh * greatest(0e0, 1e0 - abs(place - 5e-2 * last_place))) AS baseload_kw FROM placed"
    )


def idle_level(site: str, appliance: str, days: Days, *, readings: int) -> str:
    """Level that three of four whole hours reach."""
    return (
        "WITH placed AS (SELECT kwh, row_number() OVER (ORDER BY kwh) AS place, count(*) OVER () AS hours_counted "
        f"FROM hourly WHERE {_of(site, appliance)} AND readings >= {readings} "
        f"AND {_within(chr(34) + 'hour' + chr(34), days, cast=True)}) "
        "SELECT max(kwh) AS level_kw FROM placed WHERE place = ceil(25e-2 * hours_counted)"
    )


def silent_days(site: str, appliance: str) -> str:
    """Days from an appliance's last reading to the last of the site."""
    own = f"max(CASE WHEN appliance = {literal(appliance)} THEN timestamp END)"
    return f"SELECT date_diff('second', {own}, max(timestamp)) / 864e2 AS silent_days FROM readings WHERE {_of(site)}"


def flagged(site: str, appliance: str) -> str:
    """Readings above the threshold."""
    return f"SELECT count(*) AS flagged FROM latest_anomalies WHERE {_of(site, appliance)}"


def week_ahead(site: str) -> str:
    """Energy of the days ahead."""
    return f"SELECT sum(yhat) AS forecast_kwh FROM latest_forecast WHERE {_of(site)}"


def episode(site: str, identity: str) -> str:
    """Energy above the usual of one episode."""
    return f"SELECT excess_kwh FROM episodes WHERE {_of(site)} AND id = {literal(identity)}"


def _of(site: str, appliance: str | None = None) -> str:
    own = "" if appliance is None else f" AND appliance = {literal(appliance)}"
    return f"site = {literal(site)}{own}"


def _within(column: str, days: Days, *, cast: bool = False) -> str:
    left = f"CAST({column} AS DATE)" if cast else column
    return f"{left} BETWEEN DATE '{days[0]}' AND DATE '{days[1]}'"
