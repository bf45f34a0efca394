"""Sites made by hand, and tariffs in a few lines, for the tests of money."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from energy_analytics.calendar import clock
from energy_analytics.money import Load, Tariff, measure, parse_tariff


def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that is closed after the test; `engine = pytest.fixture(connection)` in a module of tests."""
    with duckdb.connect() as engine:
        yield engine


def site(
    engine: duckdb.DuckDBPyConnection,
    kwh: Mapping[str, Callable[[datetime], float | None]],
    start: str,
    end: str,
    *,
    timezone: str | None = None,
    step_minutes: Mapping[str, int] | int = 60,
    exports: Collection[str] = (),
) -> Load:
    """Read every appliance at each step of its own between two local midnights; `kwh` is given the local time.

    Steps of a day are local days; None is a missing reading.
    """
    rows: list[tuple[datetime, str, float, int | None]] = []
    steps = {}
    zone = ZoneInfo(timezone or "UTC")
    for appliance, use in kwh.items():
        step = step_minutes if isinstance(step_minutes, int) else step_minutes[appliance]
        steps[appliance] = float(step)
        moment, last = (datetime.fromisoformat(day).replace(tzinfo=zone) for day in (start, end))
        while moment.astimezone(UTC) < last.astimezone(UTC):
            wall = moment.replace(tzinfo=None)
            offset = moment.utcoffset() or timedelta()
            if (value := use(wall)) is not None:
                minutes = round(offset / timedelta(minutes=1)) if timezone else None
                rows.append((wall, appliance, value, minutes))
            if step % 1440 == 0:
                moment += timedelta(minutes=step)
            else:
                moment = (moment.astimezone(UTC) + timedelta(minutes=step)).astimezone(zone)
    engine.execute("""
        CREATE OR REPLACE TABLE given (timestamp TIMESTAMP, appliance VARCHAR, kwh DOUBLE, utc_offset_minutes SMALLINT);
        """)
    engine.execute(
        "INSERT INTO given SELECT unnest(?::TIMESTAMP[]), unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), "
        "unnest(?::SMALLINT[])",
        [list(column) for column in zip(*rows, strict=True)],
    )
    wall_clock = clock(timezone, datetime.fromisoformat(start), datetime.fromisoformat(end))
    return measure(engine, "given", steps=steps, wall=wall_clock, exports=exports)


def every_hour(value: float) -> Callable[[datetime], float]:
    """The same energy in every interval."""
    return lambda moment: value


def tariff(terms: str, *, name: str = "test") -> Tariff:
    """A tariff in EUR whose only version is given, or several with their own [[version]] headers."""
    versions = terms if "[[version]]" in terms else f"[[version]]\n{terms}"
    return parse_tariff(f'name = "{name}"\ncurrency = "EUR"\nsource = "made up"\n{versions}', origin="test.toml")


def day(text: str) -> date:
    """A date."""
    return date.fromisoformat(text)


PEAK = """
[[version.period]]
name = "peak"
price_per_kwh = 0.30
when = [{ days = "weekdays", hours = "07:00-22:00" }]
[[version.period]]
name = "off-peak"
price_per_kwh = 0.20
when = [{ days = "weekdays", hours = "22:00-07:00" }, { days = ["weekends", "holidays"] }]
"""
"""15 dear hours on weekdays that are no public holidays."""

NIGHT = """
fixed_per_day = 0.50
[[version.period]]
name = "night"
price_per_kwh = 0.10
when = [{ hours = "00:00-06:00" }]
[[version.period]]
name = "day"
price_per_kwh = 0.30
"""
