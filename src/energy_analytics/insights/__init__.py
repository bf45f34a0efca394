"""Findings into words. Every number in them is a figure of a finding."""

from collections.abc import Callable, Sequence
from typing import Final

from energy_analytics.insights import rules
from energy_analytics.results import Advice, Finding

PROVIDERS: Final[dict[str, Callable[[Sequence[Finding]], Advice]]] = {"rules": rules.advise}
"""Who can write the advice."""
