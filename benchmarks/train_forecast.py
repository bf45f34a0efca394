"""Train the pre-trained part of the ensemble: `python -m benchmarks.train_forecast --data DIR [--left-out]`.

DIR holds household_power, smart_meters_au, vic_demand and appliances_10min. Without `--left-out` it writes
`correction.npz` beside the code; with it, it trains on two thirds of the homes at a time, scores the
others, and writes nothing but the figures. Needs lightgbm. The seed is fixed.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.daily_series import Meter, read_meters
from energy_analytics.forecasting.correction import ARTEFACT, NAMES, Correction, tree_rows
from energy_analytics.forecasting.ensemble import ensemble_tracks
from energy_analytics.forecasting.features import make_features
from energy_analytics.forecasting.panel import make_panel
from energy_analytics.forecasting.pooling import running_scores
from energy_analytics.forecasting.regression import own_regression
from energy_analytics.forecasting.scoring import naive_scale
from energy_analytics.forecasting.trees import Trees

Array = NDArray[np.float64]
FILES: Final = (
    "household_power/household_power_hourly.csv.gz",
    "smart_meters_au/smart_meters_halfhourly.csv.gz",
    "vic_demand/vic_demand_halfhourly.csv.gz",
    "appliances_10min/appliances_10min.csv.gz",
)
SEED: Final = 7
HORIZON: Final = 7
WINDOW_DAYS: Final = 1100
MIXTURES: Final = 60
"""Series made from the real ones: sums of homes, and weekday patterns put over them (offices, shops, wash
days)."""
SLICE_DAYS: Final = 97
"""Length of the excerpts that teach short histories."""
FOLDS: Final = 3
DEPTH: Final = 5
HEADS: Final = {"median": (0.5, 250), "lower": (0.1, 150), "upper": (0.9, 150)}
"""Quantile and number of trees."""
PARAMETERS: Final[dict[str, Any]] = {
    "objective": "quantile",
    "num_leaves": 12,
    "max_depth": DEPTH,
    "learning_rate": 0.05,
    "min_data_in_leaf": 400,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "use_missing": False,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": SEED,
    "verbose": -1,
}


def mixtures(meters: list[Meter], rng: np.random.Generator) -> list[Array]:
    """Make series from real ones: a third sums of homes, the rest single or summed with a weekday pattern."""
    homes = [meter for meter in meters if meter.home.startswith("meter_")]
    made = []
    for number in range(MIXTURES):
        if number % 3 == 0:
            series = _sum_of([homes[i] for i in rng.choice(len(homes), rng.integers(2, 9), replace=False)], rng)
            pattern = rng.random() < 0.4
        elif rng.random() < 0.3:
            series = _sum_of([homes[i] for i in rng.choice(len(homes), rng.integers(1, 4), replace=False)], rng)
            pattern = True
        else:
            source = meters if rng.random() < 0.6 else homes
            series, pattern = source[rng.integers(len(source))].daily_kwh, True
        if pattern:
            shape = np.ones(7)
            if rng.random() < 0.7:
                shape[5:] = rng.uniform(0.15, 1.3, 2) if rng.random() < 0.5 else rng.uniform(0.15, 1.3)
            else:
                shape = rng.lognormal(0, 0.35, 7)
            series = series * np.roll(shape, rng.integers(7))[np.arange(len(series)) % 7]
        if len(series) > SLICE_DAYS + 30:
            made.append(series)
    return made


def _sum_of(meters: list[Meter], rng: np.random.Generator) -> Array:
    start = max(meter.first_day for meter in meters)
    end = min(meter.first_day + pd.Timedelta(days=len(meter.daily_kwh)) for meter in meters)
    total = np.zeros(max((end - start).days, 0))
    for meter in meters:
        skip = (start - meter.first_day).days
        part = meter.daily_kwh[skip : skip + len(total)]
        total += part / np.nanmean(meter.daily_kwh) * rng.lognormal(0, 0.7)
    return total


def examples(daily_kwh: Array, rng: np.random.Generator, *, step: int) -> tuple[NDArray[np.float32], Array, Array]:
    """Make rows of features, errors of the combination in usual changes, and weights that turn them into
    MASE."""
    daily_kwh = daily_kwh[-WINDOW_DAYS:]
    first = int(np.flatnonzero(~np.isnan(daily_kwh))[0])
    daily_kwh = daily_kwh[first:]
    days = len(daily_kwh)
    scales = np.array([naive_scale(daily_kwh, max(day, 60)) for day in range(days)])
    parts = []
    starts: list[int] = [0]
    origins = np.arange(91 + int(rng.integers(step)), days - HORIZON, step)
    if origins.size:
        parts.append(_rows(daily_kwh, scales, starts, days, origins))
    starts = [
        start
        for start in range(int(rng.integers(40)), days - SLICE_DAYS - HORIZON, 45)
        if not np.isnan(daily_kwh[start]) and np.isnan(daily_kwh[start : start + SLICE_DAYS]).mean() < 0.2
    ]
    if starts:
        parts.append(_rows(daily_kwh, scales, starts, SLICE_DAYS, np.arange(20 + int(rng.integers(5)), SLICE_DAYS, 6)))
    rows, errors, weights = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    usable = np.isfinite(errors) & (np.abs(errors) < 25) & np.isfinite(weights)
    return rows[usable], errors[usable], np.clip(weights[usable], 0.3, 3.0)


def _rows(
    daily_kwh: Array, scales: Array, starts: list[int], days: int, origins: NDArray[np.int_]
) -> tuple[NDArray[np.float32], Array, Array]:
    panel = make_panel(np.stack([daily_kwh[start : start + days] for start in starts]), horizon=HORIZON)
    features = make_features(panel, np.arange(days))
    own = np.maximum(panel.combined + own_regression(panel, features), 0.0)
    record = running_scores(np.stack([panel.combined, own], axis=2), panel.daily_kwh, panel.observed, panel.scale)
    base, scale = panel.combined[:, origins], panel.scale[:, origins, None]
    ratio = np.broadcast_to((record[:, origins, 1] / record[:, origins, 0])[..., None], base.shape)
    rows = tree_rows(features[:, origins], (own[:, origins] - base) / scale, ratio)
    target = np.array(starts)[:, None, None] + origins[:, None] + np.arange(1, HORIZON + 1)
    actual = np.where(target < len(daily_kwh), daily_kwh[np.minimum(target, len(daily_kwh) - 1)], np.nan)
    year = scales[np.array(starts)[:, None] + origins][:, :, None]
    errors, weights = (actual - base) / scale, np.broadcast_to(scale / year, base.shape)
    return rows, errors.ravel(), weights.ravel()


def training_set(meters: list[Meter], *, seed: int) -> tuple[NDArray[np.float32], Array, Array]:
    """Gather examples: every series counts the same, a real one twice as much as a made one."""
    rng = np.random.default_rng(seed)
    sources = [(meter.daily_kwh, 3, 2.0) for meter in meters]
    house = [meter for meter in meters if meter.home == "household_power"]
    if house:
        sources.append((np.sum([meter.daily_kwh for meter in house], axis=0), 3, 2.0))
    sources += [(series, 6, 1.0) for series in mixtures(meters, rng)]
    parts = []
    for series, step, weight in sources:
        rows, errors, weights = examples(series, rng, step=step)
        if len(rows):
            parts.append((rows, errors, weights * weight / len(rows)))
    rows, errors, weights = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return rows, errors, weights / weights.mean()


def fit(rows: NDArray[np.float32], errors: Array, weights: Array) -> Correction:
    """Fit the three heads and check that numpy gives what LightGBM gives."""
    heads = []
    for quantile, rounds in HEADS.values():
        data = lightgbm.Dataset(rows, errors, weight=weights, params={"verbose": -1, "use_missing": False})
        booster = lightgbm.train({**PARAMETERS, "alpha": quantile}, data, rounds)
        trees = pack(booster.dump_model())
        apart = np.abs(trees.predict(rows[:2000]) - booster.predict(rows[:2000])).max()
        if apart > 1e-4:
            raise RuntimeError(f"The packed trees are {apart} away from LightGBM's.")
        heads.append(trees)
    return Correction(*heads)


def pack(model: dict[str, Any]) -> Trees:
    """Lay LightGBM's trees out as complete binary trees of `DEPTH`."""
    inner, leaves = 2**DEPTH - 1, 2**DEPTH
    count = len(model["tree_info"])
    trees = Trees(
        np.zeros((count, inner), np.int16),
        np.full((count, inner), np.inf, np.float32),
        np.zeros((count, leaves), np.float32),
    )

    def place(node: dict[str, Any], tree: int, position: int) -> None:
        if "leaf_value" in node:
            if position >= inner:
                trees.leaf[tree, position - inner] = node["leaf_value"]
            else:
                place(node, tree, 2 * position + 1)
            return
        threshold = np.float32(node["threshold"])
        if float(threshold) > node["threshold"]:
            threshold = np.nextafter(threshold, np.float32(-np.inf))
        trees.feature[tree, position] = node["split_feature"]
        trees.threshold[tree, position] = threshold
        place(node["left_child"], tree, 2 * position + 1)
        place(node["right_child"], tree, 2 * position + 2)

    for number, info in enumerate(model["tree_info"]):
        place(info["tree_structure"], number, 0)
    return trees


def save(correction: Correction, path: Path) -> None:
    """Write the trees as plain arrays."""
    arrays: dict[str, Any] = {}
    for name in HEADS:
        trees: Trees = getattr(correction, name)
        arrays[f"{name}_feature"] = trees.feature.astype(np.int8)
        arrays[f"{name}_threshold"] = trees.threshold
        arrays[f"{name}_leaf"] = trees.leaf
    np.savez_compressed(path, **arrays)


def folds_of(meters: list[Meter]) -> dict[str, int]:
    """Deal the homes into folds by seed; all series of a home go together."""
    homes = sorted({meter.home for meter in meters})
    np.random.default_rng(SEED).shuffle(homes)
    return {home: position % FOLDS for position, home in enumerate(homes)}


def left_out(meters: list[Meter], *, origins: int = 12) -> pd.DataFrame:
    """Score each home with a correction that has not seen it; MASE and coverage by length of history."""
    folds = folds_of(meters)
    lines = []
    for fold in range(FOLDS):
        correction = fit(*training_set([m for m in meters if folds[m.home] != fold], seed=SEED + fold))
        for meter in (m for m in meters if folds[m.home] == fold):
            for origin in test_origins(meter.daily_kwh, count=origins):
                actual = meter.daily_kwh[origin + 1 : origin + 1 + HORIZON]
                scale = naive_scale(meter.daily_kwh, origin)
                for history in (30, 90, 0):
                    past = meter.daily_kwh[: origin + 1][-history:]
                    past = past[np.flatnonzero(~np.isnan(past))[0] :]
                    track = ensemble_tracks(past[None], horizon=HORIZON, level=0.8, correction=correction)[0]
                    experts = make_panel(past[None], horizon=HORIZON).combined[0, -1]
                    known = ~np.isnan(actual)
                    inside = (actual >= track.lower[-1]) & (actual <= track.upper[-1])
                    lines.append(
                        {
                            "meter": meter.name,
                            "history_days": str(history or "full"),
                            "mase": np.abs(track.mean[-1] - actual)[known].mean() / scale,
                            "experts_alone_mase": np.abs(experts - actual)[known].mean() / scale,
                            "coverage": inside[known].mean(),
                        }
                    )
    return pd.DataFrame(lines)


def test_origins(daily_kwh: Array, *, count: int) -> list[int]:
    """Choose `count` days, evenly after the first year or what there is of it, with few gaps around them."""
    days = len(daily_kwh)
    first = min(365 + HORIZON, days - 60)
    return [
        int(origin)
        for origin in np.unique(np.linspace(first, days - 1 - HORIZON, count).astype(int))
        if np.isnan(daily_kwh[origin - 29 : origin + 1]).sum() <= 5
        and np.isnan(daily_kwh[origin + 1 : origin + 1 + HORIZON]).sum() <= 1
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("ENERGY_DATA"), help="or set ENERGY_DATA")
    parser.add_argument("--left-out", action="store_true", help="score on homes left out; write nothing")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give the folder of the training data with --data or ENERGY_DATA")
    started = time.perf_counter()
    meters = read_meters([Path(options.data) / file for file in FILES])
    if options.left_out:
        table = left_out(meters).groupby(["history_days", "meter"]).mean(numeric_only=True)
        print(table.groupby("history_days").mean().round(3).to_string())
        return
    rows, errors, weights = training_set(meters, seed=SEED)
    save(fit(rows, errors, weights), ARTEFACT)
    print(
        f"{ARTEFACT.name}: {ARTEFACT.stat().st_size:,} bytes, {len(meters)} meters, {len(rows):,} rows of "
        f"{len(NAMES)} features, {time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
