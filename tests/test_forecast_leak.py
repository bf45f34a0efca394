"""Nothing that happens later changes a forecast, a weight, an interval or a score made earlier."""

from datetime import date

import numpy as np
import pytest

from energy_analytics.forecasting import History, backtest
from energy_analytics.forecasting.correction import load_correction
from energy_analytics.forecasting.ensemble import ensemble_tracks
from energy_analytics.forecasting.features import NAMES, make_features
from energy_analytics.forecasting.level_shift import level_shifts
from energy_analytics.forecasting.panel import make_panel
from energy_analytics.forecasting.regression import input_regression, own_regression

DAYS, CUT = 480, 440


@pytest.fixture(scope="module")
def pair():
    """Two histories that are the same up to `CUT` and have nothing in common after it."""
    rng = np.random.default_rng(5)
    daily = 15 + 4 * (np.arange(DAYS) % 7 >= 5) + rng.gamma(2, 2, DAYS)
    daily[[30, 31, 200]] = np.nan
    other = daily.copy()
    other[CUT:] = rng.gamma(1, 60, DAYS - CUT)
    other[-5] = np.nan
    return daily[None], other[None]


def test_experts_and_features_see_the_past_only(pair):
    panels = [make_panel(daily, horizon=7) for daily in pair]
    for name in ("daily_kwh", "scale", "families", "combined", "score"):
        first, second = (getattr(panel, name)[:, :CUT] for panel in panels)
        np.testing.assert_array_equal(first, second, err_msg=name)
    features = [make_features(panel, np.arange(DAYS)) for panel in panels]
    assert features[0].shape == (1, DAYS, 7, len(NAMES))
    np.testing.assert_array_equal(features[0][:, :CUT], features[1][:, :CUT])
    own = [own_regression(*both)[:, :CUT] for both in zip(panels, features, strict=True)]
    np.testing.assert_allclose(own[0], own[1], rtol=0, atol=1e-9)
    temperature = np.random.default_rng(1).normal(12, 8, DAYS + 7)
    shift = [input_regression(p, holidays=None, temperature_c=temperature)[:, :CUT] for p in panels]
    np.testing.assert_allclose(shift[0], shift[1], rtol=0, atol=1e-9)
    moved = [level_shifts(panel, horizon=7) for panel in panels]
    for first, second in zip(*moved, strict=True):
        np.testing.assert_array_equal(first[:, :CUT], second[:, :CUT])


def test_past_forecasts_and_intervals_of_the_ensemble_do_not_know_what_came(pair):
    first, second = (ensemble_tracks(daily, horizon=7, level=0.8, correction=load_correction())[0] for daily in pair)
    early = first.origins < CUT
    assert early.sum() > 20
    for name in ("mean", "lower", "upper"):
        np.testing.assert_allclose(getattr(first, name)[early], getattr(second, name)[early], atol=1e-8)
    assert not np.allclose(first.mean[-1], second.mean[-1])


def test_the_track_is_what_would_have_been_forecast_on_the_day(pair):
    daily = pair[0]
    track = ensemble_tracks(daily, horizon=7, level=0.8, correction=load_correction())[0]
    position = len(track.origins) - 3
    then = ensemble_tracks(daily[:, : track.origins[position] + 1], horizon=7, level=0.8, correction=load_correction())[
        0
    ]
    # Two more origins at the far end of the record are all that differs.
    np.testing.assert_allclose(track.mean[position], then.mean[-1], rtol=0.02)
    np.testing.assert_allclose(track.upper[position], then.upper[-1], rtol=0.1)


@pytest.mark.parametrize("model", ["prophet", "moving_average", "seasonal_naive", "ensemble", "auto"])
def test_scores_of_days_before_a_change_do_not_change(pair, model):
    lines = []
    for daily in pair:
        history = History(date(2025, 1, 1), daily[0, :CUT])
        lines.append(backtest(history, models=(model,), origins=2)[0])
    assert (lines[0].mase, lines[0].wape, lines[0].coverage) == (
        lines[1].mase,
        lines[1].wape,
        lines[1].coverage,
    )


def test_known_inputs_are_cut_with_the_history():
    history = History(date(2026, 1, 1), np.ones(40), np.arange(47) > 40, np.arange(47.0))
    cut = history.until(20, horizon_days=7)
    assert len(cut.daily_kwh) == 20
    assert cut.holidays is not None and len(cut.holidays) == 27
    assert cut.temperature_c is not None and cut.temperature_c[-1] == 26
