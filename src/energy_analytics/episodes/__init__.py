"""Episodes: stretches of time in which an appliance does not behave as it usually does."""

from energy_analytics.episodes.detection import ReadingsError, detect_episodes
from energy_analytics.episodes.identity import carry_over

__all__ = ["ReadingsError", "carry_over", "detect_episodes"]
