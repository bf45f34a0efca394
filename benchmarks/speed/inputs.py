"""Write files of readings for the measurements; the same arguments give the same rows.

Run in a process of its own, so that the engine's memory does not count as the measured child's. Meters have an
evening peak, a size each, and noise with rare high readings. Row by row they go on in time, so that a file of some
days and the files of each of them hold the same readings.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import duckdb

FIRST_DAY: Final = date(2020, 1, 1)
ARRIVES: Final = timedelta(minutes=20)
"""After the midnight that ends its last day, a file of a meter is there."""


def write(
    engine: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    rows: int,
    appliances: int,
    step_minutes: int,
    first_row: int = 0,
    seed: int = 1,
) -> None:
    """Write `rows` readings from `first_row` on, sorted by time, then appliance."""
    unfinished = path.with_name(path.name + ".part")
    engine.execute(
        f"""
        COPY (
            WITH slot AS (
                SELECT
                    TIMESTAMP '{FIRST_DAY}' + to_minutes({step_minutes} * (row // {appliances})) AS start,
                    row % {appliances} AS number,
                    hash(row, {seed}) / 18446744073709551616.0 AS noise
                FROM range({first_row}, {first_row + rows}) AS rows(row)
            )
            SELECT
                start AS "timestamp",
                printf('Meter %04d', number) AS appliance,
                CAST(
                    {step_minutes} / 60 * (1 + number % 17) * (0.4 + noise + 4 * noise ** 24)
                    * (1 + 0.6 * cos(2 * pi() * (hour(start) - 19) / 24))
                    AS DECIMAL(9, 3)
                ) AS kwh
            FROM slot
        ) TO '{unfinished}' (HEADER, TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S')
        """
    )
    unfinished.replace(path)


def write_days(
    engine: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    first_day: int,
    days: int,
    at_once: bool,
    appliances: int,
    step_minutes: int,
) -> None:
    """Write whole days, counted from `FIRST_DAY`, as one file or as one a day, as old as they would be."""
    rows_of_day = 24 * 60 // step_minutes * appliances
    size = days if at_once else 1
    for start in range(first_day, first_day + days, size):
        path = folder / f"{FIRST_DAY + timedelta(days=start)}.csv"
        write(
            engine,
            path,
            rows=rows_of_day * size,
            first_row=rows_of_day * start,
            appliances=appliances,
            step_minutes=step_minutes,
        )
        midnight = datetime.combine(FIRST_DAY + timedelta(days=start + size), time(), UTC)
        arrival = (midnight + ARRIVES).timestamp()
        os.utime(path, (arrival, arrival))


def write_sites(
    engine: duckdb.DuckDBPyConnection, folder: Path, *, sites: int, days: int, appliances: int, step_minutes: int
) -> None:
    """Write a file of the same days for each site, in a folder of its own."""
    for number in range(sites):
        place = folder / f"home-{number:05d}"
        place.mkdir()
        write(
            engine,
            place / "readings.csv",
            rows=24 * 60 // step_minutes * appliances * days,
            appliances=appliances,
            step_minutes=step_minutes,
            seed=number + 2,
        )


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """Give a folder to write to, which is at `target` when it is complete."""
    unfinished = target.with_name(target.name + ".part")
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.replace(target)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write files of readings.")
    parser.add_argument("target", type=Path, help="the file, or with --days or --sites the folder")
    parser.add_argument("--appliances", type=int, required=True)
    parser.add_argument("--step-minutes", type=int, required=True)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--first-day", type=int, default=0)
    parser.add_argument("--days", type=int)
    parser.add_argument("--at-once", action="store_true", help="all days in one file")
    parser.add_argument("--sites", type=int)
    options = parser.parse_args()
    shape = {"appliances": options.appliances, "step_minutes": options.step_minutes}
    with duckdb.connect(config={"memory_limit": "1GB"}) as engine:
        if options.sites is not None:
            with made_whole(options.target) as folder:
                write_sites(engine, folder, sites=options.sites, days=options.days, **shape)
        elif options.days is not None:
            with made_whole(options.target) as folder:
                write_days(
                    engine,
                    folder,
                    first_day=options.first_day,
                    days=options.days,
                    at_once=options.at_once,
                    **shape,
                )
        else:
            options.target.parent.mkdir(parents=True, exist_ok=True)
            write(engine, options.target, rows=options.rows, **shape)


if __name__ == "__main__":
    main()
