"""The function `energy-pipeline`."""
