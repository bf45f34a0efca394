"""Real series for the anomaly benchmark: whatever lies in a folder, by the hour, cut into stretches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.anomaly_faults import Floats

TUNING_SUBMETERS: Final = {"Kitchen", "Other", "Water heater & AC", "Appliances"}
"""The tuning half has these and every other smart meter; everything else is kept for the report."""

LABELLED: Final = ("label", "scenario", "window")
"""A file with such a column is not a plain series."""

LEAST_KNOWN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hourly energy from a midnight on, NaN where hours are missing."""

    meter: str
    start: pd.Timestamp
    kwh: Floats

    @property
    def months(self) -> float:
        """Months of 30 days that have readings."""
        return float(np.isfinite(self.kwh).sum()) / (30 * 24)

    def readings(self, kwh: Floats | None = None, *, hours: int | None = None) -> pd.DataFrame:
        """Return the first `hours` as readings, with other energies where given."""
        values = (self.kwh if kwh is None else kwh)[:hours]
        stamps = pd.date_range(self.start, periods=len(values), freq="h")
        frame = pd.DataFrame({"timestamp": stamps, "appliance": self.meter, "kwh": values})
        return frame[np.isfinite(values)]

    def places(self, moments: pd.Series) -> Floats:
        """Return moments as hours since the start."""
        return np.array((moments - self.start) / pd.Timedelta("1h"), dtype=np.float64)


def hourly_series(folder: Path) -> dict[str, Stretch]:
    """Read every plain `timestamp,appliance,kwh` file below a folder; of a meter in two files, the longer."""
    series: dict[str, Stretch] = {}
    for path in sorted(folder.rglob("*.csv.gz")):
        columns = pd.read_csv(path, nrows=0).columns
        if not {"timestamp", "appliance", "kwh"} <= set(columns) or set(LABELLED) & set(columns):
            continue
        frame = pd.read_csv(path, usecols=["timestamp", "appliance", "kwh"], parse_dates=["timestamp"])
        for appliance, rows in frame.groupby("appliance"):
            name = str(appliance)
            hourly = _by_the_hour(rows)
            if name not in series or len(hourly.kwh) > len(series[name].kwh):
                series[name] = Stretch(name, hourly.start, hourly.kwh)
    return series


def _by_the_hour(rows: pd.DataFrame) -> Stretch:
    readings = rows.drop_duplicates("timestamp").set_index("timestamp")["kwh"].sort_index()
    step = readings.index.to_series().diff().mode()[0]
    hours = readings.resample("1h")
    kwh = hours.sum().where(hours.count() >= max(pd.Timedelta("1h") / step, 1))
    kwh = kwh.loc[kwh.index[0].ceil("D") :]
    return Stretch("", kwh.index[0], kwh.to_numpy(dtype=np.float64))


def halves(series: dict[str, Stretch]) -> dict[str, list[Stretch]]:
    """Return the series that rules were tuned on and those kept for the report."""
    meters = sorted(name for name in series if name.startswith("meter_"))
    tuning = set(meters[::2]) | TUNING_SUBMETERS
    return {
        "tuning": [series[name] for name in sorted(series) if name in tuning],
        "report": [series[name] for name in sorted(series) if name not in tuning],
    }


def stretches(series: list[Stretch], *, days: int) -> list[Stretch]:
    """Cut series into stretches of so many days; a last one of half that is kept."""
    size = days * 24
    cut: list[Stretch] = []
    for whole in series:
        for first in range(0, max(len(whole.kwh) - size // 2, 1), size):
            kwh = whole.kwh[first : first + size]
            known = np.isfinite(kwh)
            if known.sum() >= LEAST_KNOWN * min(days, 120) * 24 * 0.9 and np.nanmax(kwh) > 0:
                cut.append(Stretch(whole.meter, whole.start + pd.Timedelta(hours=first), kwh))
    return cut
