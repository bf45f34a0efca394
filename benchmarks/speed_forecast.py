"""Time the forecast on simulated series: `python -m benchmarks.speed_forecast`. Prints a Markdown table."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from energy_analytics.forecasting import forecast, forecast_appliances, forecast_each, make_history

PLAIN_PROPHET = """
import numpy as np, pandas as pd
from prophet import Prophet
y = pd.read_csv({path!r}, parse_dates=["ds"])
model = Prophet(
    daily_seasonality=False, weekly_seasonality=True, yearly_seasonality=False, changepoint_prior_scale=0.05
)
model.fit(y)
model.predict(model.make_future_dataframe(7))
"""
DEFAULT = """
import pandas as pd
from energy_analytics.forecasting import forecast
y = pd.read_csv({path!r}, parse_dates=["ds"]).set_index("ds")["y"]
forecast(y, model={model!r})
"""


def simulated(days: int, *, seed: int) -> "pd.Series[float]":
    """A week's shape, a year's, and noise."""
    day = np.arange(days)
    noise = np.random.default_rng(seed).gamma(4, 2, days)
    return pd.Series(12 + 4 * (day % 7 >= 5) + 3 * np.sin(day / 58) + noise, pd.date_range("2022-01-01", periods=days))


def seconds(work: Callable[[], object], *, repeat: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - started) / repeat


def main() -> None:
    rows = []
    for days in (30, 90, 365, 1400):
        daily = simulated(days, seed=1)
        forecast(daily)
        for model in ("auto", "ensemble"):
            rows.append((f"{model}, {days} days", seconds(partial(forecast, daily, model=model), repeat=10)))
    site = pd.DataFrame({f"appliance {n}": simulated(1400, seed=n) for n in range(50)})

    def whole_site() -> None:
        forecast_appliances(site, total_kwh=forecast(site.sum(axis=1))["yhat"])

    rows.append(("site of 50 appliances, 1,400 days, total and parts", seconds(whole_site)))
    many = {str(n): make_history(simulated(400, seed=n), horizon_days=7) for n in range(1000)}
    rows.append(
        (
            "1,000 series of 400 days, one process",
            seconds(lambda: forecast_each(many, horizon_days=7, level=0.8)),
        )
    )
    path = "speed_forecast_sample.csv"
    simulated(1400, seed=1).rename("y").rename_axis("ds").to_csv(path)
    scripts = {
        "process: plain pandas and Prophet, 1,400 days": PLAIN_PROPHET.format(path=path),
        "process: forecast(), default model, 1,400 days": DEFAULT.format(path=path, model="auto"),
        "process: forecast(model='prophet'), 1,400 days": DEFAULT.format(path=path, model="prophet"),
    }
    for name, script in scripts.items():
        run = [sys.executable, "-c", script]
        rows.append(
            (
                name,
                min(seconds(partial(subprocess.run, run, check=True, capture_output=True)) for _ in range(3)),
            )
        )
    Path(path).unlink()
    print(f"{os.cpu_count()} cores\n\n| what | seconds |\n| --- | --- |")
    for what, taken in rows:
        print(f"| {what} | {taken:.3f} |")


if __name__ == "__main__":
    main()
