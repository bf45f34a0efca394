"""Outdoor temperatures that a user gives for the forecast."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from statistics import fmean
from typing import Final

MOST_CELSIUS: Final = 200.0
"""A temperature further from zero is none, in Fahrenheit neither."""


class WeatherError(ValueError):
    """The temperature file cannot be used; the message says where and why."""


def read_temperatures(path: Path) -> Mapping[date, float]:
    """Return the mean temperature of each day, in degrees Celsius, from a CSV of timestamp,temperature_c."""
    by_day: dict[date, list[float]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"timestamp", "temperature_c"} <= set(rows.fieldnames or ()):
                raise WeatherError(
                    f"{path} has the columns {', '.join(rows.fieldnames or ()) or 'none'}; "
                    "expected are timestamp,temperature_c."
                )
            for row in rows:
                try:
                    day, celsius = datetime.fromisoformat(row["timestamp"]).date(), float(row["temperature_c"])
                except (TypeError, ValueError) as error:
                    raise WeatherError(f"{path}, line {rows.line_num}, cannot be read: {error}.") from error
                if not abs(celsius) <= MOST_CELSIUS:
                    raise WeatherError(
                        f"{path}, line {rows.line_num}: temperature_c = {celsius:g} is no temperature outdoors."
                    )
                by_day[day].append(celsius)
    except OSError as error:
        raise WeatherError(f"The temperature file {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise WeatherError(f"The temperature file {path} is no CSV file in UTF-8: {error}.") from error
    return {day: fmean(values) for day, values in by_day.items()}
