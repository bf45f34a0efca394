"""The seven days ahead of histories whose continuation is plain."""

from datetime import date, timedelta

import numpy as np
import pytest

from energy_analytics.forecasting import UnknownModelError, forecast_days
from energy_analytics.results import DayTotal, Forecast

MONDAY = date(2026, 2, 2)


def history(kwh: list[float | None], *, last_coverage: float = 1.0) -> list[DayTotal]:
    """Days from a Monday on; None is a day of which only a fifth was read."""
    days = [
        DayTotal(MONDAY + timedelta(days=n), value or 1.0, 0.2 if value is None else 1.0, value is not None, {})
        for n, value in enumerate(kwh)
    ]
    last = days[-1]
    if last_coverage != 1.0:
        days[-1] = DayTotal(last.day, last.kwh, last_coverage, False, {})
    return days


def test_prophet_continues_a_weekly_rhythm() -> None:
    week = [10.0, 10, 10, 10, 10, 20, 20]
    forecast = forecast_days(history(week * 8), model="prophet")
    assert forecast.model == "prophet"
    assert forecast.trained_on_days == 56
    assert [day.day for day in forecast.days] == [MONDAY + timedelta(days=56 + n) for n in range(7)]
    assert [day.yhat for day in forecast.days] == pytest.approx(week, abs=0.5)


def test_prophet_gives_the_same_bytes_and_leaves_the_global_generator_alone() -> None:
    days = history([10.0 + n % 7 + (n * 7919 % 13) / 13 for n in range(60)])
    before = np.random.get_state()[1].tolist()
    first, second = (forecast_days(days, model="prophet") for _ in range(2))
    assert first == second
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("model", ["prophet", "moving_average"])
def test_nothing_is_negative_and_the_bounds_are_in_order(model: str) -> None:
    falling = [max(0.0, 40.0 - n) for n in range(45)]
    for day in forecast_days(history(falling), model=model).days:
        assert 0 <= day.yhat_lower <= day.yhat <= day.yhat_upper


def test_below_14_complete_days_the_moving_average_takes_over_with_a_wide_band() -> None:
    forecast = forecast_days(history([10.0, 12.0, 11.0, 13.0]), model="prophet")
    assert forecast.model == "moving_average"
    assert "4 complete days" in forecast.assumption
    day = forecast.days[0]
    assert day.yhat == 11.5
    spread = (((1.5**2 + 0.5**2) * 2) / 3) ** 0.5  # of 10, 11, 12, 13 around 11.5
    assert day.yhat_upper - day.yhat == pytest.approx(1.638 * spread * (1 + 1 / 4) ** 0.5)


def test_one_day_gives_a_band_from_nothing_to_twice_its_energy() -> None:
    day = forecast_days(history([10.0]), model="prophet").days[0]
    assert (day.yhat_lower, day.yhat, day.yhat_upper) == (0.0, 10.0, 20.0)


def test_without_a_complete_day_there_is_no_forecast() -> None:
    assert forecast_days(history([None, None]), model="prophet") == Forecast(
        "none", (), 0, "No day of the history is complete, so there is nothing to learn from."
    )


def test_incomplete_days_are_not_learnt_from() -> None:
    with_holes = [10.0 if n % 5 else None for n in range(40)]
    for day in forecast_days(history(with_holes), model="moving_average").days:
        assert day.yhat == 10.0


@pytest.mark.parametrize(("coverage", "first_ahead"), [(0.9, 20), (0.3, 19)])
def test_a_last_day_hardly_begun_is_forecast_itself(coverage: float, first_ahead: int) -> None:
    days = history([10.0] * 20, last_coverage=coverage)
    assert forecast_days(days, model="moving_average").days[0].day == MONDAY + timedelta(days=first_ahead)


def test_an_unknown_model_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownModelError, match=r"'oracle'.*prophet, moving_average"):
        forecast_days(history([10.0] * 20), model="oracle")
