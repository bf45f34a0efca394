"""Our reading and aggregating alone: what the script's `--no-forecast` does, and intake's checks."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from energy_analytics import aggregate, history, outputs
from energy_analytics.calendar import clock
from energy_analytics.delivery import deliver
from energy_analytics.engine import connect
from energy_analytics.hours import create_hours
from energy_analytics.lake import LocalLake
from energy_analytics.readings import readings_of_site
from energy_analytics.settings import Settings


def main() -> None:
    """Take the file in and add it up, with the lake in the folder given second."""
    file, lake, settings = Path(sys.argv[1]), LocalLake(Path(sys.argv[2])), Settings()
    upload = deliver(lake, file, site="", now=datetime.now(UTC))
    with (
        lake.work_folder() as spill,
        connect(memory_limit_mb=settings.memory_limit_mb, threads=settings.threads, spill_folder=spill) as engine,
    ):
        history.take_in(engine, lake, upload, lake.fetch(upload.key), settings)
        readings = history.merge(engine, lake, readings_of_site(engine, lake, ""), settings).readings
        hours = create_hours(engine, readings)
        days = aggregate.create_days(engine, hours)
        found = aggregate.statistics(engine, days, hours)
        steps = aggregate.steps_minutes(engine, readings, days)
        hourly = aggregate.create_hourly(engine, hours, days)
        wall = clock(None, min(one.first for one in found.values()), max(one.last for one in found.values()))
        daily = aggregate.create_daily(engine, days, hours, steps=steps, wall=wall)
        totals = aggregate.appliance_totals(engine, hourly, found, steps)
        aggregate.day_totals(engine, daily, largest=[])
    lake.write("processed/aggregated.csv", outputs.processed_csv(totals))


if __name__ == "__main__":
    main()
