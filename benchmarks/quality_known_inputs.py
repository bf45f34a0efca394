"""Measure what holidays and a temperature forecast are worth: `python -m benchmarks.quality_known_inputs`.

On a state's demand (vic_demand under --data), full history, the pre-trained part fitted without it (needs
lightgbm). The temperature is the one that came: a perfect forecast, so the gain is an upper bound.
"""

import argparse
import os
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.daily_series import read_meters
from benchmarks.quality_forecast import HORIZON, LEVEL, origins_of
from benchmarks.train_forecast import FILES, SEED, fit, training_set
from energy_analytics.forecasting.ensemble import ensemble_tracks
from energy_analytics.forecasting.scoring import naive_scale

ORIGINS: Final = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("ENERGY_DATA"), help="or set ENERGY_DATA")
    folder = Path(parser.parse_args().data)
    meters = read_meters([folder / file for file in FILES])
    state = next(meter for meter in meters if meter.home == "vic_demand")
    correction = fit(*training_set([meter for meter in meters if meter is not state], seed=SEED))
    context = pd.read_csv(folder / "vic_demand" / "vic_context_halfhourly.csv.gz", parse_dates=["timestamp"])
    by_day = context.groupby(context["timestamp"].dt.date)[["temperature_c", "holiday"]].agg("mean")
    days = pd.date_range(state.first_day, periods=len(state.daily_kwh), freq="D")
    by_day = by_day.reindex([date(day.year, day.month, day.day) for day in days])
    temperature: NDArray[np.float64] = np.asarray(by_day["temperature_c"], dtype=np.float64)
    holidays = np.asarray(by_day["holiday"], dtype=np.float64) > 0.5
    known = {
        "nothing": (None, None),
        "holidays": (holidays, None),
        "temperature": (None, temperature),
        "both": (holidays, temperature),
    }
    print(f"{ORIGINS} forecasts of {state.name}\n\n| known ahead | MASE | coverage |\n| --- | --- | --- |")
    for name, (flags, degrees) in known.items():
        errors, inside = [], []
        for origin in origins_of(state.daily_kwh, count=ORIGINS):
            end = origin + 1 + HORIZON
            track = ensemble_tracks(
                state.daily_kwh[None, : origin + 1],
                horizon=HORIZON,
                level=LEVEL,
                correction=correction,
                holidays=None if flags is None else flags[:end],
                temperature_c=None if degrees is None else degrees[:end],
            )[0]
            actual = state.daily_kwh[origin + 1 : end]
            errors.append(np.nanmean(np.abs(track.mean[-1] - actual)) / naive_scale(state.daily_kwh, origin))
            inside.append(((actual >= track.lower[-1]) & (actual <= track.upper[-1])).mean())
        print(f"| {name} | {np.mean(errors):.3f} | {np.mean(inside):.2f} |")


if __name__ == "__main__":
    main()
