"""What changed apart from the weather: a regression on degree days.

The use of a day is taken as a level, plus so much for every degree by which it was colder than 15.5 °C, plus so much
for every degree by which it was warmer than 22 °C. The two slopes are those of the days within each of the two spans,
so a change of level between the spans does not pass for weather (ordinary least squares after taking away each
span's mean). What is left of the change between the spans, once the weather's part is taken off, is the answer.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from energy_analytics.results import DayTotal

HEATING_BELOW_C: Final = 15.5
COOLING_ABOVE_C: Final = 22.0
"""Bases of degree days: those of the UK's statistics, for homes and for cooling."""
MIN_DAYS: Final = 21
"""Days with a temperature that each span needs: three weeks, for two slopes."""
SURE: Final = 3.0
"""Standard errors by which a slope must lie above zero; a weaker one says that the weather hardly matters."""
ASSUMPTION: Final = (
    "The weather's part is what each degree below 15.5 °C or above 22 °C took within these weeks, from the "
    "temperatures you gave (a degree-day regression)."
)


def change_at_same_weather(
    recent: Sequence[DayTotal], before: Sequence[DayTotal], temperature_c: Mapping[date, float]
) -> float | None:
    """Return by how many kWh a day the use changed that the weather does not explain.

    None where temperatures are missing, or use does not follow them.
    """
    spans = [[day for day in days if day.day in temperature_c] for days in (recent, before)]
    if any(len(days) < MIN_DAYS for days in spans):
        return None
    kwh = [np.array([day.kwh for day in days]) for days in spans]
    degrees = [_degree_days(np.array([temperature_c[day.day] for day in days])) for days in spans]
    within_kwh = np.concatenate([one - one.mean() for one in kwh])
    within = np.concatenate([one - one.mean(axis=0) for one in degrees])
    slopes = _sure_slopes(within, within_kwh)
    if not slopes.any():
        return None
    weather_kwh = float((degrees[0].mean(axis=0) - degrees[1].mean(axis=0)) @ slopes)
    return float(kwh[0].mean() - kwh[1].mean()) - weather_kwh


def _degree_days(temperature_c: np.ndarray) -> np.ndarray:
    """Return two columns: degrees of heating and of cooling."""
    return np.column_stack(
        [np.maximum(HEATING_BELOW_C - temperature_c, 0.0), np.maximum(temperature_c - COOLING_ABOVE_C, 0.0)]
    )


def _sure_slopes(degrees: np.ndarray, kwh: np.ndarray) -> np.ndarray:
    """Fit kWh per degree; a column whose slope is not surely above zero gets none."""
    kept = [column for column in range(degrees.shape[1]) if float(np.ptp(degrees[:, column])) > 1.0]
    slopes = np.zeros(degrees.shape[1])
    while kept:
        used = degrees[:, kept]
        found, *_ = np.linalg.lstsq(used, kwh, rcond=None)
        left = kwh - used @ found
        freedom = len(kwh) - len(kept) - 2
        errors = np.sqrt(np.diag(np.linalg.pinv(used.T @ used)) * float(left @ left) / freedom)
        sure = [bool(slope > SURE * error) for slope, error in zip(found, errors, strict=True)]
        if all(sure):
            slopes[kept] = found
            break
        kept = [column for column, good in zip(kept, sure, strict=True) if good]
    return slopes
