"""From an upload in the lake to its results in the lake."""

from .analysis import STAGES, Progress, analyse, check_settings, history_with_inputs, silent
from .running import FailedRunError, forget, run

__all__ = [
    "STAGES",
    "FailedRunError",
    "Progress",
    "analyse",
    "check_settings",
    "forget",
    "history_with_inputs",
    "run",
    "silent",
]
