"""The seven days ahead of histories whose continuation is plain."""

from datetime import date, timedelta

import numpy as np
import pytest

from energy_analytics.forecasting import UnknownModelError, forecast_parts, forecast_site, history_of, take_apart
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


def ahead(days: list[DayTotal], model: str) -> Forecast:
    return forecast_site(history_of(days), model=model)


def test_prophet_continues_a_weekly_rhythm() -> None:
    week = [10.0, 10, 10, 10, 10, 20, 20]
    forecast = ahead(history(week * 8), "prophet")
    assert forecast.model == "prophet"
    assert forecast.trained_on_days == 56
    assert [day.day for day in forecast.days] == [MONDAY + timedelta(days=56 + n) for n in range(7)]
    assert [day.yhat for day in forecast.days] == pytest.approx(week, abs=0.5)


@pytest.mark.parametrize("model", ["prophet", "auto"])
def test_the_same_history_gives_the_same_forecast_and_leaves_the_global_generator_alone(model: str) -> None:
    days = history([10.0 + n % 7 + (n * 7919 % 13) / 13 for n in range(60)])
    before = np.random.get_state()[1].tolist()
    first, second = (ahead(days, model) for _ in range(2))
    assert first.days == second.days
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("model", ["prophet", "moving_average", "seasonal_naive", "ensemble", "auto"])
def test_nothing_is_negative_and_the_bounds_are_in_order(model: str) -> None:
    falling = [max(0.0, 40.0 - n) for n in range(45)]
    for day in ahead(history(falling), model).days:
        assert 0 <= day.yhat_lower <= day.yhat <= day.yhat_upper


@pytest.mark.parametrize("model", ["prophet", "auto"])
def test_below_14_complete_days_the_moving_average_takes_over_and_says_so(model: str) -> None:
    forecast = ahead(history([10.0, 12.0, 11.0, 13.0]), model)
    assert forecast.model == "moving_average"
    assert "4 complete days" in forecast.assumption
    assert all(day.yhat == 11.5 and day.yhat_upper - day.yhat_lower > 3 for day in forecast.days)


def test_auto_shows_a_scoreboard_over_the_same_days() -> None:
    forecast = ahead(history([10.0 + 3 * (n % 7) + (n * 7919 % 13) / 13 for n in range(200)]), "auto")
    assert {one.model for one in forecast.scores} == {"ensemble", "prophet", "moving_average", "seasonal_naive"}
    assert len({one.days for one in forecast.scores}) == 1
    assert forecast.measured_coverage is not None


def test_parts_sum_to_the_site() -> None:
    days = history([30.0 + 5 * (n % 7) for n in range(60)])
    site = history_of(days)
    whole = forecast_site(site, model="ensemble")
    parts = forecast_parts(
        site,
        {
            "Heater": {day.day: 20.0 + 5 * (n % 7) for n, day in enumerate(days)},
            "Dead": {day.day: 0.0 for day in days},
            "New": {day.day: 10.0 for day in days[-3:]},
            "Never whole": {},
        },
        whole,
    )
    assert [part.appliance for part in parts] == ["Heater", "Dead", "New"]
    for n, day in enumerate(whole.days):
        assert sum(part.days[n].yhat for part in parts) == pytest.approx(day.yhat, rel=1e-9)
        assert all(0 <= part.days[n].yhat_lower <= part.days[n].yhat <= part.days[n].yhat_upper for part in parts)


def test_a_history_taken_apart_adds_up_again() -> None:
    parts = take_apart(history_of(history([30.0 + 5 * (n % 7) for n in range(60)])))
    for sums in zip(parts.kwh, parts.trend_kwh, parts.weekly_kwh, parts.yearly_kwh, parts.residual_kwh, strict=True):
        assert sums[0] == pytest.approx(sum(sums[1:]))
    assert parts.weekly_kwh[6] - parts.weekly_kwh[0] == pytest.approx(30.0, abs=1.0)


def test_incomplete_days_are_not_learnt_from() -> None:
    with_holes = [10.0 if n % 5 else None for n in range(40)]
    for day in ahead(history(with_holes), "moving_average").days:
        assert day.yhat == 10.0


@pytest.mark.parametrize(("coverage", "first_ahead"), [(0.9, 20), (0.3, 19)])
def test_a_last_day_hardly_begun_is_forecast_itself(coverage: float, first_ahead: int) -> None:
    days = history([10.0] * 20, last_coverage=coverage)
    assert ahead(days, "moving_average").days[0].day == MONDAY + timedelta(days=first_ahead)


def test_temperatures_must_reach_the_days_ahead_and_gaps_take_the_last_one() -> None:
    days = history([10.0] * 20)
    warm = {MONDAY + timedelta(days=n): 5.0 + n for n in range(27) if n != 3}
    known = history_of(days, temperature_c=warm).temperature_c
    assert known is not None and known[2:5].tolist() == [7.0, 7.0, 9.0]
    assert history_of(days, temperature_c=dict.fromkeys(list(warm)[:20], 5.0)).temperature_c is None


def test_an_unknown_model_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownModelError, match=r"'oracle'.*prophet, moving_average"):
        ahead(history([10.0] * 20), "oracle")
