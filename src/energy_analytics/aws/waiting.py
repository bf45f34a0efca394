"""Uploads that the function on AWS runs: waiting until it has."""

import time
from collections.abc import Callable
from typing import Final

from ..lake import Lake
from ..pipeline import FailedRunError
from ..runs import Manifest, ended_run
from ..uploads import Upload
from .deployment import DeploymentError

_POLL_SECONDS: Final = 1.0


def await_run(lake: Lake, upload: Upload, *, deadline: float, pause: Callable[[float], None] = time.sleep) -> Manifest:
    """Return the manifest of an upload's run when it is there. `deadline` is a time of the monotonic clock.

    Raises FailedRunError for a run that failed, and DeploymentError when the time is over.
    """
    while True:
        manifest = ended_run(lake, upload)
        if manifest is None:
            if time.monotonic() >= deadline:
                raise DeploymentError(
                    f"{upload.name} lies under {upload.key}, but there is no run of it yet. What the function does "
                    "shows `energy logs --errors`, what it gave up `energy redrive --dry-run`; "
                    "`energy results --wait` waits on."
                )
            pause(_POLL_SECONDS)
            continue
        if manifest["status"] != "succeeded":
            raise FailedRunError(manifest["error"], manifest)
        return manifest
