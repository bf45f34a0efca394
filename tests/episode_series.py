"""Series whose faults are known, for the tests of episodes."""

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-01-01")  # a Monday


def household(*, days: int = 84, seed: int = 1, noise: float = 0.1) -> np.ndarray:
    """Return hourly kWh of a home: 0.2 at night, more by day and at weekends, a peak from 18:00."""
    hour = np.arange(days * 24)
    of_day, day = hour % 24, hour // 24
    shape = np.where(of_day < 6, 0.2, np.where((of_day >= 18) & (of_day < 22), 1.5, 0.6))
    shape = shape * np.where(day % 7 >= 5, 1.2, 1.0)
    return shape * np.random.default_rng(seed).lognormal(0, noise, len(hour))


def readings(kwh: np.ndarray, *, appliance: str = "Home", freq: str = "1h") -> pd.DataFrame:
    stamps = pd.date_range(START, periods=len(kwh), freq=freq)
    frame = pd.DataFrame({"timestamp": stamps, "appliance": appliance, "kwh": kwh})
    return frame[np.isfinite(kwh)]


def at(day: int, hour: int = 0) -> int:
    """Return the place of an hour in an hourly series."""
    return day * 24 + hour


def moment(day: int, hour: int = 0) -> pd.Timestamp:
    return START + pd.Timedelta(days=day, hours=hour)
