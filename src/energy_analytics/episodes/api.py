"""The public functions: pandas in, pandas out."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from ..results import Episode
from ..schema import EPISODE_COLUMNS, RAW_ENERGY_DATA
from .detection import DEFAULT_ALARMS, ReadingsError, find_episodes
from .grid import Floats, Integers
from .identity import carry_rows


def detect_episodes(readings: pd.DataFrame, *, alarms_per_appliance_month: float = DEFAULT_ALARMS) -> pd.DataFrame:
    """Find the stretches of time in which an appliance did not behave as it usually does.

    `readings` has the columns `timestamp` (start of the interval, naive local wall time), `appliance` and
    `kwh` (energy in the interval), in any order of rows; steps of 1 minute to 1 day, which may differ between
    appliances. Rows without a time, an appliance or a finite number are left out; of several rows
    with the same stamp the mean counts. `alarms_per_appliance_month` is the sensitivity: about
    how many episodes an appliance with nothing wrong may be reported with in a month.

    The result has one row per episode, in order of start: `id` (stays the same as long as appliance, kind and
    start do; `carry_over` keeps it through growth), `start`, `end` (first instant after it), `appliance`,
    `kind` (a key of `reasons.SENTENCES`), `actual_kwh`, `expected_kwh`, `excess_kwh` (the difference),
    `severity` (1 just worth an alarm, at most 10) and `reason`.

    Each stretch is compared with the weeks before and after it. The latest ones only have weeks before, so an
    episode at the end of the history may change when more arrives.
    """
    codes, appliances, seconds, kwh = _columns(readings)
    return _frame(find_episodes(codes, appliances, seconds, kwh, alarms_per_appliance_month=alarms_per_appliance_month))


def carry_over(previous: pd.DataFrame, current: pd.DataFrame, *, readings_end: datetime) -> pd.DataFrame:
    """Return `current` with the ids that its episodes had before, and the earlier ones that are gone.

    Both are results of `detect_episodes` or of this function; `readings_end` is the end of the last interval.
    An episode is the same as an earlier one of that appliance when they share half of the shorter one and are
    not opposites (more use, less use); when several have grown into one, it keeps the id of the first. The
    result has a further column `status`: `open` (it reaches the last day of readings), `closed`, or
    `withdrawn` (reported before, no longer unusual beside what has arrived since; the row stays as it was, so
    that nothing that was said disappears without a word).
    """
    rows = carry_rows(_rows(previous), _rows(current), readings_end=readings_end)
    columns = [*current.columns.drop("status", errors="ignore"), "status"]
    return pd.DataFrame(rows, columns=columns)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in record.items()} for record in frame.to_dict("records")]


def _columns(readings: pd.DataFrame) -> tuple[Integers, list[str], Integers, Floats]:
    wanted = RAW_ENERGY_DATA.column_names
    missing = [name for name in wanted if name not in readings.columns]
    if missing:
        raise ReadingsError(f"The readings lack {', '.join(missing)}; the columns are {', '.join(wanted)}.")
    stamps = pd.to_datetime(readings["timestamp"])
    if stamps.dt.tz is not None:
        raise ReadingsError("timestamp has an offset; give the site's wall time without one.")
    codes, appliances = pd.factorize(readings["appliance"], sort=True)
    kwh = readings["kwh"].to_numpy(dtype=np.float64, na_value=np.nan)
    seconds = stamps.to_numpy().astype("datetime64[s]").astype(np.int64)
    usable = (codes >= 0) & np.isfinite(kwh) & stamps.notna().to_numpy()
    return codes[usable].astype(np.int64), [str(name) for name in appliances], seconds[usable], kwh[usable]


def _frame(episodes: list[Episode]) -> pd.DataFrame:
    frame = pd.DataFrame([asdict(episode) for episode in episodes], columns=[column.name for column in EPISODE_COLUMNS])
    kinds = {"TIMESTAMP": "datetime64[us]", "DOUBLE": "float64", "VARCHAR": "str"}
    return frame.astype({column.name: kinds[column.type] for column in EPISODE_COLUMNS})
