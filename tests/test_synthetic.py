"""Invented readings: plausible, repeatable, and with faults that are just what their labels say."""

import hashlib
from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from energy_analytics import synthetic
from energy_analytics.schema import RAW_ENERGY_DATA
from energy_analytics.synthetic import Fault, Reading

WINTER = date(2026, 1, 22)
SUMMER = date(2026, 7, 1)
APPLIANCES = ["AC", "Refrigerator", "Heater", "Washing Machine"]
SEEDS = range(20)

History = dict[datetime, float]


def by_appliance(readings: list[Reading]) -> dict[str, History]:
    histories: dict[str, History] = defaultdict(dict)
    for reading in readings:
        histories[reading.appliance][reading.timestamp] = reading.kwh
    return histories


def hours_of(fault: Fault) -> list[datetime]:
    length = (fault.end - fault.start) // timedelta(hours=1)
    return [fault.start + timedelta(hours=hour) for hour in range(length)]


def written(folder: Path, *, seed: int = 42) -> tuple[bytes, bytes]:
    readings, faults = synthetic.generate(start=WINTER, seed=seed)
    paths = synthetic.write(folder, readings=readings, faults=faults)
    return paths[0].read_bytes(), paths[1].read_bytes()


def test_thirty_days_are_720_hours_of_four_appliances() -> None:
    readings, _ = synthetic.generate(start=WINTER)
    assert len(readings) == 4 * 720
    assert [reading.appliance for reading in readings[:8]] == APPLIANCES * 2
    assert readings[0].timestamp == datetime(2026, 1, 22)
    assert readings[-1].timestamp == datetime(2026, 2, 20, 23)
    assert all(len(history) == 720 for history in by_appliance(readings).values())


def test_file_has_the_columns_and_order_of_the_lake(tmp_path: Path) -> None:
    data, _ = written(tmp_path)
    header, *rows = data.decode("utf-8").splitlines()
    assert header == ",".join(RAW_ENERGY_DATA.column_names) == "timestamp,appliance,kwh"
    assert [row.split(",")[:2] for row in rows[:2]] == [
        ["2026-01-22 00:00:00", "AC"],
        ["2026-01-22 00:00:00", "Refrigerator"],
    ]
    assert sorted(rows, key=lambda row: row[:19]) == rows
    assert all(len(row.rpartition(".")[2]) == 3 for row in rows)
    assert b"\r" not in data


def test_same_seed_gives_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """The digest was taken once; another machine or Python must arrive at it too."""
    first = written(tmp_path / "a")
    assert written(tmp_path / "b") == first
    assert written(tmp_path / "c", seed=43)[0] != first[0]
    digest = hashlib.sha256(b"".join(first)).hexdigest()
    assert digest == "6bb9352160f80eba6674a4b8cfd77d4bae5676fc48f250e66376f3df66810c9e"


@pytest.mark.parametrize("start", [WINTER, SUMMER])
def test_never_negative_and_whole_watt_hours(start: date) -> None:
    for seed in SEEDS:
        readings, _ = synthetic.generate(start=start, seed=seed)
        assert all(reading.kwh >= 0 for reading in readings)
        assert all(reading.kwh == round(reading.kwh, 3) for reading in readings)


@pytest.mark.parametrize("start", [WINTER, SUMMER])
def test_labels_account_for_every_difference_from_the_home_without_faults(start: date) -> None:
    for seed in SEEDS:
        readings, faults = synthetic.generate(start=start, seed=seed)
        normal_readings, none = synthetic.generate(start=start, seed=seed, with_faults=False)
        assert none == []
        recorded, normal = by_appliance(readings), by_appliance(normal_readings)
        labelled = {(fault.appliance, hour) for fault in faults for hour in hours_of(fault)}
        changed = {
            (appliance, hour)
            for appliance in APPLIANCES
            for hour in normal[appliance]
            if recorded[appliance][hour] != normal[appliance][hour]
        }
        assert changed <= labelled
        for fault in faults:
            hours = hours_of(fault)
            assert fault.normal_kwh == pytest.approx(sum(normal[fault.appliance][hour] for hour in hours))
            assert fault.recorded_kwh == pytest.approx(sum(recorded[fault.appliance][hour] for hour in hours))
            assert fault.injected_kwh == pytest.approx(fault.recorded_kwh - fault.normal_kwh)
            assert 2 * sum((fault.appliance, hour) in changed for hour in hours) >= len(hours)


def test_each_kind_does_what_its_name_says() -> None:
    seen = set()
    for seed in SEEDS:
        readings, faults = synthetic.generate(start=WINTER, seed=seed)
        normal_readings, _ = synthetic.generate(start=WINTER, seed=seed, with_faults=False)
        recorded, normal = by_appliance(readings), by_appliance(normal_readings)
        assert {fault.kind for fault in faults} == set(synthetic.FAULT_KINDS)
        for fault in faults:
            hours = hours_of(fault)
            was = [normal[fault.appliance][hour] for hour in hours]
            now = [recorded[fault.appliance][hour] for hour in hours]
            before = recorded[fault.appliance][fault.start - timedelta(hours=1)]
            ordinary_peak = max(normal[fault.appliance].values())
            growth = [b / a for a, b in zip(was, now, strict=True) if a]
            holds = {
                "spike": len(now) <= 2 and min(now) > 1.5 * ordinary_peak,
                "stuck_on": len(set(now)) == 1 and now[0] > ordinary_peak,
                "dead": set(now) == {0},
                "high": all(b > a for a, b in zip(was, now, strict=True)),
                "low": all(b < a for a, b in zip(was, now, strict=True)),
                "drift": mean(growth[:24]) < 1.2 and mean(growth[-24:]) > 1.6,
                "frozen": set(now) == {before} and len(now) >= 10,
            }
            assert holds[fault.kind], (seed, fault)
            seen.add(fault.kind)
    assert seen == set(synthetic.FAULT_KINDS)


def test_faults_of_an_appliance_keep_a_day_apart() -> None:
    for seed in SEEDS:
        _, faults = synthetic.generate(start=WINTER, days=120, seed=seed)
        assert len(faults) > 20
        for appliance in APPLIANCES:
            own = [fault for fault in faults if fault.appliance == appliance]
            for earlier, later in pairwise(own):
                assert later.start - earlier.end >= timedelta(days=1)


def test_evenings_use_more_than_nights_and_weekends_wash_more() -> None:
    readings, _ = synthetic.generate(start=WINTER, days=112, with_faults=False)
    by_hour: dict[int, list[float]] = defaultdict(list)
    washing: dict[bool, list[float]] = defaultdict(list)
    for reading in readings:
        by_hour[reading.timestamp.hour].append(reading.kwh)
        if reading.appliance == "Washing Machine":
            washing[reading.timestamp.weekday() >= 5].append(reading.kwh)
    assert max(by_hour, key=lambda hour: mean(by_hour[hour])) in range(17, 22)
    assert mean(by_hour[19]) > 2 * mean(by_hour[3])
    assert mean(washing[True]) > 1.5 * mean(washing[False])


def test_heating_belongs_to_winter_and_cooling_to_summer() -> None:
    kwh = {}
    for start in (WINTER, SUMMER):
        readings, _ = synthetic.generate(start=start, with_faults=False)
        kwh[start] = {name: sum(history.values()) for name, history in by_appliance(readings).items()}
    assert kwh[WINTER]["Heater"] > 1.3 * kwh[SUMMER]["Heater"]
    assert kwh[SUMMER]["AC"] > 1.3 * kwh[WINTER]["AC"]
    assert kwh[SUMMER]["Refrigerator"] == pytest.approx(kwh[WINTER]["Refrigerator"], rel=0.2)


def test_labels_cannot_be_taken_for_readings(tmp_path: Path) -> None:
    _, labels = written(tmp_path)
    header, *rows = labels.decode("utf-8").splitlines()
    assert header == "start,end,appliance,kind,normal_kwh,recorded_kwh,injected_kwh"
    assert len(rows) == 7
    assert {path.name for path in tmp_path.iterdir()} == {"energy_data.csv", "energy_data_labels.csv"}
    assert not {"timestamp", "kwh"} & set(header.split(","))


def test_a_short_history_has_no_fault_and_none_at_all_is_refused() -> None:
    readings, faults = synthetic.generate(start=WINTER, days=1)
    assert (len(readings), faults) == (96, [])
    with pytest.raises(synthetic.TooShortError, match="0 days"):
        synthetic.generate(start=WINTER, days=0)
