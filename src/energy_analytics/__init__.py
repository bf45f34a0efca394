"""From interval energy readings to totals, anomalies, a forecast, advice and a report."""
