"""The models: answers worked out by hand, histories that are hard, and the same bytes twice."""

import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest

from energy_analytics.forecasting import MODELS, ForecastError, History, forecast

START = date(2026, 1, 5)  # a Monday


def series(values: object) -> "pd.Series[float]":
    array = np.asarray(values, dtype=float)
    return pd.Series(array, pd.date_range(START, periods=len(array), freq="D"))


def household(days: int, *, seed: int = 1) -> "pd.Series[float]":
    """About 20 kWh a day, 6 kWh more at weekends, noise of 2 kWh."""
    noise = np.random.default_rng(seed).normal(0, 2, days)
    return series(20 + 6 * (np.arange(days) % 7 >= 5) + noise)


def test_seasonal_naive_repeats_the_latest_complete_day_of_each_weekday():
    daily = series(list(range(1, 22)))
    daily.iloc[-1] = np.nan  # the last Sunday, 21 kWh: the one before had 14
    made = forecast(daily, model="seasonal_naive")
    assert made["yhat"].tolist() == [15, 16, 17, 18, 19, 20, 14]
    assert made["ds"].iloc[0] == pd.Timestamp("2026-01-26")


def test_seasonal_naive_band_is_the_change_from_week_to_week():
    daily = series([10.0] * 14 + [13.0] * 7)  # seven changes of 0, seven of 3
    made = forecast(daily, model="seasonal_naive")
    assert made["yhat_lower"].tolist() == [10] * 7
    assert made["yhat_upper"].tolist() == [16] * 7


def test_moving_average_is_the_mean_of_the_last_seven_complete_days():
    daily = series([5.0] * 10 + [1, 2, 3, np.nan, 4, 5, 6, 7])
    made = forecast(daily, model="moving_average")
    assert made["yhat"].tolist() == [4] * 7
    assert (made["yhat_lower"] >= 0).all()


@pytest.mark.parametrize("model", sorted(MODELS))
def test_below_two_weeks_every_model_is_a_wide_moving_average_with_a_note(model):
    made = forecast(series([10.0, 12.0, 14.0]), model=model)
    assert made["yhat"].tolist() == [12] * 7
    assert made.attrs["model"] == "moving_average"
    assert "3 complete days" in made.attrs["note"]
    width = made["yhat_upper"] - made["yhat_lower"]
    assert width.iloc[0] > 2 * 1.28 * 2  # more than a normal band of the three days
    assert (width.diff().dropna() >= 0).all()


def test_one_day_is_enough_for_an_honest_guess():
    made = forecast(series([10.0]))
    assert made["yhat"].tolist() == [10] * 7
    assert made["yhat_lower"].iloc[0] < 5
    assert made["yhat_upper"].iloc[0] > 15


def shifted() -> "pd.Series[float]":
    daily = household(200)
    daily.iloc[-7:] += 30
    return daily


def with_gaps() -> "pd.Series[float]":
    daily = household(300)
    daily.iloc[[0, -1]] = np.nan
    daily.iloc[60:130] = np.nan
    daily.iloc[::11] = np.nan
    return daily


HARD = {
    "all zeros": series(np.zeros(120)),
    "constant": series(np.full(120, 7.5)),
    "dead for two months": series(np.r_[household(120).to_numpy(), np.zeros(60)]),
    "used every tenth day": series(np.where(np.arange(200) % 10 == 3, 2.0, 0.0)),
    "gaps": with_gaps(),
    "level shift last week": shifted(),
    "every thirteenth day only": series(np.where(np.arange(260) % 13 == 0, 3.0, np.nan)),
    "a state, in kWh": household(400) * 5e6,
    "a standby light": household(400) * 1e-6,
    "eight years": household(2900),
    "fourteen days": household(14),
}


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("name", sorted(HARD))
def test_hard_histories_give_seven_ordered_days_without_negative_energy(name, model):
    made = forecast(HARD[name], model=model)
    assert list(made.columns) == ["ds", "yhat", "yhat_lower", "yhat_upper"]
    assert len(made) == 7
    assert made["ds"].iloc[0] == HARD[name].index[-1] + pd.Timedelta(days=1)
    lower, mean, upper = (made[column].to_numpy() for column in ("yhat_lower", "yhat", "yhat_upper"))
    assert np.isfinite(upper).all()
    assert (lower >= 0).all() and (lower <= mean).all() and (mean <= upper).all()


def test_all_zeros_stay_zero_and_a_constant_stays():
    zero = forecast(HARD["all zeros"])
    assert zero[["yhat", "yhat_lower"]].abs().max().max() < 1e-6
    constant = forecast(HARD["constant"])
    assert constant["yhat"].to_numpy() == pytest.approx(np.full(7, 7.5), rel=0.01)


def test_a_dead_appliance_is_forecast_dead():
    assert forecast(HARD["dead for two months"])["yhat"].max() < 0.5


def test_a_level_that_moved_last_week_is_followed():
    made = forecast(HARD["level shift last week"], model="ensemble")
    assert made["yhat"].mean() == pytest.approx(30 + 20 + 6 * 2 / 7, abs=4)
    assert (made["yhat_upper"] - made["yhat_lower"]).min() > 8  # it may move back


def test_the_weekend_is_found():
    made = forecast(household(180), model="ensemble").set_index("ds")["yhat"]
    weekend = np.isin(np.arange(7), [0, 1])  # 4 July 2026 is a Saturday
    assert made[weekend].mean() - made[~weekend].mean() == pytest.approx(6, abs=1.5)


def test_one_wild_day_does_not_carry_over():
    daily = household(180)
    calm = forecast(daily, model="ensemble")["yhat"]
    daily.iloc[-1] = 500.0
    wild = forecast(daily, model="ensemble")["yhat"]
    assert wild.mean() < 2 * calm.mean()


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_same_input_gives_the_same_bytes(model):
    first, second = (forecast(household(150), model=model) for _ in range(2))
    assert first.to_csv() == second.to_csv()


def test_prophet_leaves_the_global_random_numbers_alone():
    np.random.seed(3)
    expected = np.random.random(4)
    np.random.seed(3)
    forecast(household(60), model="prophet")
    assert np.random.random(4).tolist() == expected.tolist()


def test_prophet_is_imported_only_when_used_and_hides_plotting_only_meanwhile():
    code = (
        "import sys, pandas as pd, numpy as np\n"
        "from energy_analytics.forecasting import forecast\n"
        "y = pd.Series(np.arange(40.0) % 7 + 5, pd.date_range('2026-01-01', periods=40))\n"
        "forecast(y, model='ensemble'); assert 'prophet' not in sys.modules\n"
        "forecast(y, model='prophet'); assert 'prophet' in sys.modules\n"
        "assert sys.modules.get('matplotlib', 1) is not None and sys.modules.get('plotly', 1) is not None\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize(
    ("daily", "expected"),
    [
        (series([np.nan] * 20), "no complete day"),
        (series([1.0, -2.0, 3.0]), "not negative"),
        (pd.Series([1.0, 2.0]), "DatetimeIndex"),
        (pd.Series([1.0, 2.0], pd.DatetimeIndex(["2026-01-01", "2026-01-01"])), "twice"),
        (pd.Series([], pd.DatetimeIndex([]), dtype=float), "empty"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_a_sentence(daily, expected):
    with pytest.raises(ForecastError, match=expected):
        forecast(daily)


def test_wrong_options_are_refused_with_what_is_allowed():
    with pytest.raises(ForecastError, match="the models are prophet"):
        forecast(household(30), model="lstm")
    with pytest.raises(ForecastError, match="between 0 and 1"):
        forecast(household(30), level=80)
    with pytest.raises(ForecastError, match="horizon_days"):
        forecast(household(30), horizon_days=0)
    with pytest.raises(ForecastError, match="one value per day"):
        History(START, np.zeros((2, 2)))


@pytest.mark.parametrize("model", sorted(MODELS))
def test_other_horizons_and_levels(model):
    narrow = forecast(household(120), model=model, horizon_days=14, level=0.5)
    wide = forecast(household(120), model=model, horizon_days=14, level=0.95)
    assert len(narrow) == 14
    width = [(made["yhat_upper"] - made["yhat_lower"]).mean() for made in (narrow, wide)]
    assert width[1] > 1.5 * width[0]


def test_absent_days_are_days_without_a_value():
    daily = household(60)
    shuffled = daily.drop(daily.index[10:13]).sample(frac=1, random_state=1)
    daily.iloc[10:13] = np.nan
    assert forecast(shuffled)["yhat"].tolist() == forecast(daily)["yhat"].tolist()


def test_the_models_need_numpy_alone():
    code = (
        "import sys, datetime, numpy as np\n"
        "from energy_analytics.forecasting import MODELS, History\n"
        "history = History(datetime.date(2026, 1, 1), 5 + np.arange(90.0) % 7 % 3 + np.arange(90) % 11)\n"
        "made = MODELS['auto'](history, horizon_days=7, level=0.8)\n"
        "assert made.model == 'ensemble' and len(made.scores) == 4\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
