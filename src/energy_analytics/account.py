"""What the manifest of a run tells: which upload, which settings, what was found."""

from dataclasses import asdict
from typing import Any

from . import __version__
from .results import Analysis, ModelScore
from .runs import Manifest
from .settings import Settings
from .unusual import as_rows
from .uploads import Upload, file_digest


def describe_run(upload: Upload, settings: Settings, *, status: str, error: str | None = None) -> Manifest:
    """Return the part of a manifest that every run has."""
    return {
        "stamp": upload.stamp,
        "status": status,
        "error": error,
        "site": upload.site,
        "upload": {
            "key": upload.key,
            "uploaded_at": upload.uploaded_at.isoformat(),
            "size_bytes": upload.size_bytes,
            "sha256": upload.sha256,
        },
        "settings": _temperatures(settings)
        | settings.model_dump(
            include={
                "timezone",
                "date_order",
                "decimal",
                "max_reading_kwh",
                "model",
                "sigma",
                "alarms_per_appliance_month",
                "holidays_country",
                "holidays_region",
                "price_per_kwh",
                "currency",
            }
        ),
        "version": __version__,
    }


def _temperatures(settings: Settings) -> dict[str, str]:
    """Return what tells the content of the file of temperatures, if the settings name one that is there."""
    file = settings.temperature_file
    return {"temperature_sha256": file_digest(file)} if file is not None and file.is_file() else {}


def summary_of(analysis: Analysis) -> dict[str, Any]:
    """Return what was found, as far as it fits on a page."""
    return {
        "first": analysis.first.isoformat(sep=" "),
        "last": analysis.last.isoformat(sep=" "),
        "total_kwh": analysis.total_kwh,
        "appliances": [
            {
                "appliance": one.appliance,
                "total_kwh": one.total_kwh,
                "peak_hour": one.peak_hour,
                "step_minutes": one.step_minutes,
                "anomalies": analysis.anomalies.by_appliance.get(one.appliance, 0),
            }
            for one in analysis.appliances
        ],
        "days": len(analysis.days),
        "complete_days": sum(day.complete for day in analysis.days),
        "gaps": analysis.quality.gap_count,
        "missing_intervals": analysis.quality.missing_intervals,
        "anomalies": analysis.anomalies.count,
        "episodes": as_rows(analysis.episodes),
        "forecast": {
            "model": analysis.forecast.model,
            "trained_on_days": analysis.forecast.trained_on_days,
            "measured_coverage": analysis.forecast.measured_coverage,
            "scores": [_scored(one) for one in analysis.forecast.scores],
            "kwh": sum(day.yhat for day in analysis.forecast.days),
            "days": [day.day.isoformat() for day in analysis.forecast.days],
        },
    }


def _scored(score: ModelScore) -> dict[str, Any]:
    """Return a line of the scoreboard; what could not be measured is null."""
    return {name: None if value != value else value for name, value in asdict(score).items()}  # noqa: PLR0124
