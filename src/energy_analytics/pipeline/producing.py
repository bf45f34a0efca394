"""One run: from a site's readings up to an upload to the results in the lake; its record is left to the caller."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from .. import outputs
from ..account import summary_of
from ..findings.records import as_rows
from ..history import SiteHistory
from ..insights import advise
from ..intake import Verdict
from ..lake import Lake
from ..readings import Readings, marks_of
from ..report import render_html, render_text
from ..results import Advice, Analysis
from ..runs import Manifest, begin, result_keys
from ..settings import Settings
from ..unusual import from_rows
from ..uploads import Upload
from .analysis import STAGES, Progress, Tables, analyse
from .standing import Standing
from .telling import dismissed_of, findings_of


@dataclass(frozen=True, slots=True)
class Produced:
    """What a run has put into the lake, as its record tells it."""

    keys: Mapping[str, str]
    """Where the results lie that bear the upload's stamp."""
    results: Mapping[str, Any]
    dismissed: Sequence[str]
    """Ids of what was found and is not told."""
    words: Mapping[str, Any] | None
    """What a language model was asked and answered, if it was asked."""


def produce(
    engine: duckdb.DuckDBPyConnection,
    lake: Lake,
    upload: Upload,
    history: SiteHistory,
    settings: Settings,
    *,
    standing: Standing,
    before: Manifest | None,
    progress: Progress,
) -> Produced:
    """Analyse the readings of a site up to an upload, and put what follows from them into the lake.

    `before` is the record of the run before. The site's curated tables are written by its newest upload alone.
    """
    keys = result_keys(upload)
    with lake.work_folder() as folder:
        files = {keys["anomalies"]: folder / "anomalies"}
        with ThreadPoolExecutor(max_workers=2) as pool:
            analysis, tables = analyse(
                engine,
                history,
                settings,
                site=upload.site,
                episodes_before=from_rows(before["results"]["episodes"]) if before else [],
                anomalies_file=files[keys["anomalies"]],
                progress=progress,
                pool=pool,
            )
        _check(engine, analysis, tables)
        progress(STAGES[4], engine, history.rows_accepted)
        findings = findings_of(analysis)
        results = summary_of(analysis) | {"findings": as_rows(findings)}
        dismissed = dismissed_of(results, lake, upload.site)
        told = tuple(one for one in findings if not {one.id, one.about}.intersection(dismissed))
        remembered = [one["words"] for one in standing.records if "words" in one]
        advice = advise(told, settings, remembered=remembered)
        files |= _written(upload, analysis, advice, keys, folder, dismissed)
        if standing.is_newest(upload):
            files |= outputs.write_curated(
                engine,
                folder,
                tables.hourly,
                tables.daily,
                tables.costs,
                analysis,
                hours_in_order=tables.hours_in_order,
            )
        if all(one["stamp"] != upload.stamp for one in standing.records):
            begin(lake, upload)
        lake.put_all(files)
    return Produced(keys, results, dismissed, None if advice.asked is None else asdict(advice.asked))


def told_by_a_run(
    produced: Produced, verdict: Verdict, *, after: str | None, history: Sequence[Readings], outputs: Mapping[str, str]
) -> Manifest:
    """Return what the record of a run tells that has succeeded, beside what that of any run does.

    `verdict` is on the upload, `after` the mark of the run before, `history` the readings that it rests on, and
    `outputs` where its results lie.
    """
    told: Manifest = {
        "intake": {
            "rows_read": verdict.rows_read,
            "rows_accepted": verdict.rows_accepted,
            "rejected_by_reason": dict(verdict.rejected_by_reason),
            "encoding": verdict.encoding,
            "delimiter": verdict.delimiter,
        },
        "after": after,
        "history": marks_of(history)[-1],
        "results": produced.results,
        "dismissed": produced.dismissed,
        "outputs": outputs,
    }
    return told if produced.words is None else told | {"words": produced.words}


def _check(engine: duckdb.DuckDBPyConnection, analysis: Analysis, tables: Tables) -> None:
    """Raise BrokenResultError where results contradict each other."""
    outputs.check(analysis)
    if analysis.money is not None:
        outputs.check_costs(engine, tables.daily, tables.costs, analysis.money)


def _written(
    upload: Upload,
    analysis: Analysis,
    advice: Advice,
    keys: Mapping[str, str],
    folder: Path,
    dismissed: Sequence[str],
) -> dict[str, Path]:
    """Write the results that bear the upload's stamp, but the anomalies, into a folder; return them by key."""
    contents = {
        "processed": outputs.processed_csv(analysis.appliances),
        "forecast": outputs.forecast_csv(analysis),
        "report_text": render_text(analysis, advice, source_name=upload.name, dismissed=dismissed).encode(),
        "report_html": render_html(analysis, advice, source_name=upload.name, dismissed=dismissed).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {keys[name]: folder / name for name in contents}
