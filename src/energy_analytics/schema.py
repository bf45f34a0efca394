"""The contract: prefixes of the lake, tables, columns and units. Nothing else names a column."""

from dataclasses import dataclass
from typing import Final, Literal

RAW: Final = "raw"
PROCESSED: Final = "processed"
FORECAST: Final = "forecast"
ANOMALIES: Final = "anomalies"
REPORTS: Final = "reports"
ATHENA_RESULTS: Final = "athena-results"
CURATED: Final = "curated"
REJECTED: Final = "rejected"
RUNS: Final = "runs"

PREFIXES: Final = (RAW, PROCESSED, FORECAST, ANOMALIES, REPORTS, ATHENA_RESULTS, CURATED, REJECTED, RUNS)

RAW_SUFFIXES: Final = (".csv", ".csv.gz")
"""What triggers a run when it lands under `raw/`."""

HORIZON_DAYS: Final = 7
INTERVAL_LEVEL: Final = 0.8
"""Nominal coverage of `yhat_lower`..`yhat_upper`: Prophet's default, and what the spec promises."""

MOST_G_PER_KWH: Final = 1_000_000.0
"""Of a setting or a file of emissions: a thousand times what the dirtiest plants emit."""

COMPLETE_DAY_SHARE: Final = 0.95
"""A local day counts as whole from this share of its expected intervals on."""

SqlType = Literal[
    "VARCHAR",
    "DOUBLE",
    "BIGINT",
    "INTEGER",
    "SMALLINT",
    "TIMESTAMP",
    "DATE",
    "BOOLEAN",
    "STRUCT(key VARCHAR, uploaded_at VARCHAR, size_bytes BIGINT, sha256 VARCHAR)",
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table in the lake."""

    name: str
    type: SqlType
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: every file under `prefix` has exactly these columns, in this order."""

    name: str
    prefix: str
    format: Literal["csv", "parquet", "json"]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in file order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class View:
    """What a person asks: typed columns over the files that count, the same in DuckDB and in Athena."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(column.name for column in self.columns)


_READING = (
    Column("timestamp", "TIMESTAMP", "start of the interval, local wall time of the site"),
    Column("appliance", "VARCHAR", "appliance, sub-meter or meter"),
    Column("kwh", "DOUBLE", "energy in the interval, kWh"),
)

RAW_ENERGY_DATA: Final = Table("raw_energy_data", RAW, "csv", _READING)

PROCESSED_ENERGY_DATA: Final = Table(
    "processed_energy_data",
    PROCESSED,
    "csv",
    (
        Column("appliance", "VARCHAR", "appliance, sub-meter or meter"),
        Column("total_kwh", "DOUBLE", "energy over all readings, kWh"),
        Column("avg_kwh", "DOUBLE", "mean energy of a reading, kWh"),
        Column("std_kwh", "DOUBLE", "sample standard deviation of a reading, kWh; empty for one reading"),
        Column("count", "BIGINT", "number of readings"),
        Column("peak_hour", "INTEGER", "local hour of day (0 to 23) with the highest mean reading"),
    ),
)

FORECAST_DATA: Final = Table(
    "forecast_data",
    FORECAST,
    "csv",
    (
        Column("ds", "DATE", "local day"),
        Column("yhat", "DOUBLE", "forecast energy of the site on that day, kWh"),
        Column("yhat_lower", "DOUBLE", "lower end of the 80 % prediction interval, kWh"),
        Column("yhat_upper", "DOUBLE", "upper end of the 80 % prediction interval, kWh"),
    ),
)

ANOMALIES_DATA: Final = Table(
    "anomalies_data",
    ANOMALIES,
    "csv",
    (
        *_READING,
        Column("threshold", "DOUBLE", "mean + sigma x standard deviation of the appliance, kWh"),
        Column("z_score", "DOUBLE", "distance from the mean in standard deviations"),
    ),
)

READINGS: Final = Table(
    "readings_data",
    f"{CURATED}/readings",
    "parquet",
    (
        *_READING,
        Column("utc_offset_minutes", "SMALLINT", "offset of the wall time from UTC; null without a timezone"),
    ),
)
"""The site and the upload are told by the path of a file: the raw key, with `.parquet` behind it.

A file whose readings have no offset lacks the last column.
"""

HOURLY: Final = Table(
    "hourly",
    f"{CURATED}/hourly",
    "parquet",
    (
        Column("hour", "TIMESTAMP", "start of the hour, local wall time"),
        Column("appliance", "VARCHAR", "appliance, sub-meter or meter"),
        Column("kwh", "DOUBLE", "energy of the readings that start in the hour, kWh"),
        Column("readings", "BIGINT", "number of those readings"),
        Column("utc_offset_minutes", "SMALLINT", "offset of the wall time from UTC; null without a timezone"),
        Column("site", "VARCHAR", "site; empty for the root site"),
    ),
)

DAILY: Final = Table(
    "daily",
    f"{CURATED}/daily",
    "parquet",
    (
        Column("day", "DATE", "local day"),
        Column("appliance", "VARCHAR", "appliance, sub-meter or meter"),
        Column("kwh", "DOUBLE", "energy of the readings that start on the day, kWh"),
        Column("readings", "BIGINT", "number of those readings"),
        Column("coverage", "DOUBLE", "share of the day's time that readings cover, 0 to 1; null if unknown"),
        Column("site_day_complete", "BOOLEAN", "whether the site's day is complete"),
        Column(
            "cost",
            "DOUBLE",
            "cost of that energy at the price of its hours, with the taxes on energy, in the currency of the run's "
            "tariff; null where no amount is told",
        ),
        Column("carbon_kg", "DOUBLE", "CO2 equivalent of that energy, kg"),
        Column("site", "VARCHAR", "site; empty for the root site"),
    ),
)

APPLIANCE_FORECAST: Final = Table(
    "appliance_forecast",
    f"{CURATED}/appliance_forecast",
    "parquet",
    (
        Column("ds", "DATE", "local day"),
        Column("appliance", "VARCHAR", "appliance, sub-meter or meter"),
        Column("yhat", "DOUBLE", "forecast energy of the appliance on that day, kWh; all sum to the site's"),
        Column("yhat_lower", "DOUBLE", "lower end of the 80 % prediction interval, kWh"),
        Column("yhat_upper", "DOUBLE", "upper end of the 80 % prediction interval, kWh"),
        Column("model", "VARCHAR", "model that made it"),
        Column("site", "VARCHAR", "site; empty for the root site"),
    ),
)

DECOMPOSITION: Final = Table(
    "decomposition",
    f"{CURATED}/decomposition",
    "parquet",
    (
        Column("ds", "DATE", "local day"),
        Column("kwh", "DOUBLE", "energy of the site, kWh; null where the day is not complete"),
        Column("trend", "DOUBLE", "slow level, kWh a day"),
        Column("weekly", "DOUBLE", "what the weekday adds, kWh"),
        Column("yearly", "DOUBLE", "what the time of the year adds, kWh; 0 below two years of history"),
        Column("residual", "DOUBLE", "what is left, kWh; null where the day is not complete"),
        Column("site", "VARCHAR", "site; empty for the root site"),
    ),
)

EPISODE_COLUMNS: Final = (
    Column("id", "VARCHAR", "name of the episode, the same in the next upload"),
    Column("start", "TIMESTAMP", "start of its first interval, local wall time"),
    Column("end", "TIMESTAMP", "end of its last interval, local wall time"),
    Column("appliance", "VARCHAR", "appliance, sub-meter or meter"),
    Column("kind", "VARCHAR", "spike, unusually high, unusually low, stuck on, dead, frozen, ..."),
    Column("actual_kwh", "DOUBLE", "energy of the readings that start in it, kWh"),
    Column("expected_kwh", "DOUBLE", "energy usual for the same hours of the week, kWh"),
    Column("excess_kwh", "DOUBLE", "actual less expected, kWh"),
    Column("severity", "DOUBLE", "1 just worth an alarm, at most 10"),
    Column("reason", "VARCHAR", "a sentence that can be checked against the readings"),
)
"""What the detection of episodes returns."""

EPISODES: Final = Table(
    "episodes",
    f"{CURATED}/episodes",
    "parquet",
    (
        *EPISODE_COLUMNS,
        Column("status", "VARCHAR", "open (it reaches the last day read), closed, or withdrawn"),
        Column("site", "VARCHAR", "site; empty for the root site"),
    ),
)

REJECTED_ROWS: Final = Table(
    "rejected_rows",
    REJECTED,
    "csv",
    (
        Column("line_number", "BIGINT", "line of the upload where the row starts, the header being line 1"),
        Column("raw_text", "VARCHAR", "the row as it arrived"),
        Column("reason", "VARCHAR", "why it was refused"),
    ),
)

RUN_RECORDS: Final = Table(
    "runs",
    RUNS,
    "json",
    (
        Column("stamp", "VARCHAR", "mark that the results of the run bear"),
        Column("status", "VARCHAR", "succeeded or failed"),
        Column("site", "VARCHAR", "site; empty for the root site"),
        Column("version", "VARCHAR", "version of the program that ran"),
        Column("error", "VARCHAR", "why the run failed; null if it did not"),
        Column(
            "upload",
            "STRUCT(key VARCHAR, uploaded_at VARCHAR, size_bytes BIGINT, sha256 VARCHAR)",
            "what was uploaded, and when (ISO 8601, UTC)",
        ),
    ),
)
"""A record is one line of JSON that tells much more than these columns."""

TABLES: Final = {
    table.name: table
    for table in (
        RAW_ENERGY_DATA,
        PROCESSED_ENERGY_DATA,
        FORECAST_DATA,
        ANOMALIES_DATA,
        READINGS,
        HOURLY,
        DAILY,
        APPLIANCE_FORECAST,
        DECOMPOSITION,
        EPISODES,
        RUN_RECORDS,
        REJECTED_ROWS,
    )
}

_SITE: Final = Column("site", "VARCHAR", "site; empty for the root site")
_OF_A_RUN: Final = (_SITE, Column("run", "VARCHAR", "stamp of the run"))

VIEWS: Final = {
    view.name: view
    for view in (
        View(
            "readings",
            "every interval of an appliance once; of one given twice within a site the later upload counts",
            (*READINGS.columns, _SITE),
        ),
        View("raw_readings", "the uploads as they are; null where a value is not one", RAW_ENERGY_DATA.columns),
        View("processed", "totals per appliance of every run", (*PROCESSED_ENERGY_DATA.columns, *_OF_A_RUN)),
        View("forecast", "the seven days ahead of every run", (*FORECAST_DATA.columns, *_OF_A_RUN)),
        View("anomalies", "unusual readings of every run", (*ANOMALIES_DATA.columns, *_OF_A_RUN)),
        View("latest_processed", "totals of each site's newest run", (*PROCESSED_ENERGY_DATA.columns, *_OF_A_RUN)),
        View("latest_forecast", "days ahead of each site's newest run", (*FORECAST_DATA.columns, *_OF_A_RUN)),
        View("latest_anomalies", "readings of each site's newest run", (*ANOMALIES_DATA.columns, *_OF_A_RUN)),
    )
}
"""Only runs that succeeded count, and of uploads those with such a run."""
