"""The function `energy-pipeline`: an upload under raw/ in, its results beside it. All work is the package's.

What takes long to import stands at the top, so that Lambda does it before the first event.
"""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from energy_analytics.aws.alerts import publish
from energy_analytics.aws.events import keys_of
from energy_analytics.aws.function import Ended, RunError, function_lake, remove_leftovers, run_upload
from energy_analytics.lake.s3 import S3Lake
from energy_analytics.settings import Settings, SettingsError, load_settings
from energy_analytics.uploads import Upload

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

BUCKET: Final = os.environ["BUCKET_NAME"]
ALERT_TOPIC: Final = os.environ.get("ALERT_TOPIC_ARN")

SERVICE: Final = {"service": os.environ["POWERTOOLS_SERVICE_NAME"]}

logger = Logger()
metrics = Metrics()
if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # elsewhere the temporary folder is not this process's alone
    remove_leftovers()


class FailedUploadsError(Exception):
    """Uploads of an event could not be run. Lambda tries again, then the failure queue has the event."""


@cache
def settings() -> Settings:
    """Return the settings that were deployed. Raises SettingsError, at every event, when one is wrong."""
    deployed = Path(__file__).with_name("energy.toml")
    return load_settings(config=deployed if deployed.is_file() else None, lake=f"s3://{BUCKET}")


@cache
def lake() -> S3Lake:
    """Return the lake; what it has fetched may serve the next event."""
    return function_lake(BUCKET)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[str]]:
    """Run the uploads that a notification of the bucket tells of; return the stamps of their runs."""
    arrivals = keys_of(event, bucket=BUCKET)
    for what in arrivals.passed_over:
        logger.info("Passed over: %s", what)
    stamps, failures = [], []
    for key in arrivals.keys:
        logger.append_keys(key=key, stamp=None)
        try:
            ended = run_upload(
                lake(),
                key,
                settings(),
                seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
                identified=_identified,
                compare=ALERT_TOPIC is not None,
            )
        except Exception as error:  # the other uploads of the event are run all the same
            is_explained = isinstance(error, SettingsError) or (isinstance(error, RunError) and error.explained)
            logger.error("Not run: %s", error, exc_info=not is_explained)
            failures.append(f"{key}: {error}")
            continue
        if ended is None:
            logger.info("Passed over: it is not in the bucket any more")
            continue
        stamps.append(ended.manifest["stamp"])
        _tell(ended)
    logger.remove_keys(["key", "stamp"])
    if failures:
        raise FailedUploadsError(" | ".join(failures))
    return {"stamps": stamps}


def _identified(upload: Upload) -> None:
    """Mark the lines of the log from here on as those of this upload."""
    logger.append_keys(stamp=upload.stamp)
    logger.info("Running %s, %d bytes", upload.key, upload.size_bytes)


def _tell(ended: Ended) -> None:
    """Write what a run has found to the log, as metrics, and to whom it concerns."""
    manifest = ended.manifest
    results, intake = manifest["results"], manifest["intake"]
    logger.append_keys(key=manifest["upload"]["key"], stamp=manifest["stamp"])
    counts = {
        "Rows": intake["rows_accepted"],
        "RowsRejected": sum(intake["rejected_by_reason"].values()),
        "Anomalies": results["anomalies"],
        "Episodes": sum(one["status"] != "withdrawn" for one in results["episodes"]),
    }
    seconds = {stage: round(took, 3) for stage, took in ended.seconds.items()}
    logger.info("Done", extra={"counts": counts, "seconds": seconds, "model": results["forecast"]["model"]})
    # The site is no dimension: each value of one is a metric of its own, and costs like one.
    metrics.add_metadata("key", manifest["upload"]["key"])
    metrics.add_metadata("stamp", manifest["stamp"])
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()
    for stage, took in seconds.items():
        with single_metric("Seconds", MetricUnit.Seconds, took, default_dimensions=SERVICE) as metric:
            metric.add_dimension("stage", stage)
            metric.add_metadata("key", manifest["upload"]["key"])
            metric.add_metadata("stamp", manifest["stamp"])
    if ended.new_episodes and ALERT_TOPIC is not None:
        try:
            publish(boto3.client("sns"), ALERT_TOPIC, manifest, ended.new_episodes)
        except (BotoCoreError, ClientError) as error:  # the run stands, and once more would find nothing new
            logger.error("Nobody was told of %d new episodes: %s", len(ended.new_episodes), error)
