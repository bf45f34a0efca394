"""Scores, the choice between models, intervals and trees, on numbers worked out by hand or simulated."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from energy_analytics.forecasting import ForecastError, History, Score, backtest, forecast
from energy_analytics.forecasting.backtest import rolling_origins
from energy_analytics.forecasting.correction import ARTEFACT, NAMES, load_correction
from energy_analytics.forecasting.intervals import PRIOR_FACTOR, half_width_ratios, widening, width_factor
from energy_analytics.forecasting.models import choose
from energy_analytics.forecasting.prophet_mode import prophet_mode
from energy_analytics.forecasting.prophet_model import fit_prophet
from energy_analytics.forecasting.scoring import Trial, naive_scale, score
from energy_analytics.forecasting.trees import Trees

START = date(2026, 1, 5)


def test_scores_by_hand():
    daily = np.r_[np.full(7, 10.0), np.full(7, 12.0), 15.0, np.nan]  # every change from a week before is 2
    trial = Trial(13, np.array([14.0, 9.0]), np.array([12.0, 8.0]), np.array([14.5, 10.0]), np.array([15.0, np.nan]))
    line = score("m", daily, [trial], seconds=0.0)
    assert naive_scale(daily, 13) == 2
    assert line.mase == pytest.approx(1 / 2)
    assert line.wape == pytest.approx(1 / 15)
    assert line.coverage == 0
    assert (line.origins, line.days) == (1, 1)


def test_a_series_that_never_changes_has_no_mase():
    trial = Trial(20, np.ones(7), np.ones(7), np.ones(7), np.ones(7))
    line = score("m", np.ones(28), [trial], seconds=0.0)
    assert np.isnan(line.mase)
    assert (line.wape, line.coverage) == (0, 1)


def line(model: str, mase: float, *, days: int = 84) -> Score:
    return Score(model, mase, 0.1, 0.8, 12, days, 0.0)


def test_the_ensemble_is_used_unless_clearly_beaten_on_enough_days():
    assert choose((line("ensemble", 1.0), line("prophet", 0.95))) == "ensemble"
    assert choose((line("ensemble", 1.0), line("prophet", 0.85), line("moving_average", 0.8))) == "moving_average"
    assert choose((line("ensemble", 1.0), line("prophet", 0.5, days=14))) == "ensemble"
    assert choose((line("ensemble", float("nan")), line("prophet", float("nan")))) == "ensemble"


def test_auto_reports_every_model_and_uses_one_of_them():
    rng = np.random.default_rng(2)
    daily = pd.Series(20 + rng.normal(0, 2, 200), pd.date_range(START, periods=200))
    made = forecast(daily)
    scores = {entry["model"]: entry for entry in made.attrs["scores"]}
    assert set(scores) == {"ensemble", "prophet", "moving_average", "seasonal_naive"}
    assert made.attrs["model"] in scores
    assert {entry["days"] for entry in scores.values()} == {scores["ensemble"]["days"]}
    # White noise: the mean is best, its error sqrt(1/2) of that of a repeated week; that of 7 days sqrt(4/7).
    assert scores["ensemble"]["mase"] == pytest.approx(np.sqrt(1 / 2), abs=0.12)
    assert scores["moving_average"]["mase"] == pytest.approx(np.sqrt(4 / 7), abs=0.12)
    assert scores["seasonal_naive"]["mase"] == pytest.approx(1, abs=0.2)


def test_auto_leaves_the_ensemble_where_another_model_is_much_better():
    days = np.arange(420)
    daily = pd.Series(50 + 30 * (days % 7 == 2) + 0.5 * days, pd.date_range(START, periods=420))
    made = forecast(daily)
    expected = 50 + 30 * (np.arange(420, 427) % 7 == 2) + 0.5 * np.arange(420, 427)
    assert made.attrs["model"] == "prophet"  # a line and a week, without noise: its home ground
    assert made["yhat"].to_numpy() == pytest.approx(expected, abs=3)


def test_backtest_scores_named_models_and_refuses_unknown_ones():
    history = History(START, np.tile([1.0, 2, 3, 4, 5, 6, 7], 12))
    naive, average = backtest(history, models=("seasonal_naive", "moving_average"), origins=3)
    assert naive.wape == 0
    # 4 kWh every day against 1..7: errors 3+2+1+0+1+2+3 of 28 kWh.
    assert average.wape == pytest.approx(12 / 28)
    with pytest.raises(ForecastError, match="no model 'x'"):
        backtest(history, models=("x",))


def test_origins_leave_two_weeks_before_and_the_horizon_after():
    assert rolling_origins(np.ones(30), horizon_days=7, count=3) == (13, 18, 22)
    with pytest.raises(ForecastError, match="14 complete days and 7 more"):
        rolling_origins(np.ones(20), horizon_days=7)


def test_widths_never_shrink_with_the_horizon():
    assert widening(np.array([1.0, 3.0, 2.0, 4.0])).tolist() == [1, 3, 3, 4]


def test_ratios_take_the_side_of_the_error():
    ratios = half_width_ratios(np.array([-2.0, 2.0]), np.array([1.0, 1.0]), np.array([4.0, 4.0]))
    assert ratios == pytest.approx([2.0, 0.5])


def test_the_factor_moves_from_the_prior_to_what_was_needed():
    assert width_factor(np.zeros(0), np.zeros(0), level=0.8) == PRIOR_FACTOR
    needed = np.tile(np.linspace(0.01, 4, 100), 40)  # 80 % lie below 3.2
    assert width_factor(needed, np.zeros(4000), level=0.8) == pytest.approx(3.2, abs=0.1)
    assert PRIOR_FACTOR < width_factor(needed[:100], np.zeros(100), level=0.8) < 3.2


SIMULATED = {
    "white noise": lambda rng, n: 30 + rng.normal(0, 4, n),
    "weekly": lambda rng, n: 30 + 10 * (np.arange(n) % 7 >= 5) + rng.normal(0, 4, n),
    "skewed": lambda rng, n: rng.gamma(1.5, 6, n),
    "wandering": lambda rng, n: 60 + np.cumsum(rng.normal(0, 1, n)) + rng.normal(0, 2, n),
}


@pytest.mark.parametrize("days", [30, 90, 400])
def test_the_80_percent_interval_covers_about_80_percent(days):
    inside = []
    for number, make in enumerate(SIMULATED.values()):
        for seed in range(12):
            values = np.maximum(make(np.random.default_rng([number, seed]), days + 7), 0)
            daily = pd.Series(values[:days], pd.date_range(START, periods=days))
            made = forecast(daily, model="ensemble")
            actual = values[days:]
            inside.append(((actual >= made["yhat_lower"]) & (actual <= made["yhat_upper"])).mean())
    assert np.mean(inside) == pytest.approx(0.8, abs=0.07)


def test_coverage_told_is_the_share_of_past_days_inside():
    values = np.random.default_rng(3).gamma(4, 5, 400)
    made = forecast(pd.Series(values, pd.date_range(START, periods=400)), model="ensemble")
    assert made.attrs["measured_coverage"] == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize("days", [30, 90, 400])
def test_the_quick_prophet_is_the_packages_model(days):
    rng = np.random.default_rng(days)
    values = 30 + 6 * (np.arange(days) % 7 >= 5) + 0.02 * np.arange(days) + rng.normal(0, 3, days)
    values[5] = np.nan
    mean, lower, upper = prophet_mode(START, values, horizon_days=7, level=0.8)
    package = fit_prophet(History(START, values), horizon_days=7, level=0.8)
    assert mean == pytest.approx(package.mean, abs=0.5)  # the noise is 3
    assert (upper - lower).mean() == pytest.approx((package.upper - package.lower).mean(), rel=0.1)


def test_trees_by_hand():
    # x0 <= 1 ? (x1 <= 5 ? 10 : 20) : 30, and a second tree that is 1 everywhere.
    trees = Trees(
        np.array([[0, 1, 0], [0, 0, 0]], np.int16),
        np.array([[1, 5, np.inf], [np.inf] * 3], np.float32),
        np.array([[10, 20, 30, 0], [1, 0, 0, 0]], np.float32),
    )
    rows = np.array([[1, 5], [1, 6], [2, 0]], np.float32)
    assert trees.predict(rows).tolist() == [11, 21, 31]


def test_coverage_is_not_told_from_a_handful_of_days():
    values = np.random.default_rng(3).gamma(4, 5, 18)
    made = forecast(pd.Series(values, pd.date_range(START, periods=18)))
    assert made.attrs["measured_coverage"] is None


def test_the_artefact_is_small_and_fits_the_features():
    assert ARTEFACT.stat().st_size < 1_000_000
    learnt = load_correction()
    for trees in (learnt.median, learnt.lower, learnt.upper):
        assert trees.feature.min() >= 0
        assert trees.feature.max() < len(NAMES)
        assert np.isfinite(trees.leaf).all()
