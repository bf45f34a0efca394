"""Daily series out of folders of `timestamp,appliance,kwh` files, for training and benchmarks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COMPLETE_DAY_SHARE = 0.95
MIN_DAYS = 60


@dataclass(frozen=True, slots=True)
class Meter:
    """A daily series; meters of the same `home` are not independent of each other."""

    name: str
    home: str
    first_day: pd.Timestamp
    daily_kwh: NDArray[np.float64]


def read_meters(files: list[Path]) -> list[Meter]:
    """Read every series of the files, one per appliance, NaN where a day is not complete.

    The home is the folder, but for meters that are a home each: `meter_...`.
    """
    meters = []
    for file in files:
        table = pd.read_csv(file, usecols=["timestamp", "appliance", "kwh"])
        table["timestamp"] = pd.to_datetime(table["timestamp"])
        for appliance, rows in table.groupby("appliance", sort=True):
            name = str(appliance)
            home = name if name.startswith("meter_") else file.parent.name
            stamps = rows["timestamp"]
            step = stamps.diff().dropna().mode().iloc[0]
            per_day = pd.Timedelta(days=1) / step
            grouped = rows.groupby(stamps.dt.normalize())["kwh"]
            daily = grouped.sum().where(grouped.count() >= COMPLETE_DAY_SHARE * per_day)
            daily = daily.reindex(pd.date_range(daily.index.min(), daily.index.max(), freq="D"))
            first, last = daily.first_valid_index(), daily.last_valid_index()
            if first is None or last is None:
                continue
            daily = daily.loc[first:last]
            if daily.notna().sum() >= MIN_DAYS:
                meters.append(
                    Meter(
                        f"{file.parent.name}:{name}",
                        home,
                        pd.Timestamp(daily.index[0]),
                        daily.to_numpy(float),
                    )
                )
    return meters


def find_files(folder: Path) -> list[Path]:
    """List the CSV files of a folder and its subfolders that hold `timestamp,appliance,kwh` and nothing
    else."""
    found = []
    for file in sorted([*folder.rglob("*.csv"), *folder.rglob("*.csv.gz")]):
        if list(pd.read_csv(file, nrows=0).columns) == ["timestamp", "appliance", "kwh"]:
            found.append(file)
    return found
