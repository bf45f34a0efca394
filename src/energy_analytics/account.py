"""What the manifest of a run tells: which upload, which settings, what was found."""

from dataclasses import asdict
from typing import Any

from . import __version__
from .results import Analysis, ModelScore, Money, ShiftingTotal
from .runs import Manifest, describe_upload
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
        "upload": describe_upload(upload),
        "settings": _files(settings)
        | settings.model_dump(
            mode="json",
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
                "tariff_file",
                "compare_tariffs",
                "export_appliances",
                "g_per_kwh",
                "carbon_file",
                "site_limit_kw",
                "deferrable",
            },
        ),
        "version": __version__,
    }


def _files(settings: Settings) -> dict[str, str | dict[str, str]]:
    """Return what tells the content of the files that the settings name, as far as they are there."""
    found: dict[str, str | dict[str, str]] = {}
    temperatures = settings.temperature_file
    if temperatures is not None and temperatures.is_file():
        found["temperature_sha256"] = file_digest(temperatures)
    money = (settings.tariff_file, settings.carbon_file, *(settings.compare_tariffs or ()))
    if digests := {str(file): file_digest(file) for file in money if file is not None and file.is_file()}:
        found["money_sha256"] = digests
    return found


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
        "doubts": list(analysis.quality.doubts),
        "anomalies": analysis.anomalies.count,
        "episodes": as_rows(analysis.episodes),
        "forecast": {
            "model": analysis.forecast.model,
            "trained_on_days": analysis.forecast.trained_on_days,
            "measured_coverage": analysis.forecast.measured_coverage,
            "assumption": analysis.forecast.assumption,
            "scores": [_scored(one) for one in analysis.forecast.scores],
            "kwh": sum(day.yhat for day in analysis.forecast.days),
            "days": [day.day.isoformat() for day in analysis.forecast.days],
        },
        "money": None if analysis.money is None else _priced(analysis.money),
    }


def _priced(money: Money) -> dict[str, Any]:
    """Return cost and carbon; amounts are numbers with the currency's decimals. Costs of single days are left out."""
    bill, expected, carbon = money.bill, money.expected, money.carbon
    return {
        "currency": money.price.currency,
        "tariff": {
            "name": money.price.name,
            "source": money.price.source,
            "terms": money.price.terms,
            "is_default": money.price.is_default,
            "mean_price_per_kwh": money.price.mean_price_per_kwh,
        },
        "unpriced": money.unpriced or None,
        "cost": None if money.unpriced else float(money.cost),
        "by_appliance": [
            {
                "appliance": name,
                "cost": None if money.unpriced else float(money.by_appliance[name]),
                "co2_kg": carbon.by_appliance_kg.get(name),
            }
            for name in sorted(money.by_appliance.keys() | carbon.by_appliance_kg.keys())
        ],
        "bill": bill
        and {
            "start": bill.start.isoformat(),
            "end": bill.end.isoformat(),
            "total": float(bill.total),
            "fed_in_kwh": bill.fed_in_kwh,
            "days_without_readings": bill.days_without_readings,
            "assumptions": list(bill.assumptions),
            "months": [
                {"month": f"{one.month:%Y-%m}", "kwh": one.kwh, "total": float(one.total)} for one in bill.months
            ],
        },
        "forecast": [
            {
                "day": one.day.isoformat(),
                "cost": float(one.cost),
                "lower": float(one.lower),
                "upper": float(one.upper),
            }
            for one in money.ahead
        ],
        "expected": expected
        and {
            "month": f"{expected.month:%Y-%m}",
            "total": float(expected.total),
            "lower": float(expected.lower),
            "upper": float(expected.upper),
            "days_read": expected.days_read,
            "assumption": expected.assumption,
        },
        "carbon": {
            "name": carbon.name,
            "source": carbon.source,
            "terms": carbon.terms,
            "is_default": carbon.is_default,
            "kg": carbon.kg,
            "mean_g_per_kwh": carbon.mean_g_per_kwh,
            "without_hour_percent": carbon.without_hour_percent,
        },
        "comparison": money.comparison
        and {
            "start": money.comparison.start.isoformat(),
            "end": money.comparison.end.isoformat(),
            "tariffs": [
                {
                    "name": one.name,
                    "source": one.source,
                    "is_current": one.is_current,
                    "total": float(one.total),
                    "saving": float(one.saving),
                    "saving_percent": one.saving_percent,
                }
                for one in money.comparison.tariffs
            ],
        },
        "shifting": money.shifting and _shifted(money.shifting),
    }


def _shifted(found: ShiftingTotal) -> dict[str, Any]:
    return {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "days": found.days,
        "saving": float(found.saving),
        "saving_per_year": found.saving_per_year,
        "demand_saving": float(found.demand_saving),
        "proved": found.proved,
        "skipped": list(found.skipped),
        "moved": [
            {
                "appliance": one.appliance,
                "kwh_per_day": one.kwh_per_day,
                "days_moved": one.days_moved,
                "cost_as_read": float(one.cost_as_read),
                "cost_moved": float(one.cost_moved),
                "kwh_by_hour_as_read": list(one.kwh_by_hour_as_read),
                "kwh_by_hour_moved": list(one.kwh_by_hour_moved),
            }
            for one in found.moved
        ],
    }


def _scored(score: ModelScore) -> dict[str, Any]:
    """Return a line of the scoreboard; what could not be measured is null."""
    return {name: None if value != value else value for name, value in asdict(score).items()}  # noqa: PLR0124
