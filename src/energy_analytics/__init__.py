"""From interval energy readings to totals, anomalies, a forecast, advice and a report."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .forecasting.api import decompose, forecast

__all__ = ["__version__", "decompose", "forecast"]
__version__: Final = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the public functions when they are first used: they bring pandas with them."""
    if name in ("decompose", "forecast"):
        from .forecasting import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
