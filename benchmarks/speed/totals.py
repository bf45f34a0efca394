"""The totals that a program left: only who added up all readings, rightly, has been measured."""

import csv
import math
from pathlib import Path
from typing import Final

from benchmarks.speed.measurement import RunFailedError

RELATIVE_TOLERANCE: Final = 1e-9
"""Between sums of the same readings taken in another order."""
COMPARED: Final = ("total_kwh", "avg_kwh", "std_kwh", "count", "peak_hour")

Totals = dict[str, dict[str, float]]
"""By appliance, what a program says of each of the columns compared."""


def read_totals(path: Path) -> Totals:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["appliance"]: {name: float(row[name]) for name in COMPARED if row.get(name)}
            for row in csv.DictReader(file)
        }


def totals_of_lake(lake: Path, *, site: str = "") -> Totals:
    """Return the totals of the only run of a site. Raises RunFailedError when there is none, or another."""
    aggregated = list((lake / "processed" / site).glob("aggregated*.csv"))
    if len(aggregated) != 1:
        raise RunFailedError(f"{len(aggregated)} aggregated files in the lake")
    return read_totals(aggregated[0])


def totals_of_rival(out: Path) -> Totals:
    """Return a rival's totals per appliance. Raises RunFailedError when those per hour or day do not add up to them."""
    found = read_totals(out / "aggregated.csv")
    total_kwh = sum(row["total_kwh"] for row in found.values())
    for name in ("hourly.csv", "daily.csv"):
        with (out / name).open(encoding="utf-8", newline="") as file:
            other_kwh = sum(float(row["kwh"]) for row in csv.DictReader(file))
        if not math.isclose(other_kwh, total_kwh, rel_tol=RELATIVE_TOLERANCE):
            raise RunFailedError(f"{name} adds up to {other_kwh} kWh, the appliances to {total_kwh}")
    return found


def check_readings(found: Totals, *, rows: int) -> None:
    """Raise unless all readings were added up."""
    added = round(sum(row["count"] for row in found.values()))
    if added != rows:
        raise RunFailedError(f"{added:,} readings aggregated of {rows:,}")


def check_same(found: Totals, wanted: Totals) -> None:
    """Raise unless both say the same of each appliance, in those columns that both have."""
    if found.keys() != wanted.keys():
        raise RunFailedError(f"{len(found)} appliances aggregated, the rival has {len(wanted)}")
    for appliance, expected in sorted(wanted.items()):
        for name in COMPARED:
            if name not in found[appliance] or name not in expected:
                continue
            value, other = found[appliance][name], expected[name]
            if not math.isclose(value, other, rel_tol=RELATIVE_TOLERANCE):
                raise RunFailedError(f"{appliance}: {name} is {value!r}, the rival has {other!r}")
