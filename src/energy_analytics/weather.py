"""Outdoor temperatures that a user gives for the forecast."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from statistics import fmean


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
                    by_day[datetime.fromisoformat(row["timestamp"]).date()].append(float(row["temperature_c"]))
                except (TypeError, ValueError) as error:
                    raise WeatherError(f"{path}, line {rows.line_num}, cannot be read: {error}.") from error
    except OSError as error:
        raise WeatherError(f"The temperature file {path} cannot be read: {error.strerror}.") from error
    return {day: fmean(values) for day, values in by_day.items()}
