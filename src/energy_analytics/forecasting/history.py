"""What a model gets and what it gives back."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol

import numpy as np

from .experts import Array, Mask

MIN_COMPLETE_DAYS: Final = 14
"""Below two weeks no weekday has been seen twice: every model gives way to the moving average."""

MIN_MEASURED_DAYS: Final = 28
"""A coverage measured on fewer days says nothing and is not told."""


class ForecastError(ValueError):
    """The history cannot be forecast; the message says what arrived and what is needed."""


@dataclass(frozen=True, slots=True)
class History:
    """Daily energy from `first_day` on, kWh; NaN where the day is not complete.

    `holidays` (1 or True on a public holiday) and `temperature_c` (daily mean), if known, cover the history
    and the days to forecast.
    """

    first_day: date
    daily_kwh: Array
    holidays: Mask | None = None
    temperature_c: Array | None = None

    def __post_init__(self) -> None:
        """Refuse what no model can use."""
        if self.daily_kwh.ndim != 1:
            raise ForecastError(f"A history is one value per day; got an array of shape {self.daily_kwh.shape}.")
        known = self.daily_kwh[~np.isnan(self.daily_kwh)]
        if known.size == 0:
            raise ForecastError("The history has no complete day; a forecast needs at least one.")
        if np.isinf(known).any() or (known < 0).any():
            raise ForecastError(
                f"Daily energy must be finite and not negative; got {known.min()} to {known.max()} kWh."
            )
        for name, values in (("holidays", self.holidays), ("temperature_c", self.temperature_c)):
            if values is not None and (len(values) < len(self.daily_kwh) or not np.isfinite(values).all()):
                raise ForecastError(f"{name} must have a finite value for every day of the history and the days ahead.")

    @property
    def complete_days(self) -> int:
        """Number of days with a value."""
        return int((~np.isnan(self.daily_kwh)).sum())

    def until(self, days: int, *, horizon_days: int) -> "History":
        """Keep the first `days` days, and of the known inputs what belongs to them and to the days ahead."""
        end = days + horizon_days
        return replace(
            self,
            daily_kwh=self.daily_kwh[:days],
            holidays=None if self.holidays is None else self.holidays[:end],
            temperature_c=None if self.temperature_c is None else self.temperature_c[:end],
        )


@dataclass(frozen=True, slots=True)
class Score:
    """How a model did on the site's own past, over the same days as the others."""

    model: str
    mase: float
    """Mean absolute error over that of repeating the last week, of the year before each forecast; below 1
    is better."""
    wape: float
    """Absolute errors over energy, both summed."""
    coverage: float
    """Share of the days inside the prediction interval."""
    origins: int
    days: int
    """Forecasts made, and days that they could be compared on."""
    seconds: float
    """Time to score it."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Energy per day ahead and its prediction interval, kWh."""

    model: str
    """The model that made it, which need not be the one asked for."""
    mean: Array
    lower: Array
    upper: Array
    note: str = ""
    """What the reader should know, in whole sentences."""
    measured_coverage: float | None = None
    """Share of past days inside the interval, made the same way; None when it was not measured."""
    scores: tuple[Score, ...] = ()


class Model(Protocol):
    """A function listed in `MODELS`."""

    def __call__(self, history: History, *, horizon_days: int, level: float) -> Prediction:
        """Forecast the days after the history."""
        ...
