"""Work out reference figures of a readings file, by means that the package does not use.

Run `python tests/golden/work_out.py FILE --step-minutes 60 --out FIGURES.json`. Only the standard library:
rows are read one by one with `csv`, sums are exact decimals, means are fractions, roots have 50 digits. Slow
and plain on purpose. README.md beside this file says what each figure means.
"""

import argparse
import csv
import gzip
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

DIGITS: Final = 50
DECIMALS: Final = 9
SIGMA: Final = 2
COMPLETE_PERCENT: Final = 95
DAY_MINUTES: Final = 24 * 60

History = dict[datetime, Decimal]


class UnfitFileError(ValueError):
    """The file needs a judgement (duplicates, odd steps, bad rows) that this script does not make."""


@dataclass(frozen=True)
class Spread:
    """Mean and sample deviation of one appliance's readings, kWh."""

    mean: Decimal
    std: Decimal | None

    @property
    def threshold(self) -> Decimal | None:
        return None if self.std is None else self.mean + SIGMA * self.std


def read_histories(path: Path) -> dict[str, History]:
    """Read the file into one `{start: kwh}` per appliance, in time order."""
    histories: dict[str, History] = defaultdict(dict)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            start = datetime.fromisoformat(row["timestamp"])
            kwh = Decimal(row["kwh"])
            history = histories[row["appliance"]]
            if start in history:
                raise UnfitFileError(f"{row['appliance']} has two readings at {start}")
            if not kwh.is_finite() or kwh < 0:
                raise UnfitFileError(f"{row['appliance']} at {start}: {kwh} kWh")
            history[start] = kwh
    return {name: dict(sorted(histories[name].items())) for name in sorted(histories)}


def spread(readings: Iterable[Decimal]) -> Spread:
    """Return mean and sample deviation; the variance is exact until its root is taken."""
    values = [Fraction(kwh) for kwh in readings]
    mean = sum(values, Fraction(0)) / len(values)
    if len(values) == 1:
        return Spread(as_decimal(mean), None)
    square_sum = sum((value * value for value in values), Fraction(0))
    variance = (square_sum - len(values) * mean * mean) / (len(values) - 1)
    return Spread(as_decimal(mean), as_decimal(variance).sqrt())


def as_decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def peak_hour(history: History) -> int:
    """Return the hour of day with the highest mean reading, the smallest of equals."""
    by_hour: dict[int, list[Decimal]] = defaultdict(list)
    for start, kwh in history.items():
        by_hour[start.hour].append(kwh)
    means = {hour: Fraction(sum(readings)) / len(readings) for hour, readings in by_hour.items()}
    return min(means, key=lambda hour: (-means[hour], hour))


def gaps(history: History, *, step: timedelta) -> list[tuple[datetime, int]]:
    """Return start and length, in intervals, of each run of missing intervals between two readings."""
    found = []
    starts = list(history)
    for before, after in pairwise(starts):
        steps, rest = divmod(after - before, step)
        if rest:
            raise UnfitFileError(f"{before} to {after} is no whole number of steps of {step}")
        if steps > 1:
            found.append((before + step, steps - 1))
    return found


def days_of_site(histories: dict[str, History], *, step_minutes: int) -> dict[date, tuple[Decimal, bool]]:
    """Return energy and completeness of each day that has a reading."""
    kwh: dict[date, Decimal] = defaultdict(Decimal)
    readings: dict[date, int] = defaultdict(int)
    lives = []
    for history in histories.values():
        starts = list(history)
        lives.append((starts[0].date(), starts[-1].date()))
        for start, energy in history.items():
            kwh[start.date()] += energy
            readings[start.date()] += 1
    days = {}
    for day in sorted(kwh):
        expected_minutes = DAY_MINUTES * sum(first <= day <= last for first, last in lives)
        covered_minutes = readings[day] * step_minutes
        days[day] = (kwh[day], covered_minutes * 100 >= COMPLETE_PERCENT * expected_minutes)
    return days


def work_out(path: Path, *, step_minutes: int) -> dict[str, Any]:
    """Return all figures of the file as plain data, decimals rounded to nine places."""
    histories = read_histories(path)
    step = timedelta(minutes=step_minutes)
    appliances: dict[str, Any] = {}
    flagged = []
    for name, history in histories.items():
        spreads = spread(history.values())
        missing = gaps(history, step=step)
        above = []
        if spreads.std and spreads.threshold is not None:
            above = [(start, kwh) for start, kwh in history.items() if kwh > spreads.threshold]
            flagged += [
                ((kwh - spreads.mean) / spreads.std, start, name, kwh, spreads.threshold) for start, kwh in above
            ]
        appliances[name] = {
            "total_kwh": number(sum(history.values())),
            "avg_kwh": number(spreads.mean),
            "std_kwh": number(spreads.std),
            "count": len(history),
            "peak_hour": peak_hour(history),
            "threshold_kwh": number(spreads.threshold),
            "readings_above_threshold": len(above),
            "first": str(min(history)),
            "last": str(max(history)),
            "gaps": len(missing),
            "missing_intervals": sum(length for _, length in missing),
        }
    days = days_of_site(histories, step_minutes=step_minutes)
    whole = [(day, kwh) for day, (kwh, complete) in days.items() if complete]
    flagged.sort(key=lambda flag: (-flag[0], flag[1], flag[2]))
    return {
        "source": {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "step_minutes": step_minutes,
        },
        "appliances": appliances,
        "site": {
            "readings": sum(map(len, histories.values())),
            "total_kwh": number(sum(kwh for kwh, _ in days.values())),
            "days_with_readings": len(days),
            "complete_days": len(whole),
            "readings_above_threshold": len(flagged),
            "gaps": sum(figures["gaps"] for figures in appliances.values()),
            "missing_intervals": sum(figures["missing_intervals"] for figures in appliances.values()),
        },
        "first_complete_days_kwh": {str(day): number(kwh) for day, kwh in whole[:3]},
        "last_complete_days_kwh": {str(day): number(kwh) for day, kwh in whole[-3:]},
        "highest_z_scores": [
            {
                "timestamp": str(start),
                "appliance": name,
                "kwh": number(kwh),
                "threshold": number(threshold),
                "z_score": number(z_score),
            }
            for z_score, start, name, kwh, threshold in flagged[:3]
        ],
    }


def number(value: Decimal | int | None) -> float | None:
    return None if value is None else float(round(Decimal(value), DECIMALS))


def main() -> None:
    """Write the figures to `--out`, or to standard output."""
    parser = argparse.ArgumentParser(description="Work out reference figures of a readings file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--step-minutes", type=int, default=60)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with localcontext(Context(prec=DIGITS)):
        figures = work_out(options.file, step_minutes=options.step_minutes)
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
