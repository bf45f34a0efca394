"""Public holidays and temperatures that a user gives."""

import zlib
from datetime import date, timedelta
from pathlib import Path

import pytest
from commands import energy, told

from energy_analytics.calendar import UnknownHolidaysError, public_holidays
from energy_analytics.weather import WeatherError, read_temperatures

FIRST = date(2026, 1, 5)


def readings(days: int) -> str:
    """One reading a day: 100 kWh, ten less for each degree above zero of `temperatures`."""
    rows = (f"{FIRST + timedelta(days=n)},House,{100 - 10 * degrees(n)}\n" for n in range(days))
    return "timestamp,appliance,kwh\n" + "".join(rows)


def degrees(day: int) -> float:
    """A temperature without a rhythm of a week: 0 to 6."""
    return float(zlib.crc32(str(day).encode()) % 7)


def temperatures(days: int) -> str:
    rows = (f"{FIRST + timedelta(days=n)} {hour}:00,{degrees(n)}\n" for n in range(days) for hour in ("06", "18"))
    return "timestamp,temperature_c\n" + "".join(rows)


def test_holidays_of_a_country_and_of_a_region() -> None:
    span = (date(2026, 1, 1), date(2026, 12, 31))
    assert public_holidays(None, None, *span) == frozenset()
    assert date(2026, 7, 14) in public_holidays("FR", None, *span)
    assert date(2026, 1, 6) in public_holidays("DE", "BY", *span)
    assert date(2026, 1, 6) not in public_holidays("DE", None, *span)
    with pytest.raises(UnknownHolidaysError, match="Atlantis"):
        public_holidays("Atlantis", None, *span)


def test_temperatures_are_means_of_days(tmp_path: Path) -> None:
    path = tmp_path / "temperature.csv"
    path.write_text("timestamp,temperature_c\n2026-01-05 06:00,2\n2026-01-05 18:00,5\n2026-01-06,-1.5\n")
    assert read_temperatures(path) == {date(2026, 1, 5): 3.5, date(2026, 1, 6): -1.5}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("when,degrees\n", "when, degrees"),
        ("timestamp,temperature_c\nyesterday,3\n", "line 2"),
        ("timestamp,temperature_c\n2026-01-05,warm\n", "line 2"),
    ],
)
def test_a_wrong_temperature_file_is_told_with_its_place(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "temperature.csv"
    path.write_text(text)
    with pytest.raises(WeatherError, match=match):
        read_temperatures(path)


@pytest.mark.slow
def test_a_run_uses_temperatures_that_reach_the_days_ahead(tmp_path: Path) -> None:
    """Use follows the temperature alone, so that knowing it for the coming days more than halves the error."""
    (tmp_path / "house.csv").write_text(readings(200))
    (tmp_path / "temperature.csv").write_text(temperatures(207))
    variables = {"ENERGY_MODEL": "ensemble", "ENERGY_TEMPERATURE_FILE": "temperature.csv"}
    assert energy("run", "house.csv", folder=tmp_path, variables=variables).returncode == 0
    coming = [100 - 10 * degrees(200 + n) for n in range(7)]

    def error() -> float:
        [forecast] = (tmp_path / "lake" / "forecast").glob("*.csv")
        found = [float(line.split(",")[1]) for line in forecast.read_text().splitlines()[1:]]
        return sum(abs(one - other) for one, other in zip(found, coming, strict=True)) / 7

    with_temperature = error()
    assert "taken as certain" in " ".join(energy("report", folder=tmp_path).stdout.split())

    (tmp_path / "temperature.csv").write_text(temperatures(200))
    assert energy("run", "house.csv", folder=tmp_path, variables=variables).returncode == 0
    assert "do not cover the seven days ahead" in " ".join(energy("report", folder=tmp_path).stdout.split())
    assert with_temperature < error() / 2


def test_a_wrong_country_or_file_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "house.csv").write_text(readings(30))
    atlantis = energy("run", "house.csv", folder=tmp_path, variables={"ENERGY_HOLIDAYS_COUNTRY": "Atlantis"})
    assert "Atlantis" in told(atlantis)
    absent = energy("run", "house.csv", folder=tmp_path, variables={"ENERGY_TEMPERATURE_FILE": "absent.csv"})
    assert "absent.csv" in told(absent)
