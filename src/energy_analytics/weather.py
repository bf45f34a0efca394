"""Outdoor temperatures that a user gives for the forecast."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Final

from .timed import timed_values

MOST_CELSIUS: Final = 200.0
"""A temperature further from zero is none, in Fahrenheit neither."""


class WeatherError(ValueError):
    """The temperature file cannot be used; the message says where and why."""


def read_temperatures(path: Path) -> Mapping[date, float]:
    """Return the mean temperature of each day, in degrees Celsius, from a CSV of timestamp,temperature_c."""
    by_day: dict[date, list[float]] = defaultdict(list)
    rows = timed_values(path, "temperature_c", file="temperature file", refused=WeatherError)
    for line, moment, celsius in rows:
        if not abs(celsius) <= MOST_CELSIUS:
            raise WeatherError(f"{path}, line {line}: temperature_c = {celsius:g} is no temperature outdoors.")
        by_day[moment.date()].append(celsius)
    return {day: fmean(values) for day, values in by_day.items()}
