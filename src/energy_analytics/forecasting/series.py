"""What a forecasting model takes and gives."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST_COMPLETE_DAYS: Final = 14
"""Two of each weekday: below that, no model of a week can be fitted, and Prophet runs off."""


@dataclass(frozen=True, slots=True)
class History:
    """Energy per local day, kWh, from `first_day` on; NaN where the day is not complete. Ends on any day."""

    first_day: date
    daily_kwh: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Energy per day ahead, kWh, and the ends of the prediction interval; arrays of the horizon's length."""

    mean: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
