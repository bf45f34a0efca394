"""Writing what an analysis found: the spec's CSV files, the curated tables and the report."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import duckdb

from . import schema
from .anomalies import printed_anomalies
from .engine import literal
from .results import Analysis, ApplianceTotal, Money
from .uploads import in_site
from .words import csv_cell, csv_cell_sql


class BrokenResultError(AssertionError):
    """A result breaks an invariant: a fault of ours, so nothing of the run is written."""


def check(analysis: Analysis) -> None:
    """Refuse to write results that cannot be right. Raises BrokenResultError with the values."""
    by_appliance = sum(one.total_kwh for one in analysis.appliances)
    by_day = sum(day.kwh for day in analysis.days)
    for name, total in (("appliances", by_appliance), ("days", by_day)):
        if abs(total - analysis.total_kwh) > 1e-9 * max(1.0, analysis.total_kwh):
            raise BrokenResultError(f"The {name} sum to {total!r} kWh and the site to {analysis.total_kwh!r} kWh.")
    if len(analysis.forecast.days) not in (0, schema.HORIZON_DAYS):
        raise BrokenResultError(f"The forecast has {len(analysis.forecast.days)} days.")
    for day in analysis.forecast.days:
        if not 0 <= day.yhat_lower <= day.yhat <= day.yhat_upper:
            raise BrokenResultError(f"The forecast of {day.day} is out of order or not finite: {day}.")


def check_costs(engine: duckdb.DuckDBPyConnection, daily: str, costs: str, money: Money) -> None:
    """Refuse days whose cost and emissions do not sum to those of the appliances. Raises BrokenResultError.

    `daily` is the table of days, and `costs` the relation of what each cost. A total is rounded to the smallest coin.
    """
    alone = engine.execute(f"""
        SELECT count(*) FROM (SELECT appliance, day FROM {daily}) AS days
        FULL JOIN (SELECT appliance, day FROM {costs} WHERE NOT exported) AS costs USING (appliance, day)
        WHERE days.day IS NULL OR costs.day IS NULL""").fetchall()[0][0]
    if alone:
        raise BrokenResultError(f"{alone} days of appliances have energy and no cost, or cost and no energy.")
    for name, cost, turnover, carbon_kg in engine.execute(f"""
        SELECT appliance, sum(cost), coalesce(sum(abs(cost)), 0), coalesce(sum(carbon_kg), 0)
        FROM {costs} GROUP BY appliance ORDER BY appliance""").fetchall():
        total, total_kg = money.by_appliance.get(name), money.carbon.by_appliance_kg.get(name, 0.0)
        if (cost is None) != (total is None) or (
            total is not None and abs(cost - float(total)) > _half_a_coin(total) + 1e-9 * turnover
        ):
            raise BrokenResultError(f"The days of {name} cost {cost!r} and {name} {total!r}.")
        if abs(carbon_kg - total_kg) > 1e-9 * max(1.0, total_kg):
            raise BrokenResultError(f"The days of {name} emit {carbon_kg!r} kg and {name} {total_kg!r} kg.")


def _half_a_coin(amount: Decimal) -> float:
    """Return the most by which an amount may have been rounded."""
    return 0.5 * 10.0 ** int(amount.as_tuple().exponent)


def processed_csv(appliances: Sequence[ApplianceTotal]) -> bytes:
    """Write the totals per appliance, in order of their names."""
    rows = [
        (
            one.appliance,
            _number(one.total_kwh),
            _number(one.avg_kwh),
            "" if one.std_kwh is None else _number(one.std_kwh),
            one.count,
            one.peak_hour,
        )
        for one in sorted(appliances, key=lambda one: one.appliance)
    ]
    return _csv(schema.PROCESSED_ENERGY_DATA.column_names, rows)


def forecast_csv(analysis: Analysis) -> bytes:
    """Write the coming days; the header alone when there is no forecast."""
    rows = [
        (day.day.isoformat(), _number(day.yhat), _number(day.yhat_lower), _number(day.yhat_upper))
        for day in analysis.forecast.days
    ]
    return _csv(schema.FORECAST_DATA.column_names, rows)


def write_anomalies(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the anomalies that were found, in order; the header alone when there are none."""
    engine.execute(f"""
        COPY (
            SELECT timestamp, {csv_cell_sql("appliance")} AS appliance, kwh, threshold, z_score
            FROM {printed_anomalies()}
        ) TO {literal(str(path))} (FORMAT csv, HEADER)""")


_CURATED: Final = (schema.HOURLY, schema.DAILY, schema.APPLIANCE_FORECAST, schema.DECOMPOSITION, schema.EPISODES)


def curated_keys(site: str) -> dict[str, str]:
    """Return where a site's curated tables lie, by name."""
    return {table.name: in_site(table.prefix, site, f"{table.name}.parquet") for table in _CURATED}


def write_curated(
    engine: duckdb.DuckDBPyConnection,
    folder: Path,
    hourly: str,
    daily: str,
    costs: str,
    analysis: Analysis,
    *,
    hours_in_order: bool = False,
) -> dict[str, Path]:
    """Write the site's curated tables into a folder, and return them by the keys under which they replace others.

    `costs` is the relation of what the appliances cost and emitted on each day; hours that are in a settled order
    already are not sorted.
    """
    complete = [day.day for day in analysis.days if day.complete]
    site = literal(analysis.site)
    files = {table.name: folder / f"{table.name}.parquet" for table in _CURATED}
    engine.execute(f"""
        COPY (
            SELECT hour, appliance, kwh, readings, CAST(utc_offset_minutes AS SMALLINT) AS utc_offset_minutes,
                {site} AS site
            FROM {hourly} {"" if hours_in_order else "ORDER BY hour, appliance, utc_offset_minutes DESC"}
        ) TO {literal(str(files[schema.HOURLY.name]))} (FORMAT parquet)""")
    engine.execute(
        f"""
        COPY (
            SELECT day, appliance, kwh, readings, coverage, day IN (SELECT unnest(?::DATE[])) AS site_day_complete,
                cost, carbon_kg, {site} AS site
            FROM {daily} LEFT JOIN {costs} USING (appliance, day) ORDER BY day, appliance
        ) TO {literal(str(files[schema.DAILY.name]))} (FORMAT parquet)""",
        [complete],
    )
    for table, rows in (
        (schema.APPLIANCE_FORECAST, _ahead_rows(analysis)),
        (schema.DECOMPOSITION, _parts_rows(analysis)),
        (schema.EPISODES, [(*astuple(one), analysis.site) for one in analysis.episodes]),
    ):
        _write_rows(engine, files[table.name], table, rows)
    return {key: files[name] for name, key in curated_keys(analysis.site).items()}


def _write_rows(
    engine: duckdb.DuckDBPyConnection, path: Path, table: schema.Table, rows: Sequence[Sequence[object]]
) -> None:
    """Write rows in the order of the table's columns; NaN becomes null."""
    declared = ", ".join(f'"{one.name}" {one.type}' for one in table.columns)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE rows ({declared})")
    columns: list[Sequence[object]] = list(zip(*rows, strict=True)) or [() for _ in table.columns]
    values = ", ".join(
        f"nullif(unnest(?::{one.type}[]), 'nan')" if one.type == "DOUBLE" else f"unnest(?::{one.type}[])"
        for one in table.columns
    )
    engine.execute(f"INSERT INTO rows SELECT {values}", [list(column) for column in columns])
    engine.execute(f"COPY rows TO {literal(str(path))} (FORMAT parquet)")
    engine.execute("DROP TABLE rows")


def _ahead_rows(analysis: Analysis) -> list[tuple[object, ...]]:
    return [
        (day.day, one.appliance, day.yhat, day.yhat_lower, day.yhat_upper, one.model, analysis.site)
        for one in analysis.appliance_forecasts
        for day in one.days
    ]


def _parts_rows(analysis: Analysis) -> list[tuple[object, ...]]:
    parts = analysis.decomposition
    if parts is None:
        return []
    columns = (parts.kwh, parts.trend_kwh, parts.weekly_kwh, parts.yearly_kwh, parts.residual_kwh)
    return [
        (parts.first_day + timedelta(days=n), *values, analysis.site)
        for n, values in enumerate(zip(*columns, strict=True))
    ]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(csv_cell, row) for row in rows)
    return text.getvalue().encode()


def _number(value: float) -> str:
    return f"{value:.12g}"
