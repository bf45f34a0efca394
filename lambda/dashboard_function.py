"""The function `energy-dashboard`: a request to the HTTP API in, the application's answer out.

What takes long stands at the top, so that Lambda does it before the first request: the application is made once.
"""

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from energy_analytics.aws.gateway import claims_of, signed_in_only, within_limit
from energy_analytics.lake import open_lake
from energy_analytics.settings import load_settings
from energy_analytics.web import Access, create_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mangum.types import LambdaContext

BUCKET: Final = os.environ["BUCKET_NAME"]
CLIENT_ID: Final = os.environ["CLIENT_ID"]
LOGIN_URL: Final = os.environ["LOGIN_URL"]

logger = logging.getLogger("dashboard")
logger.setLevel(logging.INFO)
logging.getLogger("mangum.http").setLevel(logging.WARNING)  # the line below says more


def application() -> Mangum:
    """Return the application behind its adapter. Raises SettingsError when what was deployed is wrong."""
    deployed = Path(__file__).with_name("energy.toml")
    uri = f"s3://{BUCKET}"
    settings = load_settings(config=deployed if deployed.is_file() else None, lake=uri)
    access = Access.gateway(domain=LOGIN_URL, client_id=CLIENT_ID)
    app = create_app(open_lake(uri), settings, access=access, uploads="presigned", live="polling")
    texts = [*DEFAULT_TEXT_MIME_TYPES, "application/problem+json"]
    return Mangum(signed_in_only(app, client_id=CLIENT_ID), lifespan="off", text_mime_types=texts)


adapter: Final = application()


def lambda_handler(event: "Mapping[str, Any]", context: "LambdaContext") -> dict[str, Any]:
    """Answer a request, and write a line of the log about it."""
    asked = event["requestContext"]["http"]
    began = time.monotonic()
    answer = within_limit(adapter(dict(event), context), path=asked["path"])
    level = logging.ERROR if answer["statusCode"] >= 500 else logging.INFO
    logger.log(
        level,
        "%s %s: %d",
        asked["method"],
        asked["path"],
        answer["statusCode"],
        extra={
            "status": answer["statusCode"],
            "milliseconds": round(1000 * (time.monotonic() - began)),
            "bytes": len(answer.get("body", "")),
            "user": claims_of(event).get("sub"),
        },
    )
    return answer
