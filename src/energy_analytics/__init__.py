"""From interval energy readings to totals, anomalies, a forecast, advice and a report."""

from typing import Final

__version__: Final = "0.1.0"
