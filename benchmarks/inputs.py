"""Write a large file of readings; the same arguments give the same rows.

Run by `speed.py` in a process of its own, so that the engine's memory does not count as the measured child's.
"""

import argparse
from pathlib import Path

import duckdb

FIRST = "2023-01-01 00:00:00"


def write(path: Path, *, rows: int, appliances: int, step_minutes: int, seed: int) -> None:
    """Write `rows` readings sorted by time, then appliance: an evening peak, a size per appliance, noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with duckdb.connect() as engine:
        engine.execute("SET memory_limit = '1GB'")
        engine.execute(
            f"""
            COPY (
                WITH slot AS (
                    SELECT
                        TIMESTAMP '{FIRST}' + to_minutes({step_minutes} * (row // {appliances})) AS start,
                        row % {appliances} AS number,
                        hash(row, {seed}) / 18446744073709551616.0 AS noise
                    FROM range({rows}) AS rows(row)
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a large file of readings.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--appliances", type=int, required=True)
    parser.add_argument("--step-minutes", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(
        options.file,
        rows=options.rows,
        appliances=options.appliances,
        step_minutes=options.step_minutes,
        seed=options.seed,
    )


if __name__ == "__main__":
    main()
