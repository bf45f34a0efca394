"""One fault is put into a regular home; it comes back as one episode with the right name, time and energy."""

import re

import numpy as np
import pandas as pd
import pytest
from episode_series import at, household, moment, readings

from energy_analytics.episodes import ReadingsError, detect_episodes
from energy_analytics.schema import EPISODE_COLUMNS

HOUR = pd.Timedelta("1h")


def only(found: pd.DataFrame) -> pd.Series:
    assert len(found) == 1, found[["kind", "start", "end", "reason"]].to_string()
    return found.iloc[0]


def close(episode: pd.Series, start: pd.Timestamp, end: pd.Timestamp, *, hours: int) -> None:
    assert abs(episode["start"] - start) <= hours * HOUR, (episode["start"], start)
    assert abs(episode["end"] - end) <= hours * HOUR, (episode["end"], end)


@pytest.mark.parametrize("seed", range(5))
def test_a_regular_home_raises_nothing(seed):
    assert detect_episodes(readings(household(seed=seed))).empty


def test_columns_and_types_are_those_of_the_table():
    kwh = household()
    kwh[at(40, 13)] = 9.0
    found = detect_episodes(readings(kwh))
    assert tuple(found.columns) == tuple(column.name for column in EPISODE_COLUMNS)
    assert found["start"].dtype.kind == found["end"].dtype.kind == "M"
    figures = found[["actual_kwh", "expected_kwh", "excess_kwh", "severity"]]
    assert (figures.dtypes == "float64").all()


def test_a_spike_is_one_hour_and_its_excess():
    kwh = household()
    kwh[at(40, 13)] = 9.0
    episode = only(detect_episodes(readings(kwh)))
    assert episode["kind"] == "spike"
    close(episode, moment(40, 13), moment(40, 14), hours=0)
    assert episode["actual_kwh"] == 9.0
    assert episode["excess_kwh"] == pytest.approx(8.4, abs=0.3)
    assert "9.00 kWh" in episode["reason"]


def test_one_bad_reading_does_not_move_what_is_expected_elsewhere():
    kwh = household()
    kwh[at(40) : at(43)] = 0.0
    before = only(detect_episodes(readings(kwh)))
    kwh[at(47, 12)] = 1000.0
    found = detect_episodes(readings(kwh))
    after = only(found[found["kind"] == "dead"])
    assert after["expected_kwh"] == pytest.approx(before["expected_kwh"], rel=0.01)


def test_dead_for_three_days():
    kwh = household()
    kwh[at(40, 7) : at(43, 7)] = 0.0
    episode = only(detect_episodes(readings(kwh)))
    assert episode["kind"] == "dead"
    close(episode, moment(40, 7), moment(43, 7), hours=0)
    assert episode["actual_kwh"] == 0
    assert episode["excess_kwh"] == pytest.approx(-3 * 15.6, rel=0.15)
    assert "no energy for 3.0 days" in episode["reason"]


def test_frozen_reading():
    kwh = household()
    kwh[at(40, 7) : at(42)] = kwh[at(40, 7)]
    episode = only(detect_episodes(readings(kwh)))
    assert episode["kind"] == "frozen reading"
    close(episode, moment(40, 7), moment(42), hours=0)
    assert "41 times in a row" in episode["reason"]


def test_a_day_sent_again_and_again():
    kwh = household()
    kwh[at(41) : at(45)] = np.tile(kwh[at(40) : at(41)], 4)
    episode = only(detect_episodes(readings(kwh)))
    assert episode["kind"] == "repeated readings"
    close(episode, moment(41), moment(45), hours=1)


def test_stuck_on_for_three_days():
    kwh = household()
    kwh[at(40, 9) : at(43, 9)] += 0.8
    episode = only(detect_episodes(readings(kwh)))
    assert episode["kind"] in {"stuck on", "unusually high"}
    close(episode, moment(40, 9), moment(43, 9), hours=6)
    assert episode["excess_kwh"] == pytest.approx(72 * 0.8, rel=0.2)


@pytest.mark.parametrize(("factor", "kind"), [(1.8, "unusually high"), (0.5, "unusually low")])
def test_a_week_at_another_level(factor, kind):
    kwh = household()
    kwh[at(40) : at(47)] *= factor
    episode = only(detect_episodes(readings(kwh)))
    assert episode["kind"] == kind
    close(episode, moment(40), moment(47), hours=12)
    assert episode["actual_kwh"] / episode["expected_kwh"] == pytest.approx(factor, rel=0.05)


def test_on_at_night_for_nine_nights():
    kwh = household()
    for night in range(40, 49):
        kwh[at(night, 2) : at(night, 5)] += 1.0
    episode = only(detect_episodes(readings(kwh)))
    assert episode["kind"] == "on at unusual hours"
    close(episode, moment(40, 2), moment(48, 5), hours=3)
    assert "9 days" in episode["reason"]
    assert "from 02:00 to 05:00" in episode["reason"]


def test_shifted_by_eight_hours():
    kwh = household()
    kwh[at(40) : at(50)] = np.roll(kwh[at(40) : at(50)], 8)
    found = detect_episodes(readings(kwh))
    shifted = only(found[found["kind"] == "shifted in time"])
    close(shifted, moment(40), moment(50), hours=72)
    assert "8 hours later" in shifted["reason"]


def test_an_evening_peak_that_is_missing():
    kwh = household()
    for day in range(40, 47):
        kwh[at(day, 18) : at(day, 22)] = 0.3
    found = detect_episodes(readings(kwh))
    assert len(found)
    assert ((found["start"] < moment(47)) & (found["end"] > moment(40))).all()
    assert (found["excess_kwh"] < 0).all()


def test_more_alarms_asked_for_find_at_least_as_much():
    kwh = household(noise=0.4, seed=3)
    kwh[at(40) : at(43)] *= 1.5
    counts = [len(detect_episodes(readings(kwh), alarms_per_appliance_month=alarms)) for alarms in (0.1, 0.5, 2, 10)]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_each_appliance_stands_alone():
    first, second = household(seed=1), household(seed=2)
    second[at(40) : at(43)] = 0.0
    both = pd.concat([readings(first, appliance="A"), readings(second, appliance="B")])
    assert only(detect_episodes(both))["appliance"] == "B"


@pytest.mark.parametrize("frame", [pd.DataFrame({"timestamp": [], "kwh": []}), pd.DataFrame({"when": [1]})])
def test_missing_columns_are_named(frame):
    with pytest.raises(ReadingsError, match="appliance"):
        detect_episodes(frame)


def test_stamps_with_an_offset_are_refused():
    frame = readings(household(days=3))
    with pytest.raises(ReadingsError, match="offset"):
        detect_episodes(frame.assign(timestamp=frame["timestamp"].dt.tz_localize("UTC")))


def test_a_sensitivity_of_nothing_is_refused():
    with pytest.raises(ReadingsError, match="above 0"):
        detect_episodes(readings(household(days=3)), alarms_per_appliance_month=0)


def heating(*, seed: int) -> np.ndarray:
    """Return hourly kWh of a heat pump: restless for fifty days, next to nothing for 181, restless again."""
    kwh = np.random.default_rng(seed).uniform(0.5, 0.8, 254 * 24)
    kwh[at(50) : at(231)] = 0.01
    return kwh


def test_what_hardly_moves_is_compared_with_the_days_around_not_with_summer():
    kwh = heating(seed=1)
    kwh[at(20) : at(21)] = 0.65 + 0.02 * (np.arange(24) % 2)
    found = detect_episodes(readings(kwh))
    told = only(found[(found["kind"] == "hardly moving") & (found["start"] < moment(21)) & (found["end"] > moment(20))])
    changed, usual = (float(each) for each in re.findall(r"([\d.]+) kWh", told["reason"]))
    assert changed < 0.05
    assert usual == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_called_low_that_used_no_less_than_usual(seed):
    found = detect_episodes(readings(heating(seed=seed)))
    assert (found.loc[found["kind"] == "unusually low", "excess_kwh"] < -0.001).all()
    assert (found.loc[found["kind"] == "unusually high", "excess_kwh"] > 0.001).all()
