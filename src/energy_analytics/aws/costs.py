"""What a deployment costs a month: public prices times measured and assumed use."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..settings import AwsSettings

PRICES: Final = Path(__file__).resolve().parents[1] / "catalogue" / "aws_prices.toml"
_MB_PER_GB: Final = 1024
_KB_PER_GB: Final = 1024**2
_MB_PER_TB: Final = 1024**2
_HOURS_PER_MONTH: Final = 730
_MONTHS_STANDARD: Final = 3
"""After 90 days an upload moves to the colder class."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the estimate."""

    service: str
    use: str
    usd_per_month: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What N uploads a month cost, and on what that rests."""

    uploads_per_month: int
    page_views: int
    """Of the dashboard, a month; 0 without one."""
    lines: tuple[Cost, ...]
    prices_as_of: date
    assumptions: tuple[str, ...]

    @property
    def usd_per_month(self) -> float:
        """The sum of the lines."""
        return sum(line.usd_per_month for line in self.lines)


def estimate(
    settings: "AwsSettings",
    *,
    uploads_per_month: int,
    alarms: int,
    dashboards: int = 1,
    with_dashboard: bool = False,
    measured: Mapping[str, Any] | None = None,
) -> Estimate:
    """Return the monthly cost of so many uploads after a year of them, without the free tier, in us-east-1.

    `dashboards` are those of CloudWatch; `with_dashboard` adds the web dashboard.

    `measured` takes the place of what the price list has as measured.
    """
    prices = tomllib.loads(PRICES.read_text(encoding="utf-8"))
    prices["measured"] |= measured or {}
    assumed, measured = prices["assumed"], prices["measured"]
    lines = (
        *_function(prices, settings, uploads_per_month),
        *_lake(prices, uploads_per_month),
        _queries(prices, uploads_per_month),
        *_watching(prices, uploads_per_month, alarms=alarms, dashboards=dashboards),
        *(_web(prices, settings) if with_dashboard else ()),
    )
    return Estimate(
        uploads_per_month,
        assumed["page_views"] if with_dashboard else 0,
        lines,
        prices["as_of"],
        (
            f"an upload takes {measured['seconds_per_upload']:g} s at {measured['memory_mb']:,} MB "
            f"(measured {measured['measured_on']}), in proportion at another memory",
            f"an upload has {measured['mb_per_upload']:g} MB, its results {measured['mb_of_results_per_upload']:g} MB, "
            f"kept {assumed['months_kept']} months",
            f"{assumed['queries_per_upload']} queries an upload, each of Athena's least {_least_mb(prices)} MB",
            *(
                [
                    f"a page view of the dashboard is {assumed['requests_per_page_view']} requests of "
                    f"{prices['measured_dashboard']['seconds_per_request']:g} s "
                    f"(measured {prices['measured_dashboard']['measured_on']})"
                ]
                if with_dashboard
                else []
            ),
            f"prices of {prices['region']} in {prices['currency']}, without free tier "
            "(but the alarms and dashboards that are free for everybody), tax or transfer out of AWS",
        ),
    )


def _function(prices: dict[str, Any], settings: "AwsSettings", uploads: int) -> tuple[Cost, ...]:
    price, measured = prices["lambda"], prices["measured"]
    gb_seconds = uploads * measured["seconds_per_upload"] * measured["memory_mb"] / _MB_PER_GB
    # The processor grows with the memory, so that half the memory takes about twice the time.
    seconds = gb_seconds / (settings.memory_mb / _MB_PER_GB)
    disk_gb = max(0, settings.ephemeral_storage_mb - price["storage_included_mb"]) / _MB_PER_GB
    return (
        Cost(
            "Lambda",
            f"{gb_seconds:,.0f} GB-seconds ({settings.architecture})",
            gb_seconds * price[f"gb_second_{settings.architecture}"],
        ),
        Cost("Lambda", f"{uploads:,} requests", uploads * price["request"]),
        Cost(
            "Lambda",
            f"{disk_gb:.1f} GB of disk above the first {price['storage_included_mb']} MB",
            seconds * disk_gb * price["storage_gb_second"],
        ),
    )


def _lake(prices: dict[str, Any], uploads: int) -> tuple[Cost, ...]:
    price, assumed, measured = prices["s3"], prices["assumed"], prices["measured"]
    months = assumed["months_kept"]
    results_gb = uploads * months * measured["mb_of_results_per_upload"] / _MB_PER_GB
    upload_gb = uploads * measured["mb_per_upload"] / _MB_PER_GB
    warm_gb = results_gb + upload_gb * min(months, _MONTHS_STANDARD)
    cold_gb = upload_gb * max(0, months - _MONTHS_STANDARD)
    puts = uploads * measured["puts_per_upload"]
    gets = uploads * (measured["gets_per_upload"] + assumed["queries_per_upload"])
    return (
        Cost("S3", f"{warm_gb:,.2f} GB standard", warm_gb * price["standard_gb_month"]),
        Cost("S3", f"{cold_gb:,.2f} GB of old uploads (Glacier Instant Retrieval)", _cold(prices, cold_gb, uploads)),
        Cost("S3", f"{puts:,} writes, {gets:,} reads", puts * price["put"] + gets * price["get"]),
    )


def _cold(prices: dict[str, Any], gb: float, uploads: int) -> float:
    price = prices["s3"]
    return float(gb * price["glacier_ir_gb_month"] + uploads * price["transition_to_glacier_ir"])


def _queries(prices: dict[str, Any], uploads: int) -> Cost:
    queries = uploads * prices["assumed"]["queries_per_upload"]
    scanned_tb = queries * _least_mb(prices) / _MB_PER_TB
    return Cost("Athena", f"{queries:,} queries", scanned_tb * prices["athena"]["tb_scanned"])


def _web(prices: dict[str, Any], settings: "AwsSettings") -> tuple[Cost, ...]:
    """Return what the web dashboard adds."""
    assumed, measured, s3 = prices["assumed"], prices["measured_dashboard"], prices["s3"]
    requests = assumed["page_views"] * assumed["requests_per_page_view"]
    gb_seconds = requests * measured["seconds_per_request"] * measured["memory_mb"] / _MB_PER_GB
    gets, lists = requests * measured["gets_per_request"], requests * measured["lists_per_request"]
    log_gb = requests * measured["log_kb_per_request"] / _KB_PER_GB
    log_price = prices["cloudwatch"]["log_gb_ingested"] + prices["cloudwatch"]["log_gb_month"]
    function = prices["lambda"]
    return (
        Cost("Dashboard: API Gateway", f"{requests:,} requests", requests * prices["api_gateway"]["request"]),
        Cost(
            "Dashboard: Lambda",
            f"{requests:,} requests, {gb_seconds:,.0f} GB-seconds ({settings.architecture})",
            requests * function["request"] + gb_seconds * function[f"gb_second_{settings.architecture}"],
        ),
        Cost("Dashboard: S3", f"{gets:,.0f} reads, {lists:,.0f} lists", gets * s3["get"] + lists * s3["put"]),
        Cost("Dashboard: CloudWatch", f"{log_gb:.3f} GB of logs", log_gb * log_price),
        Cost("Dashboard: Cognito", f"up to {prices['cognito']['users_included']:,} users are free", 0.0),
    )


def _least_mb(prices: dict[str, Any]) -> int:
    return int(prices["athena"]["least_mb_per_query"])


def _watching(prices: dict[str, Any], uploads: int, *, alarms: int, dashboards: int) -> tuple[Cost, ...]:
    price, assumed, measured = prices["cloudwatch"], prices["assumed"], prices["measured"]
    log_gb = uploads * measured["log_kb_per_upload"] / _KB_PER_GB
    paid_alarms = max(0, alarms - price["alarms_included"])
    paid_dashboards = max(0, dashboards - price["dashboards_included"])
    return (
        Cost(
            "CloudWatch",
            f"{log_gb:.3f} GB of logs",
            log_gb * (price["log_gb_ingested"] + price["log_gb_month"]),
        ),
        Cost(
            "CloudWatch",
            f"{assumed['metrics']} metrics of our own, in the hours in which something is uploaded",
            assumed["metrics"] * price["custom_metric_month"] * min(1.0, uploads / _HOURS_PER_MONTH),
        ),
        Cost(
            "CloudWatch",
            f"{alarms} alarms (first {price['alarms_included']} free), {dashboards} dashboard "
            f"(first {price['dashboards_included']} free)",
            paid_alarms * price["alarm_month"] + paid_dashboards * price["dashboard_month"],
        ),
        Cost("SQS, SNS", "only when something fails", uploads * prices["sqs"]["request"] + prices["sns"]["email"]),
    )
