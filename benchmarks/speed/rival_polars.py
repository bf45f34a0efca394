"""The specification's aggregation in polars: lazy, streaming, the columns' types given.

Runs in an environment of its own (`rivals.txt`); `POLARS_MAX_THREADS` says how many threads it has. The file is read
once: sums per appliance and hour, from which everything else follows.
"""

import sys
from pathlib import Path

import polars as pl


def by_hour(path: Path) -> pl.DataFrame:
    kwh = pl.col("kwh")
    return (
        pl.scan_csv(path, schema={"timestamp": pl.String, "appliance": pl.String, "kwh": pl.Float64})
        .with_columns(pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us"))
        .group_by("appliance", pl.col("timestamp").dt.truncate("1h").alias("start"))
        .agg(kwh.sum().alias("kwh"), pl.len().alias("n"), (kwh * kwh).sum().alias("squares"))
        .with_columns(pl.col("start").dt.hour().alias("hour"), pl.col("start").dt.date().alias("date"))
        .collect(engine="streaming")
    )


def aggregate(hours: pl.DataFrame) -> pl.DataFrame:
    kwh, n, squares = pl.col("kwh"), pl.col("n"), pl.col("squares")
    profile = hours.group_by("appliance", "hour").agg(kwh.sum(), n.sum(), squares.sum())
    variance = (squares.sum() - kwh.sum() ** 2 / n.sum()).clip(0) / (n.sum() - 1)
    return profile.group_by("appliance").agg(
        kwh.sum().alias("total_kwh"),
        (kwh.sum() / n.sum()).alias("avg_kwh"),
        variance.sqrt().alias("std_kwh"),
        n.sum().alias("count"),
        pl.col("hour").sort_by(kwh / n).last().alias("peak_hour"),
    )


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    hours = by_hour(Path(sys.argv[2]))
    aggregate(hours).write_csv(out / "aggregated.csv")
    hours.group_by("hour").agg(pl.col("kwh").sum()).write_csv(out / "hourly.csv")
    hours.group_by("date").agg(pl.col("kwh").sum()).write_csv(out / "daily.csv")


if __name__ == "__main__":
    main()
