"""Files of homes whose truth is known: what each appliance takes, hour by hour."""

import csv
import io
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from commands import drop, run_key

Load = Callable[[datetime, random.Random], float]
"""kW at a moment."""

START = datetime.fromisoformat("2026-01-05")


def television(moment: datetime, rng: random.Random) -> float:
    """40 W while it does nothing, give or take a watt; 160 W in the evening."""
    return 0.160 if moment.hour in (20, 21, 22) else 0.040 + rng.uniform(-0.001, 0.001)


def fridge(kwh_per_year: float) -> Load:
    """A compressor whose hours scatter by a quarter, and that defrosts once a day."""

    def power(moment: datetime, rng: random.Random) -> float:
        defrost = 2.0 if moment.hour == 4 else 1.0
        return kwh_per_year / 8760 / (25 / 24) * defrost * rng.uniform(0.75, 1.25)

    return power


def cycling(moment: datetime, rng: random.Random) -> float:
    """100 W for five minutes of fifteen, and 300 W for an hour a day: never off for an hour, and off in between."""
    if moment.hour == 9:
        return 0.3
    return 0.1 if moment.minute % 15 < 5 else 0.0


def router(moment: datetime, rng: random.Random) -> float:
    """12 W, always."""
    return 0.012


def oven(moment: datetime, rng: random.Random) -> float:
    """Two hours on some evenings, and really off otherwise."""
    return 1.5 if moment.hour in (18, 19) and moment.day % 3 else 0.0


def steady(kw: float) -> Load:
    """The same at every hour, give or take a tenth."""
    return lambda moment, rng: kw * rng.uniform(0.9, 1.1)


def rows(appliances: Mapping[str, Load], *, days: int, step_minutes: int = 60) -> str:
    """Write the readings, the same every time."""
    text, rng = io.StringIO(), random.Random(7)  # noqa: S311 - a seed is the point
    writer = csv.writer(text, lineterminator="\n")
    for number in range(days * 24 * 60 // step_minutes):
        moment = START + timedelta(minutes=number * step_minutes)
        for name, load in appliances.items():
            writer.writerow([moment, name, f"{load(moment, rng) * step_minutes / 60:.6f}"])
    return text.getvalue()


def findings_of(
    lake: Path, appliances: Mapping[str, Load], *, days: int, step_minutes: int = 60, **settings: object
) -> list[Any]:
    """Run the home in a lake, and return what is on record of its findings."""
    key = drop(lake, "raw/home.csv", rows(appliances, days=days, step_minutes=step_minutes))
    manifest: Any = run_key(lake, key, **settings)
    found: list[Any] = manifest["results"]["findings"]
    return found
