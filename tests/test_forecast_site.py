"""A site of many appliances, inputs known ahead, and a series taken apart."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from energy_analytics.forecasting import (
    ForecastError,
    Prediction,
    decompose,
    forecast,
    forecast_appliances,
    reconcile,
)

START = pd.Timestamp("2025-01-06")  # a Monday


def part(mean: float, half: float) -> Prediction:
    return Prediction("m", np.array([mean]), np.array([max(mean - half, 0)]), np.array([mean + half]))


def test_the_difference_goes_where_the_uncertainty_is():
    made = reconcile({"a": part(10, 2), "b": part(10, 1), "dead": part(0, 0)}, np.array([25.0]))
    # 5 kWh more, by squared widths of 16 to 4.
    assert made["a"].mean[0] == pytest.approx(14)
    assert made["b"].mean[0] == pytest.approx(11)
    assert made["dead"].mean[0] == 0
    assert (made["a"].lower[0], made["a"].upper[0]) == pytest.approx((12, 16))


def test_nothing_goes_below_zero_when_the_total_is_smaller():
    made = reconcile({"a": part(1, 5), "b": part(10, 5)}, np.array([5.0]))
    assert made["a"].mean[0] == 0
    assert made["b"].mean[0] == pytest.approx(5)


def test_a_total_of_zero_and_a_total_of_dead_parts():
    assert reconcile({"a": part(3, 1)}, np.array([0.0]))["a"].mean[0] == 0
    made = reconcile({"a": part(0, 0), "b": part(0, 0)}, np.array([2.0]))
    assert made["a"].mean[0] + made["b"].mean[0] == pytest.approx(2)


def site(days: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        {
            "heat pump": 12 + rng.normal(0, 2, days),
            "oven": np.where(rng.random(days) < 0.3, 1.8, 0.0),
            "broken": np.zeros(days),
            "new fridge": 1 + rng.normal(0, 0.05, days),
            "dryer": rng.gamma(1, 2, days),
        },
        index=pd.date_range(START, periods=days),
    )
    table.loc[table.index[: days - 9], "new fridge"] = np.nan
    table.loc[table.index[5:9], "dryer"] = np.nan
    return table


def test_appliances_sum_to_the_site_on_every_day():
    daily = site()
    total = forecast(daily.fillna(0).sum(axis=1))
    parts = forecast_appliances(daily, total_kwh=total["yhat"])
    assert list(parts.columns) == ["appliance", "ds", "yhat", "yhat_lower", "yhat_upper"]
    assert parts.groupby("ds")["yhat"].sum().to_numpy() == pytest.approx(total["yhat"].to_numpy(), rel=1e-12)
    assert (parts["yhat_lower"] >= 0).all()
    assert (parts["yhat_lower"] <= parts["yhat"] + 1e-12).all()
    assert (parts["yhat"] <= parts["yhat_upper"] + 1e-12).all()
    assert parts.attrs["models"]["new fridge"] == "moving_average"
    broken = parts[parts["appliance"] == "broken"]
    assert broken["yhat"].max() < 1e-3


def test_an_appliance_without_a_complete_day_is_named_and_left_out():
    daily = site()
    daily["unplugged"] = np.nan
    parts = forecast_appliances(daily, total_kwh=[20.0] * 7)
    assert parts.attrs["left_out"] == ["unplugged"]
    assert parts.groupby("ds")["yhat"].sum().to_numpy() == pytest.approx(np.full(7, 20.0))


def test_a_batch_gives_what_each_series_gives_alone():
    daily = site()[["heat pump", "oven"]]
    together = forecast_appliances(daily, total_kwh=_sum_of_each(daily))
    for name in daily.columns:
        alone = forecast(daily[name], model="ensemble")["yhat"].to_numpy()
        assert together.loc[together["appliance"] == name, "yhat"].to_numpy() == pytest.approx(alone, rel=1e-9)


def _sum_of_each(daily: pd.DataFrame) -> np.ndarray:
    return sum(forecast(daily[name], model="ensemble")["yhat"].to_numpy() for name in daily.columns)


def heated(days: int) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    """10 kWh and 1.5 kWh for each degree below 15.5; the temperature changes from day to day."""
    rng = np.random.default_rng(8)
    index = pd.date_range(START, periods=days + 7)
    celsius = pd.Series(6 + rng.normal(0, 5, days + 7), index)
    kwh = 10 + 1.5 * (15.5 - celsius).clip(lower=0) + rng.normal(0, 0.8, days + 7)
    return kwh, celsius


def test_a_known_temperature_is_used():
    kwh, celsius = heated(200)
    past, actual = kwh.iloc[:-7], kwh.iloc[-7:].to_numpy()
    plain = forecast(past, model="ensemble")["yhat"].to_numpy()
    informed = forecast(past, model="ensemble", temperature=celsius)
    assert np.abs(informed["yhat"] - actual).mean() < 0.6 * np.abs(plain - actual).mean()


def test_known_holidays_are_used():
    days = 380
    index = pd.date_range(START, periods=days + 7)
    free = index[np.arange(days + 7) % 23 == 20].union([index[days + 2]])
    load = 100 - 40 * (index.day_of_week >= 5) - 50 * index.isin(free)
    load = pd.Series(load + np.random.default_rng(1).normal(0, 3, days + 7), index)
    past = load.iloc[:days]
    plain = forecast(past, model="ensemble")
    by_dates = forecast(past, model="ensemble", holidays=[day.date() for day in free])
    by_flags = forecast(past, model="ensemble", holidays=pd.Series(1, free))
    assert by_dates["yhat"].tolist() == by_flags["yhat"].tolist()
    assert by_dates["yhat"].iloc[2] < plain["yhat"].iloc[2] - 15


def test_a_temperature_that_ends_too_early_is_refused():
    kwh, celsius = heated(100)
    with pytest.raises(ForecastError, match="must cover the days to forecast, 2025-04-16 to 2025-04-22"):
        forecast(kwh.iloc[:-7], temperature=celsius.iloc[:-3])


def test_parts_of_a_series_sum_to_it_and_are_what_was_put_in():
    days = np.arange(1100)
    shape = np.array([0, 0, 0, 0, 0, 5.0, 2.0])
    year = 4 * np.cos(2 * np.pi * days / 365.25)
    kwh = 20 + shape[days % 7] + year + np.random.default_rng(0).normal(0, 0.5, 1100)
    kwh[[3, 400]] = np.nan
    table = decompose(pd.Series(kwh, pd.date_range(START, periods=1100)))
    total = table[["trend", "weekly", "yearly", "residual"]].sum(axis=1, skipna=False)
    assert total.dropna().to_numpy() == pytest.approx(table["kwh"].dropna().to_numpy())
    assert table["residual"].isna().sum() == 2
    assert table["weekly"].iloc[:7].to_numpy() == pytest.approx(shape - 1, abs=0.3)
    assert table["yearly"].to_numpy() == pytest.approx(year, abs=0.4)
    assert table["residual"].std() < 0.7


def test_a_short_series_has_no_yearly_part():
    table = decompose(pd.Series(np.arange(40.0), pd.date_range(START, periods=40)))
    assert (table["yearly"] == 0).all()
    assert table["trend"].to_numpy() == pytest.approx(np.arange(40.0), abs=1)


def test_a_day_of_readings_in_a_timezone_is_a_local_day():
    index = pd.date_range("2026-03-20", periods=20, freq="D", tz="Europe/Paris")  # over a day of 23 hours
    made = forecast(pd.Series(np.full(20, 5.0), index), model="moving_average")
    assert made["ds"].iloc[0].date() == date(2026, 3, 20) + timedelta(days=20)
