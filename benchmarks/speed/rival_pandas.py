"""What an analyst would write with pandas and Prophet for the three outputs of the specification.

It follows the specification's steps: timestamps parsed by the reader, hour and date
extracted, grouped sums, no row loops; no lake, no checks, no report. `--tuned` reads appliances as categories and
keeps dates as timestamps, as one would who looks for speed.
"""

import argparse
import logging
from pathlib import Path

import pandas as pd


def read(path: Path, *, tuned: bool) -> pd.DataFrame:
    dtype = {"appliance": "category"} if tuned else None
    readings = pd.read_csv(path, parse_dates=["timestamp"], dtype=dtype)
    readings["hour"] = readings["timestamp"].dt.hour
    readings["date"] = readings["timestamp"].dt.normalize() if tuned else readings["timestamp"].dt.date
    return readings


def aggregate(readings: pd.DataFrame) -> pd.DataFrame:
    grouped = readings.groupby("appliance", observed=True)["kwh"]
    table = grouped.agg(["sum", "mean", "std", "count"])
    table.columns = pd.Index(["total_kwh", "avg_kwh", "std_kwh", "count"])
    profile = readings.groupby(["appliance", "hour"], observed=True)["kwh"].mean().unstack()
    return table.assign(peak_hour=profile.idxmax(axis=1)).reset_index()


def hourly_totals(readings: pd.DataFrame) -> pd.Series:
    return readings.groupby("hour")["kwh"].sum()


def daily_totals(readings: pd.DataFrame) -> pd.Series:
    return readings.groupby("date")["kwh"].sum()


def anomalies(readings: pd.DataFrame, aggregated: pd.DataFrame) -> pd.DataFrame:
    table = aggregated.set_index("appliance")
    mean = readings["appliance"].map(table["avg_kwh"]).astype("float64")
    std = readings["appliance"].map(table["std_kwh"]).astype("float64")
    threshold = mean + 2 * std
    flagged = readings["kwh"] > threshold
    return readings[flagged].assign(threshold=threshold[flagged], z_score=((readings["kwh"] - mean) / std)[flagged])


def forecast(daily_kwh: pd.Series) -> pd.DataFrame:
    from prophet import Prophet

    logging.getLogger("cmdstanpy").setLevel(logging.WARNING)
    model = Prophet(
        daily_seasonality=False,
        weekly_seasonality=True,
        yearly_seasonality=False,
        changepoint_prior_scale=0.05,
    )
    history = daily_kwh.rename_axis("ds").rename("y").reset_index()
    model.fit(history.assign(ds=pd.to_datetime(history["ds"])))
    future = model.make_future_dataframe(periods=7, include_history=False)
    predicted: pd.DataFrame = model.predict(future)[["ds", "yhat", "yhat_lower", "yhat_upper"]]
    return predicted


def work_out(file: Path, out: Path, *, with_anomalies: bool, with_forecast: bool, tuned: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    readings = read(file, tuned=tuned)
    aggregated = aggregate(readings)
    aggregated.to_csv(out / "aggregated.csv", index=False)
    hourly_totals(readings).to_csv(out / "hourly.csv")
    daily_kwh = daily_totals(readings)
    daily_kwh.to_csv(out / "daily.csv")
    if with_anomalies or with_forecast:
        anomalies(readings, aggregated).to_csv(out / "anomalies.csv", index=False)
    if with_forecast:
        forecast(daily_kwh).to_csv(out / "forecast.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description="Aggregate, flag and forecast files of readings.")
    parser.add_argument("out", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--anomalies", action="store_true", help="flag too")
    parser.add_argument("--forecast", action="store_true", help="flag and forecast too")
    parser.add_argument("--tuned", action="store_true", help="categories, and dates as timestamps")
    options = parser.parse_args()
    for number, file in enumerate(options.files):
        work_out(
            file,
            options.out if len(options.files) == 1 else options.out / str(number),
            with_anomalies=options.anomalies,
            with_forecast=options.forecast,
            tuned=options.tuned,
        )


if __name__ == "__main__":
    main()
