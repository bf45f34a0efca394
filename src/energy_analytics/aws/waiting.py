"""Uploads that the function on AWS runs: waiting until it has."""

import json
import time
from collections.abc import Callable
from typing import Final

from ..lake import GoneError, Lake
from ..pipeline import FailedRunError
from ..runs import Manifest
from ..schema import RUNS
from ..uploads import Upload
from .deployment import DeploymentError

_POLL_SECONDS: Final = 1.0


def await_run(lake: Lake, upload: Upload, *, deadline: float, pause: Callable[[float], None] = time.sleep) -> Manifest:
    """Return the manifest of an upload's run when it is there. `deadline` is a time of the monotonic clock.

    Raises FailedRunError for a run that failed, and DeploymentError when the time is over.
    """
    while True:
        try:
            manifest: Manifest = json.loads(lake.read(upload.result_key(RUNS, "run.json")))
        except GoneError:
            if time.monotonic() >= deadline:
                raise DeploymentError(
                    f"{upload.name} lies under {upload.key}, but there is no run of it yet. What the function does "
                    "shows `energy logs --errors`, what it gave up `energy redrive --dry-run`; "
                    "`energy results --wait` waits on."
                ) from None
            pause(_POLL_SECONDS)
            continue
        if manifest["status"] != "succeeded":
            raise FailedRunError(manifest["error"], manifest)
        return manifest
