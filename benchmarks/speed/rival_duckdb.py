"""The specification's aggregation in bare DuckDB: as little as gives the same tables.

It is told the columns' types, so that nothing is guessed; no lake, no checks, no report, and the file is read once.
Which form is the quicker one depends on the data: `scan` adds everything up while it reads, `hours` adds up per
appliance and hour and works out the rest from that, `table` reads into a table and asks that. `parser` reads each
value and keeps none: below that nobody who reads the file with this parser can be.
"""

import argparse
from pathlib import Path
from typing import Final

import duckdb

COPY_AGGREGATED: Final = """
    COPY (
        WITH profile AS (
            SELECT appliance, hour, sum(kwh) AS kwh, sum(n) AS n, sum(squares) AS squares FROM {sums}
            WHERE appliance IS NOT NULL GROUP BY ALL
        )
        SELECT
            appliance,
            sum(kwh) AS total_kwh,
            sum(kwh) / sum(n) AS avg_kwh,
            sqrt(greatest(sum(squares) - sum(kwh) ** 2 / sum(n), 0) / (sum(n) - 1)) AS std_kwh,
            sum(n) AS count,
            arg_max(hour, kwh / n) AS peak_hour
        FROM profile GROUP BY appliance
    ) TO '{out}/aggregated.csv'"""
COPY_TOTALS: Final = "COPY (SELECT {key}, sum(kwh) AS kwh FROM {sums} GROUP BY ALL) TO '{out}/{name}.csv'"
SUMS: Final = "sum(kwh) AS kwh, count(*) AS n, sum(kwh * kwh) AS squares"


def readings_in(path: Path) -> str:
    return f"""read_csv('{path}', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
        columns = {{'timestamp': 'TIMESTAMP', 'appliance': 'VARCHAR', 'kwh': 'DOUBLE'}})"""


def scan(engine: duckdb.DuckDBPyConnection, path: Path, out: Path) -> None:
    engine.execute(f"""
        CREATE OR REPLACE TABLE sums AS
        SELECT appliance, hour(timestamp) AS hour, CAST(timestamp AS DATE) AS date, {SUMS}
        FROM {readings_in(path)} GROUP BY GROUPING SETS ((appliance, hour), (date))""")
    engine.execute(COPY_AGGREGATED.format(sums="sums", out=out))
    profile, days = ("(FROM sums WHERE date IS NULL)", "(FROM sums WHERE date IS NOT NULL)")
    engine.execute(COPY_TOTALS.format(key="hour", sums=profile, out=out, name="hourly"))
    engine.execute(COPY_TOTALS.format(key="date", sums=days, out=out, name="daily"))


def hours(engine: duckdb.DuckDBPyConnection, path: Path, out: Path) -> None:
    engine.execute(f"""
        CREATE OR REPLACE TABLE by_hour AS SELECT appliance, date_trunc('hour', timestamp) AS start, {SUMS}
        FROM {readings_in(path)} GROUP BY ALL""")
    sums = "(SELECT *, hour(start) AS hour, CAST(start AS DATE) AS date FROM by_hour)"
    engine.execute(COPY_AGGREGATED.format(sums=sums, out=out))
    engine.execute(COPY_TOTALS.format(key="hour", sums=sums, out=out, name="hourly"))
    engine.execute(COPY_TOTALS.format(key="date", sums=sums, out=out, name="daily"))


def table(engine: duckdb.DuckDBPyConnection, path: Path, out: Path) -> None:
    engine.execute(f"CREATE OR REPLACE TABLE readings AS SELECT * FROM {readings_in(path)}")
    sums = f"(SELECT appliance, hour(timestamp) AS hour, {SUMS} FROM readings GROUP BY ALL)"
    engine.execute(COPY_AGGREGATED.format(sums=sums, out=out))
    engine.execute(COPY_TOTALS.format(key="hour(timestamp) AS hour", sums="readings", out=out, name="hourly"))
    engine.execute(COPY_TOTALS.format(key="CAST(timestamp AS DATE) AS date", sums="readings", out=out, name="daily"))


def table_with_anomalies(engine: duckdb.DuckDBPyConnection, path: Path, out: Path) -> None:
    """The same as `table`, and the specification's anomalies, for which the readings are looked at twice."""
    table(engine, path, out)
    engine.execute(f"""
        COPY (
            SELECT timestamp, appliance, kwh, avg_kwh + 2 * std_kwh AS threshold, (kwh - avg_kwh) / std_kwh AS z_score
            FROM readings JOIN '{out}/aggregated.csv' USING (appliance) WHERE kwh > avg_kwh + 2 * std_kwh
        ) TO '{out}/anomalies.csv'""")


def parser(engine: duckdb.DuckDBPyConnection, path: Path, out: Path) -> None:
    engine.execute(f"SELECT max(timestamp), max(appliance), max(kwh) FROM {readings_in(path)}").fetchall()


FORMS: Final = {
    "scan": scan,
    "hours": hours,
    "table": table,
    "anomalies": table_with_anomalies,
    "parser": parser,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description="Aggregate files of readings with DuckDB.")
    arguments.add_argument("form", choices=list(FORMS))
    arguments.add_argument("threads", type=int)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("files", type=Path, nargs="+")
    options = arguments.parse_args()
    with duckdb.connect(config={"threads": options.threads}) as engine:
        for number, file in enumerate(options.files):
            out = options.out if len(options.files) == 1 else options.out / str(number)
            out.mkdir(parents=True, exist_ok=True)
            FORMS[options.form](engine, file, out)


if __name__ == "__main__":
    main()
