"""Measure the 7-day forecast on real meters: `python -m benchmarks.quality_forecast --data DIR [--left-out]`.

DIR is any folder of `timestamp,appliance,kwh` files (.csv, .csv.gz). Every model forecasts seven daily
totals from the same days of each meter, with 30 days, 90 days and all of the history. The MASE is scaled by
the error of repeating the last week over the 365 days before. Brackets are 95 % bootstrap intervals over
meters.

On the folder that the pre-trained part was trained on, `--left-out` is needed: it trains on the other homes
for each third of them (needs lightgbm). `--rivals` adds models of statsforecast.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.daily_series import Meter, find_files, read_meters
from energy_analytics.forecasting.baselines import moving_average, seasonal_naive
from energy_analytics.forecasting.correction import Correction, load_correction
from energy_analytics.forecasting.ensemble import ensemble_tracks
from energy_analytics.forecasting.history import History
from energy_analytics.forecasting.models import forecast_best, prophet
from energy_analytics.forecasting.panel import fill_gaps
from energy_analytics.forecasting.scoring import naive_scale

Array = NDArray[np.float64]
Ends = tuple[Array, Array, Array]
HORIZON: Final = 7
LEVEL: Final = 0.8
LENGTHS: Final = {"30 days": 30, "90 days": 90, "full": 100_000}
RIVAL_DAYS: Final = 730
BOOTSTRAPS: Final = 2000


def origins_of(daily_kwh: Array, *, count: int) -> list[int]:
    """Choose days to forecast from, evenly after the first year or what there is, with few gaps around
    them."""
    days = len(daily_kwh)
    first = min(365 + HORIZON, days - 45)
    return [
        int(origin)
        for origin in np.unique(np.linspace(max(first, 30), days - 1 - HORIZON, count).astype(int))
        if np.isnan(daily_kwh[origin - 29 : origin + 1]).sum() <= 5
        and np.isnan(daily_kwh[origin + 1 : origin + 1 + HORIZON]).sum() <= 1
        and naive_scale(daily_kwh, origin) > 0
    ]


def own_models(correction: Correction) -> dict[str, Callable[[History], Ends]]:
    """The project's models, with the pre-trained part given."""

    def ensemble(history: History) -> Ends:
        track = ensemble_tracks(history.daily_kwh[None], horizon=HORIZON, level=LEVEL, correction=correction)[0]
        return track.mean[-1], track.lower[-1], track.upper[-1]

    def auto(history: History) -> Ends:
        made = forecast_best(history, horizon_days=HORIZON, level=LEVEL, correction=correction)
        return made.mean, made.lower, made.upper

    def named(model: Callable[..., object]) -> Callable[[History], Ends]:
        def run(history: History) -> Ends:
            made = model(history, horizon_days=HORIZON, level=LEVEL)
            return made.mean, made.lower, made.upper  # type: ignore[attr-defined]

        return run

    return {
        "ensemble": ensemble,
        "auto (default)": auto,
        "Prophet as specified": named(prophet),
        "mean of 7 days": named(moving_average),
        "seasonal naive": named(seasonal_naive),
    }


def rivals() -> dict[str, Callable[[History], Ends]]:
    """Models of statsforecast on the last two years, gaps filled as for the ensemble."""
    from statsforecast.models import MSTL, AutoETS, DynamicOptimizedTheta

    def run(model: object) -> Callable[[History], Ends]:
        def made(history: History) -> Ends:
            filled = fill_gaps(history.daily_kwh[None])[0][0, -RIVAL_DAYS:]
            out = model.forecast(y=filled, h=HORIZON, level=[80])  # type: ignore[attr-defined]
            mean, lower, upper = (np.maximum(np.asarray(out[key]), 0.0) for key in ("mean", "lo-80", "hi-80"))
            return mean, lower, upper

        return made

    return {
        "AutoETS": run(AutoETS(season_length=7)),
        "MSTL": run(MSTL(season_length=7, trend_forecaster=AutoETS(model="ZZN"))),
        "DynamicOptimizedTheta": run(DynamicOptimizedTheta(season_length=7)),
    }


def measure(meter: Meter, models: dict[str, Callable[[History], Ends]], *, origins: int) -> list[dict[str, object]]:
    """Forecast one meter with every model from every origin and length of history."""
    lines: list[dict[str, object]] = []
    for origin in origins_of(meter.daily_kwh, count=origins):
        actual = meter.daily_kwh[origin + 1 : origin + 1 + HORIZON]
        known = ~np.isnan(actual)
        scale = naive_scale(meter.daily_kwh, origin)
        for length, days in LENGTHS.items():
            past = meter.daily_kwh[: origin + 1][-days:]
            past = past[int(np.flatnonzero(~np.isnan(past))[0]) :]
            first = meter.first_day + pd.Timedelta(days=origin + 1 - len(past))
            history = History(date(first.year, first.month, first.day), past)
            for name, model in models.items():
                started = time.perf_counter()
                mean, lower, upper = model(history)
                lines.append(
                    {
                        "meter": meter.name,
                        "history": length,
                        "model": name,
                        "mase": np.abs(mean - actual)[known].mean() / scale,
                        "inside": ((actual >= lower) & (actual <= upper))[known].mean(),
                        "width": (upper - lower)[known].mean() / scale,
                        "seconds": time.perf_counter() - started,
                    }
                )
    return lines


def table(results: pd.DataFrame) -> str:
    """Write the figures as a Markdown table: the mean over meters of each meter's mean over origins."""
    per_meter = results.groupby(["model", "history", "meter"]).mean(numeric_only=True)
    generator = np.random.default_rng(0)
    count = results["meter"].nunique()
    draws = generator.integers(count, size=(BOOTSTRAPS, count))
    rows = ["| model | " + " | ".join(f"MASE, {length}" for length in LENGTHS) + " | coverage of the 80 % band | "]
    rows[0] += "width | better than seasonal naive | s per forecast |"
    rows.append("|" + " --- |" * (len(LENGTHS) + 5))
    for model in results["model"].unique():
        cells, coverage, width, wins, seconds = [], [], [], [], []
        for length in LENGTHS:
            own = per_meter.xs(model, level="model").xs(length, level="history")
            naive = per_meter.xs("seasonal naive", level="model").xs(length, level="history")
            low, high = np.quantile(own["mase"].to_numpy()[draws].mean(axis=1), [0.025, 0.975])
            cells.append(f"{own['mase'].mean():.3f} [{low:.2f}, {high:.2f}]")
            coverage.append(f"{own['inside'].mean():.2f}")
            width.append(f"{own['width'].median():.1f}")
            wins.append(f"{(own['mase'] < naive['mase']).mean():.0%}")
            seconds.append(f"{own['seconds'].mean():.3f}")
        columns = [*cells, *(" / ".join(part) for part in (coverage, width, wins, seconds))]
        rows.append(f"| {model} | " + " | ".join(columns) + " |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("ENERGY_DATA"), help="or set ENERGY_DATA")
    parser.add_argument("--left-out", action="store_true", help="judge each home by training on the others")
    parser.add_argument("--rivals", action="store_true", help="also run statsforecast's models")
    parser.add_argument("--origins", type=int, default=8)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give a folder of CSV files with --data or ENERGY_DATA")
    others = rivals() if options.rivals else {}
    lines: list[dict[str, object]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if options.left_out:
            from benchmarks.train_forecast import FILES, FOLDS, SEED, fit, folds_of, training_set

            meters = read_meters([Path(options.data) / file for file in FILES])
            folds = folds_of(meters)
            for fold in range(FOLDS):
                learnt = fit(*training_set([m for m in meters if folds[m.home] != fold], seed=SEED + fold))
                for meter in (m for m in meters if folds[m.home] == fold):
                    lines += measure(meter, own_models(learnt) | others, origins=options.origins)
        else:
            meters = read_meters(find_files(Path(options.data)))
            for meter in meters:
                lines += measure(meter, own_models(load_correction()) | others, origins=options.origins)
    results = pd.DataFrame(lines)
    meters_measured, models_measured = results["meter"].nunique(), results["model"].nunique()
    print(f"{meters_measured} meters, {len(results) // models_measured} forecasts per model\n")
    print(table(results))


if __name__ == "__main__":
    main()
