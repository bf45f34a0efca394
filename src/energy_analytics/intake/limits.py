"""Bounds outside of which a reading is refused as no measurement of energy."""

from datetime import datetime
from typing import Final

import duckdb

from ..engine import literal

EARLIEST: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local wall time
LATEST: Final = datetime(2101, 1, 1)  # noqa: DTZ001 - local wall time

MOST_COLUMNS: Final = 10_000
"""Of a file: the engine took 1 GB for one of 150,000 columns, and 180 MB for 10,000."""
MOST_APPLIANCES: Final = 50_000
"""Of a file: more are a column of something else. Measured: 100,000 take a minute and 400 MB."""

_UNSUSPICIOUS_KWH: Final = 1000.0
"""A reading up to this is never called absurd for its size alone."""
_ABSURD_RATIO: Final = 10_000.0
"""Times the median of the appliance's non-zero readings: counter overflows and error codes lie beyond,
a heater between standby and full power (about 3,000 times) does not."""
_FEWEST_READINGS: Final = 10


def absurd_limits(engine: duckdb.DuckDBPyConnection, readings: str) -> dict[str, float]:
    """Return, for each appliance that has a larger reading, the kWh above which it cannot be a measurement."""
    rows = engine.execute(f"""
        SELECT appliance, greatest({_UNSUSPICIOUS_KWH}, {_ABSURD_RATIO} * quantile_disc(kwh, 0.5)) AS limit_kwh
        FROM {readings}
        WHERE kwh > 0 AND appliance IN (
            SELECT appliance FROM {readings} GROUP BY appliance HAVING max(kwh) > {_UNSUSPICIOUS_KWH})
        GROUP BY appliance HAVING count(*) >= {_FEWEST_READINGS} AND max(kwh) > limit_kwh
        ORDER BY appliance""").fetchall()
    return dict(rows)


def above_limit(limits: dict[str, float]) -> str:
    """Write SQL for whether `kwh` of `appliance` lies above its limit."""
    cases = " ".join(f"WHEN {literal(appliance)} THEN kwh > {limit!r}" for appliance, limit in limits.items())
    return f"(CASE appliance {cases} ELSE false END)" if cases else "false"
