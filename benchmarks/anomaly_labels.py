"""Real series with labels: simulated faults of appliances by the minute, and a state's public holidays."""

from pathlib import Path
from typing import Final

import pandas as pd

from energy_analytics.episodes import detect_episodes

FAULTS_FILE: Final = "appliance_faults/appliance_faults_minute.csv.gz"
DEMAND_FILE: Final = "vic_demand/vic_demand_halfhourly.csv.gz"
HOLIDAYS_FILE: Final = "vic_demand/public_holidays.csv"

FIRST_DAY: Final = pd.Timestamp("2024-01-01")


def labelled_fault_table(folder: Path) -> str:
    """Return, per appliance and scenario, how many windows raise an episode on their day.

    The windows of an appliance are a day each, months apart. The history given is the nine other normal
    windows, one a day, three times over; the tenth window, normal or faulty, is the last day.
    """
    path = folder / FAULTS_FILE
    if not path.exists():
        return f"No {FAULTS_FILE} in the folder."
    frame = pd.read_csv(path, parse_dates=["timestamp"])
    rows = ["| appliance | scenario | labelled minutes a window | windows with an episode that day |"]
    rows.append("| --- | --- | --- | --- |")
    for appliance, device in frame.groupby("appliance"):
        normal = dict(list(device[device["scenario"] == "normal"].groupby("window")))
        for scenario, windows in device.groupby("scenario"):
            hits, minutes = 0, 0.0
            for window, last in windows.groupby("window"):
                others = [day for name, day in normal.items() if name != window] * 3
                days = [_on_day(day, number) for number, day in enumerate([*others, last])]
                found = detect_episodes(pd.concat(days, ignore_index=True))
                hits += bool((found["end"] > FIRST_DAY + pd.Timedelta(days=len(others))).any())
                minutes += float(last["label"].sum())
            total = windows["window"].nunique()
            rows.append(f"| {appliance} | {scenario} | {minutes / total:.0f} | {hits} of {total} |")
    return "\n".join(rows)


def _on_day(window: pd.DataFrame, day: int) -> pd.DataFrame:
    midnight = window["timestamp"].iloc[0].normalize()
    moved = window["timestamp"] - midnight + FIRST_DAY + pd.Timedelta(days=day)
    return window.assign(timestamp=moved)[["timestamp", "appliance", "kwh"]]


def holiday_table(folder: Path) -> str:
    """Return the share of public holidays and of other days that an episode touches, by sensitivity."""
    if not (folder / DEMAND_FILE).exists():
        return f"No {DEMAND_FILE} in the folder."
    readings = pd.read_csv(folder / DEMAND_FILE, parse_dates=["timestamp"])
    holidays = set(pd.to_datetime(pd.read_csv(folder / HOLIDAYS_FILE).iloc[:, 0]).dt.date)
    days = set(readings["timestamp"].dt.date)
    rows = ["| alarms_per_appliance_month | episodes | holidays touched | other days touched |"]
    rows.append("| --- | --- | --- | --- |")
    for alarms in (0.5, 1.0, 2.0):
        found = detect_episodes(readings, alarms_per_appliance_month=alarms)
        touched = {
            day.date()
            for start, end in zip(found["start"], found["end"], strict=True)
            for day in pd.date_range(start.normalize(), end - pd.Timedelta("1s"), freq="D")
        }
        rows.append(
            f"| {alarms} | {len(found)} | {len(touched & holidays)} of {len(holidays & days)} | "
            f"{100 * len(touched - holidays) / len(days - holidays):.1f} % |"
        )
    return "\n".join(rows)
