"""The scoreboard of forecast models on a site of a lake, or on a file that is in no lake."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from .delivery import deliver
from .engine import literal
from .forecasting import Score, backtest
from .lake import Lake, LakeError, LocalLake
from .pipeline import history_with_inputs, run
from .query import query
from .results import DayTotal
from .runs import what_there_is
from .settings import Settings


def score_site(lake: Lake, site: str, models: Sequence[str], settings: Settings) -> tuple[Score, ...]:
    """Score the models on the history of a site. Raises LakeError when there is none, ForecastError if too short."""
    rows = query(
        lake,
        "SELECT day, sum(kwh) AS kwh, bool_and(site_day_complete) AS complete FROM daily "
        f"WHERE site = {literal(site)} GROUP BY day ORDER BY day",
        settings,
    ).rows
    if not rows:
        raise LakeError(f"The lake {lake.uri} has no readings of {site or 'the root site'}. {what_there_is(lake)}")
    days = [DayTotal(day, kwh, 1.0 if complete else 0.0, complete, {}) for day, kwh, complete in rows]
    return backtest(history_with_inputs(days, settings.for_site(site)), models=models)


def score_file(path: Path, models: Sequence[str], settings: Settings) -> tuple[Score, ...]:
    """Score the models on a file of readings, leaving no trace in any lake."""
    with TemporaryDirectory() as folder:
        lake = LocalLake(Path(folder))
        upload = deliver(lake, path, site="", now=datetime.now(UTC))
        run(lake, upload, settings.model_copy(update={"model": "moving_average"}))
        return score_site(lake, "", models, settings)
