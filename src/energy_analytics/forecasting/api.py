"""The public functions: pandas in, pandas out."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from .appliances import forecast_each, reconcile
from .decomposition import decompose_days
from .experts import Array, Mask
from .history import ForecastError, History, Prediction
from .models import MODELS


def forecast(
    daily: "pd.Series[float]",
    *,
    horizon_days: int = 7,
    model: str = "auto",
    level: float = 0.8,
    holidays: "pd.Series[Any] | Iterable[date] | None" = None,
    temperature: "pd.Series[float] | None" = None,
) -> pd.DataFrame:
    """Forecast daily energy: `ds,yhat,yhat_lower,yhat_upper`, one row for each of the days after the index
    ends.

    `daily` is kWh with a daily DatetimeIndex, NaN where the day is not complete. `level` is the coverage
    asked of the prediction interval. `holidays` are dates, or flags by day; `temperature` is the daily mean
    in degrees Celsius by day, forecast days included. Both are used by the ensemble. `.attrs` holds `model`
    (the one used), `note`, `level`, `measured_coverage` and `scores` (a dict per model scored). Raise
    ForecastError for a history without a complete day.
    """
    _check(horizon_days=horizon_days, level=level)
    if model not in MODELS:
        raise ForecastError(f"There is no model {model!r}; the models are {', '.join(MODELS)}.")
    history = make_history(daily, horizon_days=horizon_days, holidays=holidays, temperature=temperature)
    made = MODELS[model](history, horizon_days=horizon_days, level=level)
    table = _table(history, made)
    table.attrs = {
        "model": made.model,
        "note": made.note,
        "level": level,
        "measured_coverage": made.measured_coverage,
        "scores": [asdict(line) for line in made.scores],
    }
    return table


def forecast_appliances(daily: pd.DataFrame, *, total_kwh: Iterable[float], level: float = 0.8) -> pd.DataFrame:
    """Forecast every appliance so that the forecasts sum to the site's:
    `appliance,ds,yhat,yhat_lower,yhat_upper`.

    `daily` has a daily DatetimeIndex and a column of kWh per appliance; `total_kwh` is the site's `yhat`, a
    value per day ahead. An appliance without a complete day is left out and named in `.attrs["left_out"]`.
    """
    total = np.asarray(list(total_kwh), dtype=np.float64)
    _check(horizon_days=len(total), level=level)
    left_out = [str(name) for name in daily.columns if daily[name].notna().sum() == 0]
    histories = {
        str(name): make_history(daily[name], horizon_days=len(total))
        for name in daily.columns
        if str(name) not in left_out
    }
    parts = reconcile(forecast_each(histories, horizon_days=len(total), level=level), total)
    tables = []
    for name, part in parts.items():
        table = _table(histories[name], part)
        table.insert(0, "appliance", name)
        tables.append(table)
    columns = ["appliance", "ds", "yhat", "yhat_lower", "yhat_upper"]
    joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    joined.attrs = {"left_out": left_out, "models": {name: part.model for name, part in parts.items()}}
    return joined


def decompose(daily: "pd.Series[float]") -> pd.DataFrame:
    """Take a daily series apart: `ds,kwh,trend,weekly,yearly,residual`, the last four summing to `kwh`."""
    history = make_history(daily, horizon_days=0)
    trend, weekly, yearly, residual = decompose_days(history.daily_kwh)
    return pd.DataFrame(
        {
            "ds": pd.date_range(history.first_day, periods=len(trend), freq="D"),
            "kwh": history.daily_kwh,
            "trend": trend,
            "weekly": weekly,
            "yearly": yearly,
            "residual": residual,
        }
    )


def make_history(
    daily: "pd.Series[float]",
    *,
    horizon_days: int,
    holidays: "pd.Series[Any] | Iterable[date] | None" = None,
    temperature: "pd.Series[float] | None" = None,
) -> History:
    """Turn a pandas series into a History: local days in order, an absent day as NaN."""
    days = _days_of(daily, what="daily")
    if not len(days):
        raise ForecastError("The history is empty; a forecast needs at least one complete day.")
    values = pd.Series(daily.to_numpy(dtype=np.float64, na_value=np.nan), index=days)
    span = pd.date_range(days.min(), days.max() + pd.Timedelta(days=horizon_days), freq="D")
    past = span[: len(span) - horizon_days]
    return History(
        first_day=past[0].date(),
        daily_kwh=np.asarray(values.reindex(past), dtype=np.float64),
        holidays=None if holidays is None else _flags(holidays, span),
        temperature_c=None if temperature is None else _temperatures(temperature, span, horizon_days),
    )


def _check(*, horizon_days: int, level: float) -> None:
    if horizon_days < 1 or horizon_days > 35:
        raise ForecastError(f"horizon_days must be 1 to 35; got {horizon_days}.")
    if not 0 < level < 1:
        raise ForecastError(f"level is a share between 0 and 1, such as 0.8; got {level}.")


def _days_of(series: "pd.Series[Any]", *, what: str) -> pd.DatetimeIndex:
    index = series.index
    if not isinstance(index, pd.DatetimeIndex):
        raise ForecastError(f"{what} needs a daily DatetimeIndex; got {type(index).__name__}.")
    days = index.tz_localize(None).normalize()
    if not days.is_unique:
        raise ForecastError(f"{what} has a day twice: {days[days.duplicated()][0]:%Y-%m-%d}.")
    return days


def _flags(holidays: "pd.Series[Any] | Iterable[date]", span: pd.DatetimeIndex) -> Mask:
    if isinstance(holidays, pd.Series):
        days = _days_of(holidays, what="holidays")[holidays.fillna(0).to_numpy().astype(bool)]
    else:
        days = pd.DatetimeIndex([pd.Timestamp(day) for day in holidays])
    return np.asarray(span.isin(days))


def _temperatures(temperature: "pd.Series[float]", span: pd.DatetimeIndex, horizon_days: int) -> Array:
    """Align by day; a gap in the past takes the last value before it."""
    values = pd.Series(temperature.to_numpy(dtype=np.float64), index=_days_of(temperature, what="temperature"))
    aligned = values.reindex(span)
    if aligned.iloc[len(span) - horizon_days :].isna().any():
        first, last = span[-horizon_days], span[-1]
        raise ForecastError(f"temperature must cover the days to forecast, {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
    return np.asarray(aligned.ffill().bfill().to_numpy(dtype=np.float64))


def _table(history: History, made: Prediction) -> pd.DataFrame:
    first = pd.Timestamp(history.first_day) + pd.Timedelta(days=len(history.daily_kwh))
    return pd.DataFrame(
        {
            "ds": pd.date_range(first, periods=len(made.mean), freq="D"),
            "yhat": made.mean,
            "yhat_lower": made.lower,
            "yhat_upper": made.upper,
        }
    )
