"""Episodes: stretches of time in which an appliance does not behave as it usually does.

The functions that take and give pandas (`detect_episodes`, `carry_over`) are loaded when they are first used.
"""

from typing import Any

from ..results import Episode
from .detection import DEFAULT_ALARMS, ReadingsError, find_episodes
from .identity import carry_rows

__all__ = ["DEFAULT_ALARMS", "Episode", "ReadingsError", "carry_rows", "find_episodes"]

_WITH_PANDAS = ("carry_over", "detect_episodes")


def __getattr__(name: str) -> Any:
    if name in _WITH_PANDAS:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
