"""From interval energy readings to totals, anomalies, a forecast, advice and a report."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .episodes.api import carry_over, detect_episodes
    from .forecasting.api import decompose, forecast

__all__ = ["__version__", "carry_over", "decompose", "detect_episodes", "forecast"]
__version__: Final = "0.1.0"

_PUBLIC: Final = {
    "carry_over": "episodes",
    "decompose": "forecasting",
    "detect_episodes": "episodes",
    "forecast": "forecasting",
}


def __getattr__(name: str) -> Any:
    """Load the public functions when they are first used: they bring pandas with them."""
    if name in _PUBLIC:
        return getattr(import_module(f"{__name__}.{_PUBLIC[name]}.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
