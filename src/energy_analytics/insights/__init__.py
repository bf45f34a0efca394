"""Findings into words. Every number in them is a figure of a finding."""

from energy_analytics.insights.choice import PROVIDERS, advise

__all__ = ["PROVIDERS", "advise"]
