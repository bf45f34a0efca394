"""Real meters: few alarms where nothing was put in, and the long outage that is known to be there."""

import os
from pathlib import Path

import pandas as pd
import pytest

from energy_analytics.episodes import detect_episodes

FOLDER = os.environ.get("ENERGY_TEST_DATA")
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER, reason="ENERGY_TEST_DATA names no folder of real series"),
]


@pytest.fixture(scope="module")
def homes() -> pd.DataFrame:
    path = Path(str(FOLDER)) / "smart_meters_au" / "smart_meters_halfhourly.csv.gz"
    return pd.read_csv(path, parse_dates=["timestamp"])


@pytest.fixture(scope="module")
def episodes(homes) -> pd.DataFrame:
    return detect_episodes(homes)


def test_twenty_homes_raise_less_than_one_alarm_in_two_months_each(homes, episodes):
    months = len(homes) / 48 / 30
    assert 0.05 < len(episodes) / months < 0.5


def test_a_home_that_stood_empty_is_told_once(homes, episodes):
    empty = episodes[(episodes["appliance"] == "meter_10017480") & (episodes["kind"] == "dead")]
    longest = empty.loc[(empty["end"] - empty["start"]).idxmax()]
    inside = homes[
        (homes["appliance"] == "meter_10017480")
        & homes["timestamp"].between(longest["start"], longest["end"], inclusive="left")
    ]
    assert longest["end"] - longest["start"] > pd.Timedelta("60D")
    assert inside["kwh"].sum() == longest["actual_kwh"] < 0.1


def test_no_two_episodes_of_a_home_are_about_the_same_days(episodes):
    for _, home in episodes.groupby("appliance"):
        for kind, alike in home.groupby("kind"):
            ordered = alike.sort_values("start")
            overlap = ordered["start"].iloc[1:].to_numpy() < ordered["end"].iloc[:-1].to_numpy()
            assert not overlap.any(), (kind, ordered[["start", "end"]])
