"""An episode is reported once: it keeps its id while uploads grow, then closes."""

import numpy as np
import pandas as pd
from episode_series import START, at, household, moment, readings

from energy_analytics.episodes import carry_over, detect_episodes


def uploads(kwh: np.ndarray, *, from_day: int, to_day: int) -> list[pd.DataFrame]:
    known = detect_episodes(readings(np.empty(0)))
    states = []
    for day in range(from_day, to_day + 1):
        current = detect_episodes(readings(kwh[: at(day)]))
        known = carry_over(known, current, readings_end=moment(day))
        states.append(known)
    return states


def test_an_outage_grows_under_one_id_and_closes():
    kwh = household()
    kwh[at(50, 6) : at(56)] = 0
    states = uploads(kwh, from_day=49, to_day=70)
    ids = {identity for state in states for identity in state["id"]}
    assert len(ids) == 1
    growing = [state.iloc[0] for state in states if len(state)]
    ends = [episode["end"] for episode in growing]
    assert ends == sorted(ends)
    assert growing[0]["status"] == "open"
    assert growing[-1]["status"] == "closed"
    assert growing[-1]["end"] == moment(56)


def test_a_high_fortnight_is_reported_once():
    kwh = household(noise=0.2)
    kwh[at(50) : at(64)] *= 2
    states = uploads(kwh, from_day=49, to_day=84)
    last = states[-1]
    high = last[(last["end"] > moment(50)) & (last["start"] < moment(64))]
    assert len(high[high["status"] != "withdrawn"]) == 1
    assert high.iloc[0]["status"] == "closed"


def test_the_same_upload_again_changes_nothing():
    kwh = household()
    kwh[at(30) : at(32)] = 0
    kwh[at(60, 12)] = 20
    current = detect_episodes(readings(kwh))
    once = carry_over(current.iloc[:0], current, readings_end=moment(84))
    twice = carry_over(once, current, readings_end=moment(84))
    pd.testing.assert_frame_equal(once, twice)
    assert list(once["id"]) == list(current["id"])


def episode(identity: str, kind: str, first_day: int, last_day: int) -> dict[str, object]:
    return {
        "id": identity,
        "start": START + pd.Timedelta(days=first_day),
        "end": START + pd.Timedelta(days=last_day),
        "appliance": "Home",
        "kind": kind,
    }


def test_opposites_are_not_the_same_episode():
    before = pd.DataFrame([episode("a", "unusually high", 1, 4)])
    now = pd.DataFrame([episode("b", "dead", 2, 4)])
    result = carry_over(before, now, readings_end=moment(30))
    assert dict(zip(result["id"], result["status"], strict=True)) == {"a": "withdrawn", "b": "closed"}


def test_two_that_grow_together_keep_the_id_of_the_first():
    before = pd.DataFrame([episode("a", "spike", 1, 2), episode("b", "stuck on", 3, 4)])
    now = pd.DataFrame([episode("c", "unusually high", 1, 5)])
    result = carry_over(before, now, readings_end=moment(5))
    assert list(result["id"]) == ["a"]
    assert list(result["status"]) == ["open"]


def test_one_that_falls_apart_gives_its_id_once():
    before = pd.DataFrame([episode("a", "unusually high", 1, 9)])
    now = pd.DataFrame([episode("c", "unusually high", 1, 4), episode("d", "unusually high", 6, 9)])
    result = carry_over(before, now, readings_end=moment(30))
    assert list(result["id"]) == ["a", "d"]


def test_what_was_said_is_withdrawn_not_dropped_and_may_return():
    before = pd.DataFrame([episode("a", "unusually high", 1, 4)])
    none = carry_over(before, before.iloc[:0], readings_end=moment(10))
    assert list(none["status"]) == ["withdrawn"]
    again = carry_over(none, pd.DataFrame([episode("b", "unusually high", 1, 4)]), readings_end=moment(11))
    assert list(again["id"]) == ["a"]
    assert list(again["status"]) == ["closed"]
