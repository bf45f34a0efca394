"""A sentence per episode that a person can check against the readings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

import numpy as np

from .candidates import Candidate
from .evidence import Evidence, compared_lags
from .grid import DAY_SECONDS, Meter
from .scans import BASE_DAYS, lags_of_days
from .windows import Floats, means


@dataclass(frozen=True, slots=True)
class Figures:
    """What the readings between two times add up to."""

    start: datetime
    end: datetime
    actual_kwh: float
    expected_kwh: float
    readings: int

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.end - self.start) / timedelta(days=1)


Sentence = Callable[[Candidate, Figures, Meter, Evidence], str]


def reason_of(found: Candidate, figures: Figures, meter: Meter, e: Evidence) -> str:
    """Return why an episode was reported."""
    return SENTENCES[found.kind](found, figures, meter, e)


def kwh_text(kwh: float) -> str:
    """Return an energy with three significant digits and its unit."""
    size = abs(kwh)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{kwh:,.{decimals}f} kWh"


def _stretch(f: Figures) -> str:
    last_day = (f.end - timedelta(seconds=1)).date()
    if f.start.time() == f.end.time() == time(0):
        return f"on {f.start:%Y-%m-%d}" if last_day == f.start.date() else f"from {f.start:%Y-%m-%d} to {last_day}"
    end = f"{f.end:%H:%M}" if last_day == f.start.date() else f"{f.end:%Y-%m-%d %H:%M}"
    return f"from {f.start:%Y-%m-%d %H:%M} to {end}"


def _length(f: Figures) -> str:
    hours = (f.end - f.start) / timedelta(hours=1)
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.0f} hours" if hours < 72 else f"{f.days:.1f} days"


def _against(f: Figures) -> str:
    text = f"the same hours of other weeks use {kwh_text(f.expected_kwh)}"
    if f.expected_kwh > 0.005 * max(f.actual_kwh, 1e-9):
        text += f" ({100 * (f.actual_kwh / f.expected_kwh - 1):+.0f} %)"
    return text


def _level(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    return f"used {kwh_text(f.actual_kwh)} in {_length(f)} {_stretch(f)}; {_against(f)}"


def _new_level(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    fortnight = 14 * e.per_day
    before = float(np.nanmean(e.kwh[max(found.start - fortnight, 0) : found.start])) * e.per_day
    after = float(np.nanmean(e.kwh[found.start : found.start + fortnight])) * e.per_day
    return (
        f"a new level since {f.start:%Y-%m-%d}: {kwh_text(after)} a day in the two weeks after, "
        f"{kwh_text(before)} in the two before"
    )


def _spike(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    rows = meter.rows_between(_seconds(f.start), _seconds(f.end))
    others = np.delete(meter.kwh, rows)
    text = f"used {kwh_text(f.actual_kwh)} {_stretch(f)}; {_against(f)}"
    if not len(others):
        return text
    peak, before = float(meter.kwh[rows].max()), float(others.max())
    return f"{text}, and the highest other reading is {kwh_text(before)} against {kwh_text(peak)} here"


def _stuck_on(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    values = e.kwh[found.start : found.end]
    values = values[np.isfinite(values)]
    days = _whole_days(e)
    lowest = np.where(np.isnan(days), np.inf, days).min(axis=1)
    usual = float(np.median(lowest[np.isfinite(lowest)]))
    floors = (float(np.quantile(values, share, method="lower")) for share in (0.0, 0.05, 0.1, 0.25, 0.5))
    floor = next((value for value in floors if value > usual), float(values.min()))
    steps = int((values >= floor).sum())
    often = "" if steps == len(values) else f" in {steps} of {len(values)} intervals"
    return (
        f"not below {kwh_text(floor)} {_a_step(e)}{often} {_stretch(f)}; "
        f"the lowest of an ordinary day is {kwh_text(usual)}"
    )


def _dead(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    return f"no energy for {_length(f)} {_stretch(f)}; {_against(f)}"


def _frozen(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    rows = meter.rows_between(_seconds(f.start), _seconds(f.end))
    value = float(np.median(meter.kwh[rows]))
    return f"the same reading, {kwh_text(value)}, {f.readings} times in a row {_stretch(f)}"


def _repeated(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    return f"readings {_stretch(f)} are those of 24 hours earlier, value for value"


def _shifted(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    used, usual = _profiles(found, e)
    used, usual = np.sqrt(used) - np.sqrt(used).mean(), np.sqrt(usual) - np.sqrt(usual).mean()
    fit = [float(np.dot(np.roll(usual, step), used)) for step in range(len(used))]
    later = int(np.argmax(fit)) * 24 / len(used)
    moved = f"{later:.0f} hours later" if later <= 12 else f"{24 - later:.0f} hours earlier"
    return f"the daily profile {_stretch(f)} fits the usual one best when that is moved {moved}; {_against(f)}"


def _routine(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    used, usual = _profiles(found, e)
    more, less = int(np.argmax(used - usual)), int(np.argmin(used - usual))
    return (
        f"another routine {_stretch(f)}: at {_clock(more, e)} {kwh_text(used[more])} a day instead of "
        f"{kwh_text(usual[more])}, at {_clock(less, e)} {kwh_text(used[less])} instead of "
        f"{kwh_text(usual[less])}"
    )


def _unusual_hours(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    first, width = found.hours or (0, e.per_day)
    used, usual = _profiles(found, e)
    hours = np.arange(first, first + width) % e.per_day
    on, off = _clock(first, e), _clock((first + width) % e.per_day, e)
    return (
        f"on from {on} to {off} for {int(f.days) + 1} days {_stretch(f)}, "
        f"{kwh_text(used[hours].sum())} a day in these hours; "
        f"the same hours of other weeks use {kwh_text(usual[hours].sum())}"
    )


def _unused_hours(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    used, usual = _profiles(found, e)
    hour = int(np.argmin(used - usual))
    return (
        f"unused at usual hours {_stretch(f)}: at {_clock(hour, e)} {kwh_text(used[hour])} a day instead of "
        f"{kwh_text(usual[hour])}"
    )


def _movement(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    still = found.kind == "hardly moving"
    lags = lags_of_days(e, BASE_DAYS, 1) if still else compared_lags(len(e.kwh), e.per_day)
    change = np.abs(np.diff(e.kwh))
    inside = float(np.nanmean(change[found.start : max(found.end - 1, found.start + 1)]))
    moved = means(change, max(found.length - 1, 1))
    others = [moved[place] for place in found.start + lags if 0 <= place < len(moved)]
    text = f"changed by {kwh_text(inside)} from one {_step_name(e)} to the next {_stretch(f)}"
    if not np.isfinite(others).any():
        return text
    usual = kwh_text(float(np.nanmedian(others)))
    return f"{text}; the same hours of other {'days' if still else 'weeks'} change by {usual}"


def _dropouts(found: Candidate, f: Figures, meter: Meter, e: Evidence) -> str:
    rows = meter.rows_between(_seconds(f.start), _seconds(f.end))
    zeros = int((meter.kwh[rows] <= 0).sum())
    share = 100 * float((meter.kwh <= 0).mean())
    return f"{zeros} of {f.readings} readings {_stretch(f)} are zero; over the whole history {share:.1f} % are"


SENTENCES: Final[dict[str, Sentence]] = {
    "spike": _spike,
    "unusually high": _level,
    "unusually low": _level,
    "new level": _new_level,
    "stuck on": _stuck_on,
    "dead": _dead,
    "frozen reading": _frozen,
    "repeated readings": _repeated,
    "shifted in time": _shifted,
    "unusual routine": _routine,
    "on at unusual hours": _unusual_hours,
    "unused at usual hours": _unused_hours,
    "hardly moving": _movement,
    "restless": _movement,
    "dropouts": _dropouts,
}
"""How each kind of episode is explained; the keys are all kinds there are."""


def _seconds(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1)) / timedelta(seconds=1))  # noqa: DTZ001


def _step_name(e: Evidence) -> str:
    step = e.grid.step_seconds
    return "day" if step == DAY_SECONDS else "hour" if step == 3600 else f"{step / 3600:g} hours"


def _a_step(e: Evidence) -> str:
    return f"per {_step_name(e)}"


def _whole_days(e: Evidence) -> Floats:
    days = len(e.kwh) // e.per_day
    return e.kwh[: days * e.per_day].reshape(days, e.per_day)


def _clock(place: int, e: Evidence) -> str:
    seconds = place % e.per_day * e.grid.step_seconds
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _profiles(found: Candidate, e: Evidence) -> tuple[Floats, Floats]:
    """Return the mean day inside an episode and what is usual for it, kWh per step of the day."""
    place = np.arange(found.start, found.end) % e.per_day
    kwh, usual = e.kwh[found.start : found.end], e.usual_kwh[found.start : found.end]
    known = np.isfinite(kwh) & np.isfinite(usual)
    count = np.maximum(np.bincount(place[known], minlength=e.per_day), 1)
    used = np.bincount(place[known], weights=kwh[known], minlength=e.per_day) / count
    mean = np.bincount(place[known], weights=np.maximum(usual[known], 0), minlength=e.per_day) / count
    return np.maximum(used, 0), mean
