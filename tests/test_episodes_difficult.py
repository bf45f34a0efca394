"""Histories that are short, empty, irregular or many: the answer may be nothing, never an error."""

import numpy as np
import pandas as pd
import pytest
from episode_series import START, at, household, moment, readings
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_analytics.episodes import detect_episodes
from energy_analytics.schema import EPISODE_COLUMNS


def test_no_rows():
    found = detect_episodes(readings(np.empty(0)))
    assert found.empty
    assert tuple(found.columns) == tuple(column.name for column in EPISODE_COLUMNS)


@pytest.mark.parametrize("length", [1, 2, 3, 23, 24, 25, 72, 24 * 15, 24 * 29])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_constant_series_of_any_length(length, level):
    assert detect_episodes(readings(np.full(length, level))).empty


@pytest.mark.parametrize("freq", ["1min", "7min", "30min", "90min", "5h", "1D", "7D", "31D"])
def test_any_step(freq):
    kwh = np.random.default_rng(0).gamma(1, 1, 400)
    found = detect_episodes(readings(kwh, freq=freq))
    assert tuple(found.columns) == tuple(column.name for column in EPISODE_COLUMNS)


@pytest.mark.parametrize(("freq", "per_hour"), [("1min", 60), ("10min", 6), ("30min", 2)])
def test_finer_steps_find_the_same_hours(freq, per_hour):
    kwh = household(days=42)
    kwh[at(20, 7) : at(22, 7)] = 0.0
    found = detect_episodes(readings(np.repeat(kwh / per_hour, per_hour), freq=freq))
    dead = found[found["kind"] == "dead"]
    assert list(dead["start"]) == [moment(20, 7)]
    assert list(dead["end"]) == [moment(22, 7)]


def test_days():
    kwh = household(days=300).reshape(-1, 24).sum(axis=1)
    kwh[200:210] = 0
    found = detect_episodes(readings(kwh, freq="1D"))
    assert list(found["kind"]) == ["dead"]
    assert list(found["start"]) == [moment(200)]
    assert list(found["end"]) == [moment(210)]


def test_what_lies_years_apart_is_looked_at_as_if_it_were_alone():
    early, late = household(), household()
    early[at(40) : at(43)] = 0
    late[at(50) : at(54)] = 0
    alone = [detect_episodes(readings(kwh)) for kwh in (early, late)]
    assert [len(found) for found in alone] == [1, 1]
    years = pd.Timedelta(days=7 * 52 * 3)
    strays = readings(np.ones(2)).assign(timestamp=[pd.Timestamp("1970-01-01"), pd.Timestamp("2100-12-31")])
    moved = readings(late).assign(timestamp=lambda rows: rows["timestamp"] + years)
    found = detect_episodes(pd.concat([readings(early), strays, moved]))
    assert list(found["start"]) == [alone[0]["start"][0], alone[1]["start"][0] + years]
    assert list(found["end"]) == [alone[0]["end"][0], alone[1]["end"][0] + years]
    assert list(found["kind"]) == ["dead", "dead"]


def test_different_steps_side_by_side():
    hourly, daily = household(), household(days=200).reshape(-1, 24).sum(axis=1)
    hourly[at(40) : at(43)] = 0
    daily[100:108] = 0
    both = pd.concat([readings(hourly, appliance="H"), readings(daily, appliance="D", freq="1D")])
    found = detect_episodes(both.sample(frac=1, random_state=0))
    assert dict(zip(found["appliance"], found["kind"], strict=True)) == {"H": "dead", "D": "dead"}


def test_order_and_repeated_rows_make_no_difference():
    kwh = household()
    kwh[at(40) : at(43)] = 0
    frame = readings(kwh)
    twice = pd.concat([frame, frame.iloc[::3]]).sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(detect_episodes(twice), detect_episodes(frame))


def test_rows_without_a_value_are_left_out():
    frame = readings(household())
    spoilt = pd.concat([frame, frame.iloc[:5].assign(kwh=np.nan), frame.iloc[:5].assign(timestamp=pd.NaT)])
    assert detect_episodes(spoilt).empty


def test_a_gap_is_not_an_episode():
    kwh = household(days=140)
    kwh[at(40) : at(75)] = np.nan
    kwh[at(90, 5) : at(91, 3)] = np.nan
    assert detect_episodes(readings(kwh)).empty


def test_an_appliance_that_is_mostly_off_is_not_dead():
    rng = np.random.default_rng(5)
    kwh = np.where(rng.random(120 * 24) < 0.14, rng.gamma(2, 0.3, 120 * 24), 0.0)
    assert "dead" not in set(detect_episodes(readings(kwh))["kind"])


def test_a_new_level_for_good_is_told_once():
    kwh = household(days=168)
    kwh[at(84) :] *= 2
    assert len(detect_episodes(readings(kwh))) <= 1


@pytest.mark.slow
def test_two_thousand_appliances():
    kwh = household(days=5)
    frame = readings(kwh)
    many = pd.concat([frame.assign(appliance=f"meter {n}") for n in range(2000)])
    assert detect_episodes(many).empty


steps = st.sampled_from(["10min", "30min", "1h", "6h", "1D"])


@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(1, 1000),
    freq=steps,
    zeros=st.floats(0, 1),
    missing=st.floats(0, 0.5),
)
@settings(max_examples=40, deadline=None)
def test_whatever_arrives_the_figures_add_up(seed, length, freq, zeros, missing):
    rng = np.random.default_rng(seed)
    kwh = np.where(rng.random(length) < zeros, 0.0, rng.lognormal(0, 1, length))
    kwh[rng.random(length) < missing] = np.nan
    frame = readings(kwh, freq=freq)
    found = detect_episodes(frame, alarms_per_appliance_month=4)
    assert found["id"].is_unique
    assert found["start"].is_monotonic_increasing
    assert (found["start"] < found["end"]).all()
    assert (found["start"] >= START).all()
    assert np.isfinite(found[["actual_kwh", "expected_kwh", "severity"]].to_numpy(dtype=float)).all()
    assert found["severity"].between(0, 10).all()
    assert (found["reason"].str.len() > 10).all()
    for episode in found.itertuples():
        inside = frame["timestamp"].between(episode.start, episode.end, inclusive="left")
        assert episode.actual_kwh == pytest.approx(frame.loc[inside, "kwh"].sum(), abs=1e-9)
        assert episode.excess_kwh == pytest.approx(episode.actual_kwh - episode.expected_kwh, abs=1e-9)


@given(seed=st.integers(0, 1000), factor=st.sampled_from([1e-3, 0.5, 1e6]))
@settings(max_examples=10, deadline=None)
def test_the_unit_makes_no_difference(seed, factor):
    kwh = household(days=60, seed=seed, noise=0.5)
    kwh[at(30) : at(33)] *= 3
    one, other = detect_episodes(readings(kwh)), detect_episodes(readings(kwh * factor))
    assert list(one["id"]) == list(other["id"])
    assert other["excess_kwh"].to_numpy() == pytest.approx(one["excess_kwh"].to_numpy() * factor, rel=1e-4)


def test_one_minute_that_an_hour_would_hide():
    kwh = np.repeat(household(days=42) / 60, 60)
    kwh[at(20, 19) * 60 + 17] += 0.4
    found = detect_episodes(readings(kwh, freq="1min"))
    assert list(found["kind"]) == ["spike"]
    assert list(found["start"]) == [moment(20, 19) + pd.Timedelta("17min")]
    assert list(found["end"]) == [moment(20, 19) + pd.Timedelta("18min")]


def test_an_appliance_used_once_was_not_dead_before():
    kwh = np.zeros(2000)
    kwh[1000] = 1.0
    found = detect_episodes(readings(kwh))
    assert set(found["kind"]) <= {"spike"}
    assert (found["end"] - found["start"] <= pd.Timedelta("1h")).all()
