"""Measure the episodes on real series with faults put in by seed.

`python -m benchmarks.quality_anomalies FOLDER` prints the tables of docs/quality.md.

FOLDER holds files `timestamp,appliance,kwh` (.csv.gz) at any depth. An event found is an episode (or a row of
flagged hours) that overlaps a fault; precision is the share of events found that overlap one; F1 is the mean
over stretches. False alarms are counted on the same stretches without faults. Only meters kept for the report
are used, unless `--half tuning` is given.
"""

import argparse
import time
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.anomaly_faults import HELD_BACK, KNOWN, Fault, Floats, Injected, inject
from benchmarks.anomaly_labels import holiday_table, labelled_fault_table
from benchmarks.anomaly_rivals import RIVALS, events, filled
from benchmarks.anomaly_series import Stretch, halves, hourly_series, stretches
from energy_analytics.episodes import carry_over, detect_episodes

Spans = list[tuple[float, float]]
Finder = Callable[[Stretch, Floats], Spans]

DAYS: Final = 180
FAULTS_PER_MONTH: Final = 1.0
SEED: Final = 2026


@dataclass(slots=True)
class Tally:
    """What a detector found over all stretches."""

    precision: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    f1: list[float] = field(default_factory=list)
    by_kind: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    false_alarms: int = 0
    months: float = 0.0
    overlaps: list[float] = field(default_factory=list)

    def add(self, clean: Spans, found: Spans, faults: tuple[Injected, ...], months: float) -> None:
        """Count one stretch."""
        self.false_alarms += len(clean)
        self.months += months
        true = sum(any(a < f.end and f.start < b for f in faults) for a, b in found)
        hits = [any(a < f.end and f.start < b for a, b in found) for f in faults]
        for fault, hit in zip(faults, hits, strict=True):
            self.by_kind[fault.kind].append(hit)
            if hit:
                self.overlaps.append(max(_shared(span, fault) for span in found))
        precision = true / len(found) if found else 0.0
        recall = float(np.mean(hits))
        self.precision.append(precision)
        self.recall.append(recall)
        self.f1.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)

    def row(self, name: str) -> str:
        """Return the figures as a row of a table."""
        return (
            f"| {name} | {np.mean(self.precision):.2f} | {np.mean(self.recall):.2f} | "
            f"{np.mean(self.f1):.2f} | {self.false_alarms / self.months:.2f} |"
        )

    def kind_recall(self, kind: str) -> float:
        """Return the share of faults of a kind that were found."""
        return float(np.mean(self.by_kind[kind]))


def _shared(span: tuple[float, float], fault: Injected) -> float:
    inner = min(span[1], fault.end) - max(span[0], fault.start)
    return max(inner, 0.0) / (max(span[1], fault.end) - min(span[0], fault.start))


def episodes_finder(alarms: float = 0.5) -> Finder:
    """Return a finder that uses the public function as it is."""

    def find(stretch: Stretch, kwh: Floats) -> Spans:
        found = detect_episodes(stretch.readings(kwh), alarms_per_appliance_month=alarms)
        return list(zip(stretch.places(found["start"]), stretch.places(found["end"]), strict=True))

    return find


def rival_finder(name: str) -> Finder:
    """Return a finder that joins the hours a rival flags."""

    def find(_: Stretch, kwh: Floats) -> Spans:
        return [(float(a), float(b)) for a, b in events(RIVALS[name](filled(kwh)))]

    return find


def with_faults(
    series: list[Stretch], kinds: dict[str, Fault], *, days: int, per_month: float
) -> list[tuple[Stretch, Floats, tuple[Injected, ...]]]:
    """Return stretches beside their faulty copies; those that took no fault are left out."""
    cases = []
    for stretch in stretches(series, days=days):
        seed = zlib.crc32(f"{SEED} {stretch.meter} {stretch.start}".encode())
        kwh, faults = inject(stretch.kwh, kinds=kinds, per_month=per_month, rng=np.random.default_rng(seed))
        if faults:
            cases.append((stretch, kwh, faults))
    return cases


def measure(find: Finder, cases: list[tuple[Stretch, Floats, tuple[Injected, ...]]]) -> Tally:
    """Run a finder over all cases, with and without their faults."""
    tally = Tally()
    for stretch, kwh, faults in cases:
        tally.add(find(stretch, stretch.kwh), find(stretch, kwh), faults, stretch.months)
    return tally


def measure_as_streaming(
    cases: list[tuple[Stretch, Floats, tuple[Injected, ...]]],
) -> tuple[dict[str, float], float]:
    """Return the recall per kind when history ends a day after the fault, and the false alarms of daily runs.

    A false alarm is an episode with an id of its own after `carry_over`, whatever becomes of it later.
    """
    hits: dict[str, list[bool]] = defaultdict(list)
    alarms, months = 0, 0.0
    for stretch, kwh, faults in cases:
        for fault in faults:
            found = detect_episodes(stretch.readings(kwh, hours=fault.end + 24))
            spans = zip(stretch.places(found["start"]), stretch.places(found["end"]), strict=True)
            hits[fault.kind].append(any(a < fault.end and fault.start < b for a, b in spans))
        known = detect_episodes(stretch.readings(hours=0))
        for hours in range(28 * 24, len(stretch.kwh) + 1, 24):
            readings = stretch.readings(hours=hours)
            end = stretch.start + pd.Timedelta(hours=hours)
            known = carry_over(known, detect_episodes(readings), readings_end=end)
        alarms += len(known)
        months += stretch.months
    return {kind: float(np.mean(found)) for kind, found in hits.items()}, alarms / months


def speed_table(series: list[Stretch]) -> str:
    """Time one million hourly and one million half-hourly readings, and many short appliances."""
    hourly = pd.concat([s.readings() for s in series])
    rows = []
    for name, frame in (
        ("hourly, whole histories", _million(hourly, copies=True)),
        ("hourly, 60 days an appliance", _chopped(hourly, hours=60 * 24)),
        ("half-hourly, whole histories", _half_hourly(hourly)),
    ):
        started, busy = time.perf_counter(), time.process_time()
        detect_episodes(frame)
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        meters = frame["appliance"].nunique()
        rows.append(f"| {name} | {meters} | {len(frame):,} | {seconds:.2f} | {busy:.2f} |")
    return "\n".join(
        ["| readings | appliances | rows | seconds | CPU seconds |", "| --- | --- | --- | --- | --- |", *rows]
    )


def _million(frame: pd.DataFrame, *, copies: bool) -> pd.DataFrame:
    parts, size, copy = [], 0, 0
    while size < 1_000_000:
        parts.append(frame.assign(appliance=frame["appliance"] + f" {copy}") if copies else frame)
        size, copy = size + len(frame), copy + 1
    return pd.concat(parts, ignore_index=True).head(1_000_000)


def _chopped(frame: pd.DataFrame, *, hours: int) -> pd.DataFrame:
    many = _million(frame, copies=True)
    part = (many["timestamp"].astype("datetime64[s]").astype("int64") // (3600 * hours)).astype(str)
    return many.assign(appliance=many["appliance"] + " " + part)


def _half_hourly(frame: pd.DataFrame) -> pd.DataFrame:
    late = frame.assign(timestamp=frame["timestamp"] + pd.Timedelta("30min"))
    return _million(pd.concat([frame, late], ignore_index=True), copies=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=("report", "tuning"), default="report")
    parser.add_argument("--skip", nargs="*", default=[], choices=("rivals", "streaming", "labels", "speed"))
    options = parser.parse_args()
    every = hourly_series(options.folder)
    series = halves(every)[options.half]
    known = with_faults(series, KNOWN, days=DAYS, per_month=FAULTS_PER_MONTH)
    unseen = with_faults(series, HELD_BACK, days=DAYS, per_month=FAULTS_PER_MONTH)
    print(
        f"{len(series)} meters of the {options.half} half, {len(known)} stretches of {DAYS} days, "
        f"{sum(len(f) for _, _, f in known)} + {sum(len(f) for _, _, f in unseen)} faults\n"
    )
    ours, ours_unseen = measure(episodes_finder(), known), measure(episodes_finder(), unseen)
    head = "| precision | recall | F1 | false alarms per clean meter-month |\n| --- | --- | --- | --- | --- |"
    print(f"| detector, kinds the rules know {head}\n{ours.row('episodes')}")
    if "rivals" not in options.skip:
        for name in RIVALS:
            print(measure(rival_finder(name), known).row(name), flush=True)
    print(f"\n| detector, kinds held back {head}\n{ours_unseen.row('episodes')}")
    if "rivals" not in options.skip:
        for name in RIVALS:
            print(measure(rival_finder(name), unseen).row(name), flush=True)
    print(f"\nMedian overlap (shared / joint time) of a fault found: {np.median(ours.overlaps):.2f}\n")
    print(f"| stretches, known kinds {head}")
    for days in (60, 120, 365):
        cases = with_faults(series, KNOWN, days=days, per_month=FAULTS_PER_MONTH)
        print(measure(episodes_finder(), cases).row(f"{days} days"), flush=True)
    for per_month in (0.5, 2.0):
        cases = with_faults(series, KNOWN, days=DAYS, per_month=per_month)
        print(measure(episodes_finder(), cases).row(f"{DAYS} days, {per_month} faults a month"), flush=True)
    print(f"\n| alarms_per_appliance_month, known kinds {head}")
    for alarms in (0.1, 0.25, 0.5, 1.0, 2.0):
        print(measure(episodes_finder(alarms), known).row(str(alarms)), flush=True)
    streaming: dict[str, float] = {}
    if "streaming" not in options.skip:
        streaming, rate = measure_as_streaming(known)
        print(f"\nAs streaming: {rate:.2f} false alarms per clean meter-month, daily runs; recall below.")
    print("\n| kind | faults | recall | recall as streaming |\n| --- | --- | --- | --- |")
    for tally, kinds in ((ours, KNOWN), (ours_unseen, HELD_BACK)):
        for kind in kinds:
            live = f"{streaming[kind]:.2f}" if kind in streaming else ""
            note = " (held back)" if kinds is HELD_BACK else ""
            print(f"| {kind}{note} | {len(tally.by_kind[kind])} | {tally.kind_recall(kind):.2f} | {live} |")
    if "labels" not in options.skip:
        print(f"\n{labelled_fault_table(options.folder)}\n\n{holiday_table(options.folder)}")
    if "speed" not in options.skip:
        print(f"\n{speed_table(list(every.values()))}")


if __name__ == "__main__":
    main()
