"""From an analysis to what is told about it: the findings, without those that the user dismissed."""

from collections.abc import Sequence

from ..dismissals import dismissed
from ..findings import CarbonFactor, find
from ..lake import Lake
from ..money import default_carbon
from ..results import Analysis, Finding
from ..settings import Settings
from ..tariff import choose_price


def findings_of(analysis: Analysis, settings: Settings) -> tuple[Finding, ...]:
    """Return all findings of a site, at its price."""
    carbon = default_carbon()
    return find(
        analysis,
        price=choose_price(settings.price_per_kwh, settings.currency),
        carbon=CarbonFactor(carbon.g_per_kwh, carbon.terms),
    )


def to_be_told(findings: Sequence[Finding], lake: Lake, site: str) -> tuple[Finding, ...]:
    """Leave out what the user does not want to be told again."""
    unwanted = dismissed(lake, site)
    return tuple(finding for finding in findings if finding.id not in unwanted)
