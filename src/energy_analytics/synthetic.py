"""Invented readings of a home, by seed, with faults that are known because they were put there.

The same arguments give the same bytes on any machine: `random` gives nothing but `Random.random` (Python
promises its sequence), arithmetic nothing but what IEEE 754 rounds exactly, and energy is whole watt-hours
until it is written. Faults draw from a sequence of their own, so a home is the same with and without them.
"""

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Final

from .schema import RAW_ENERGY_DATA

DEFAULT_SEED: Final = 42
DEFAULT_DAYS: Final = 30
READINGS_FILE: Final = "energy_data.csv"
LABEL_COLUMNS: Final = ("start", "end", "appliance", "kind", "normal_kwh", "recorded_kwh", "injected_kwh")

HOURS: Final = 24
SLOTS: Final = 12
"""Five-minute slots of an hour: the shortest time that a thermostat leaves a compressor on or off."""
SATURDAY: Final = 5
WARMEST_DAY_OF_YEAR: Final = 205
DAYS_OF_YEAR: Final = 365.25

AC: Final = "AC"
REFRIGERATOR: Final = "Refrigerator"
HEATER: Final = "Heater"
WASHING_MACHINE: Final = "Washing Machine"

RATED_WH: Final = {AC: 3200, REFRIGERATOR: 380, HEATER: 3000, WASHING_MACHINE: 2000}
"""Energy of an hour without a pause. The order is the one in which an hour's readings are written."""

# How much is asked of the appliance by the hour, 0 to 1: who is at home and awake, and the heat of the day.
AT_HOME_WEEKDAY: Final = (
    0.30, 0.28, 0.26, 0.26, 0.28, 0.38, 0.58, 0.66, 0.48, 0.34, 0.32, 0.34,
    0.38, 0.38, 0.38, 0.42, 0.52, 0.70, 0.88, 1.00, 0.94, 0.80, 0.58, 0.40,
)  # fmt: skip
AT_HOME_WEEKEND: Final = (
    0.36, 0.32, 0.28, 0.26, 0.26, 0.28, 0.34, 0.48, 0.62, 0.70, 0.72, 0.72,
    0.76, 0.74, 0.70, 0.70, 0.74, 0.82, 0.92, 1.00, 0.96, 0.86, 0.68, 0.48,
)  # fmt: skip
HEAT_OF_DAY: Final = (
    0.34, 0.30, 0.27, 0.25, 0.24, 0.26, 0.32, 0.40, 0.50, 0.60, 0.70, 0.79,
    0.87, 0.93, 0.98, 1.00, 0.99, 0.95, 0.88, 0.79, 0.68, 0.57, 0.48, 0.40,
)  # fmt: skip

FAULT_EVERY_DAYS: Final = 4
"""One fault for so many days: in 30 days each of the seven kinds once."""
CLEAR_HOURS: Final = 24
"""Hours without a fault between two of the same appliance, and before the first."""
NOTICEABLE_SHARE: Final = 0.3
"""A fault changes its hours, summed without sign, by at least this share of the appliance's usual energy."""
MOST_TRIES: Final = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """Energy of one appliance in the hour that starts at `timestamp`."""

    timestamp: datetime
    appliance: str
    kwh: float


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was put into the readings: hours from `start` up to, not including, `end`."""

    start: datetime
    end: datetime
    appliance: str
    kind: str
    normal_kwh: float
    """What the appliance would have used in those hours."""
    recorded_kwh: float
    """What the readings say instead."""

    @property
    def injected_kwh(self) -> float:
        """Energy that the fault added; negative where it took some away."""
        return round(self.recorded_kwh - self.normal_kwh, 3)


Distort = Callable[[Sequence[int], int, int], list[int]]
"""Normal Wh by the hour, Wh of the hour before, rated Wh -> recorded Wh by the hour."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """How long a fault of this kind lasts, whom it befalls, and what it does to the readings."""

    hours: tuple[int, int]
    appliances: tuple[str, ...]
    distort: Distort


def _scaled(factor: float) -> Distort:
    return lambda normal, _, __: [round(wh * factor) for wh in normal]


def _drift(normal: Sequence[int], _: int, __: int) -> list[int]:
    """Grow steadily to 1.8 times the normal, as the use of a refrigerator whose door no longer closes."""
    return [round(wh * (1 + 0.8 * (hour + 1) / len(normal))) for hour, wh in enumerate(normal)]


_THERMOSTATS: Final = (AC, REFRIGERATOR, HEATER)

FAULT_KINDS: Final = {
    "spike": FaultKind((1, 2), (AC, HEATER, WASHING_MACHINE), lambda n, _, rated: [2 * rated + wh for wh in n]),
    "stuck_on": FaultKind((8, 20), _THERMOSTATS, lambda n, _, rated: [rated] * len(n)),
    "dead": FaultKind((12, 36), _THERMOSTATS, lambda n, _, __: [0] * len(n)),
    "high": FaultKind((24, 48), _THERMOSTATS, _scaled(1.7)),
    "low": FaultKind((24, 48), (AC, HEATER), _scaled(0.4)),
    "drift": FaultKind((96, 144), (REFRIGERATOR,), _drift),
    "frozen": FaultKind((10, 30), (AC, HEATER), lambda n, before, _: [before] * len(n)),
}


class TooShortError(ValueError):
    """Fewer than one day was asked for."""


def generate(
    *, start: date, days: int = DEFAULT_DAYS, seed: int = DEFAULT_SEED, with_faults: bool = True
) -> tuple[list[Reading], list[Fault]]:
    """Invent hourly readings of four appliances from `start` on, and the faults among them.

    Readings come by time, then in the order of `RATED_WH`; faults by start, about one in four days, none in
    fewer. `with_faults=False` gives the readings that the faults' `normal_kwh` refers to.
    """
    if days < 1:
        raise TooShortError(f"{days} days cannot be generated; ask for 1 or more.")
    home = _home(Random(seed), start=start, days=days)  # noqa: S311  # nosec B311
    faults: list[Fault] = []
    if with_faults:
        faults = _put_faults(home, Random(f"{seed} faults"), start=start)  # noqa: S311  # nosec B311
    readings = [
        Reading(_hour_of(start, hour), appliance, home[appliance][hour] / 1000)
        for hour in range(days * HOURS)
        for appliance in RATED_WH
    ]
    return readings, faults


def write(out: Path, *, readings: Iterable[Reading], faults: Iterable[Fault]) -> tuple[Path, Path]:
    """Write the readings and, beside them, the labels of the faults; return both paths.

    `out` is the CSV file of the readings, or a folder for `energy_data.csv`; the labels' name ends in `_labels`.
    The labels are no readings and cannot pass for any when the whole folder is uploaded: they have columns of
    their own (`LABEL_COLUMNS`), without `timestamp` and `kwh`, and so are refused.
    """
    path = out if out.suffix == ".csv" else out / READINGS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ((str(reading.timestamp), reading.appliance, f"{reading.kwh:.3f}") for reading in readings)
    labels = (
        (
            str(fault.start),
            str(fault.end),
            fault.appliance,
            fault.kind,
            *(f"{kwh:.3f}" for kwh in (fault.normal_kwh, fault.recorded_kwh, fault.injected_kwh)),
        )
        for fault in faults
    )
    return (
        _write_csv(path, RAW_ENERGY_DATA.column_names, rows),
        _write_csv(path.with_name(f"{path.stem}_labels.csv"), LABEL_COLUMNS, labels),
    )


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def _home(chance: Random, *, start: date, days: int) -> dict[str, list[int]]:
    """Return the Wh of each appliance by the hour, as they are without a fault."""
    cooling, fridge, heating, wash = ([] for _ in RATED_WH)
    for day in (start + timedelta(days=number) for number in range(days)):
        weekend = day.weekday() >= SATURDAY
        at_home = AT_HOME_WEEKEND if weekend else AT_HOME_WEEKDAY
        summer = _summer(day)
        warmth = min(1.0, max(0.0, 0.25 + 0.5 * summer + 0.12 * _bell(chance)))
        for present, heat in zip(at_home, HEAT_OF_DAY, strict=True):
            cooling.append(0.06 + (0.15 + 0.75 * warmth) * present * (0.35 + 0.65 * heat))
            heating.append(0.05 + (0.90 - 0.75 * warmth) * present * (1.15 - 0.65 * heat))
            fridge.append(0.30 + 0.08 * heat + 0.05 * present + 0.05 * warmth)
        wash += _wash_day(chance, weekend=weekend)
    return {
        AC: _cycle(cooling, chance, rated_wh=RATED_WH[AC], standby_wh=12),
        REFRIGERATOR: _cycle(fridge, chance, rated_wh=RATED_WH[REFRIGERATOR], standby_wh=2),
        HEATER: _cycle(heating, chance, rated_wh=RATED_WH[HEATER], standby_wh=4),
        WASHING_MACHINE: wash,
    }


def _summer(day: date) -> float:
    """Return the season from 0, the coldest day of the year, to 1, the warmest, smooth at both."""
    phase = (day.timetuple().tm_yday - WARMEST_DAY_OF_YEAR) % DAYS_OF_YEAR / DAYS_OF_YEAR
    distance = abs(1 - 2 * phase)
    return distance * distance * (3 - 2 * distance)


def _cycle(shares: Sequence[float], chance: Random, *, rated_wh: int, standby_wh: int) -> list[int]:
    """Serve a demand, by the hour as a share of full power, with an appliance that is either on or off.

    It switches on when it owes two slots of running and off when it owes none, as a thermostat with a dead
    band does.
    """
    owed_slots = chance.random()
    running = False
    by_hour = []
    for share in shares:
        asked = min(1.0, max(0.0, share * (1 + 0.12 * _bell(chance))))
        on_slots = 0
        for _ in range(SLOTS):
            owed_slots += asked
            running = owed_slots > 0 if running else owed_slots >= 2
            if running:
                owed_slots -= 1
                on_slots += 1
        wh = rated_wh * on_slots / SLOTS * (1 + 0.03 * _bell(chance))
        by_hour.append(max(0, round(wh)) + standby_wh)
    return by_hour


def _wash_day(chance: Random, *, weekend: bool) -> list[int]:
    """Return a day of the washing machine: standby, and on some days, mostly weekends, loads of two hours."""
    wh = [1 + round(chance.random()) for _ in range(HOURS)]
    loads = sum(chance.random() < share for share in ((0.8, 0.4) if weekend else (0.35, 0.0)))
    earliest = 9 if weekend else 18
    for load in range(loads):
        begins = earliest + 4 * load + int(3 * chance.random())
        wh[begins] += 850 + round(300 * chance.random())  # heats the water
        wh[begins + 1] += 200 + round(150 * chance.random())  # rinses and spins
    return wh


def _bell(chance: Random) -> float:
    """Draw from a bell curve of deviation 1, between -3.5 and 3.5.

    Four uniform draws added one by one: `gauss` rests on the C library, and `sum` rounds differently since
    Python 3.12.
    """
    total = chance.random() + chance.random() + chance.random() + chance.random()
    return (total - 2) * math.sqrt(3)


def _put_faults(home: dict[str, list[int]], chance: Random, *, start: date) -> list[Fault]:
    """Overwrite hours of `home` with faults, the kinds in turn; return their labels by start."""
    hours = len(home[AC])
    taken: dict[str, list[range]] = {appliance: [] for appliance in home}
    usual_wh = {appliance: sum(wh) / hours for appliance, wh in home.items()}
    kinds = sorted(FAULT_KINDS, key=lambda _: chance.random())
    faults = []
    for number in range(hours // HOURS // FAULT_EVERY_DAYS):
        name = kinds[number % len(kinds)]
        kind = FAULT_KINDS[name]
        for _ in range(MOST_TRIES):
            appliance = kind.appliances[int(len(kind.appliances) * chance.random())]
            length = kind.hours[0] + int((kind.hours[1] - kind.hours[0] + 1) * chance.random())
            first = CLEAR_HOURS + int(max(1, hours - length - CLEAR_HOURS + 1) * chance.random())
            span = range(first, first + length)
            if span.stop > hours or any(_near(span, other) for other in taken[appliance]):
                continue
            normal = home[appliance][span.start : span.stop]
            recorded = kind.distort(normal, home[appliance][span.start - 1], RATED_WH[appliance])
            changed_wh = sum(abs(after - before) for before, after in zip(normal, recorded, strict=True))
            if changed_wh < NOTICEABLE_SHARE * usual_wh[appliance] * length:
                continue
            home[appliance][span.start : span.stop] = recorded
            taken[appliance].append(span)
            faults.append(
                Fault(
                    start=_hour_of(start, span.start),
                    end=_hour_of(start, span.stop),
                    appliance=appliance,
                    kind=name,
                    normal_kwh=sum(normal) / 1000,
                    recorded_kwh=sum(recorded) / 1000,
                )
            )
            break
    return sorted(faults, key=lambda fault: (fault.start, fault.appliance))


def _near(span: range, other: range) -> bool:
    return span.start < other.stop + CLEAR_HOURS and other.start < span.stop + CLEAR_HOURS


def _hour_of(start: date, hour: int) -> datetime:
    return datetime.combine(start, time()) + timedelta(hours=hour)
