"""The mean of the last seven complete days, with a band that admits how little a short history tells."""

from typing import Final

import numpy as np

from .series import FEWEST_COMPLETE_DAYS, History, Prediction

_AVERAGED_DAYS: Final = 7
_SPREAD_DAYS: Final = 28
_NARROWEST_SHARE: Final = 0.1
"""Of the mean: half a band below this is not believed on fewer than 14 days."""

_T_90: Final = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356)
"""90 % quantile of Student's t for 1 to 12 degrees of freedom, so that the two-sided band holds 80 %."""
_NORMAL_90: Final = 1.2816


def moving_average(history: History, *, horizon_days: int) -> Prediction:
    """Predict every day ahead as the mean of the last seven complete days.

    The band is the prediction interval of one more day drawn as the last 28 complete days were (Student's t);
    a single day gives from nothing to twice its energy.
    """
    complete = history.daily_kwh[~np.isnan(history.daily_kwh)]
    mean = float(np.mean(complete[-_AVERAGED_DAYS:]))
    recent = complete[-_SPREAD_DAYS:]
    if len(recent) == 1:
        half = mean
    else:
        degrees = len(recent) - 1
        quantile = _T_90[degrees - 1] if degrees <= len(_T_90) else _NORMAL_90
        half = quantile * float(np.std(recent, ddof=1)) * (1 + 1 / len(recent)) ** 0.5
        if len(recent) < FEWEST_COMPLETE_DAYS:
            half = max(half, _NARROWEST_SHARE * mean)
    ahead = np.full(horizon_days, mean)
    return Prediction(mean=ahead, lower=np.maximum(ahead - half, 0.0), upper=ahead + half)
