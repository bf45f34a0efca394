"""Who writes the advice: the providers, and which of them the settings mean."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from pydantic import SecretStr

from energy_analytics.insights import bedrock, openai, rules
from energy_analytics.insights.keys import api_key
from energy_analytics.insights.models import ModelError
from energy_analytics.insights.writing import by_rules_after_all, write
from energy_analytics.results import Advice, Finding
from energy_analytics.settings import Settings


class Provider(Protocol):
    """Writes the advice from the findings; whatever happens, the advice is complete."""

    def __call__(
        self, findings: Sequence[Finding], settings: Settings, *, remembered: Sequence[Mapping[str, Any]] = ()
    ) -> Advice:
        """Write it. `remembered` are the accounts that earlier runs kept."""


def by_rules(
    findings: Sequence[Finding], settings: Settings | None = None, *, remembered: Sequence[Mapping[str, Any]] = ()
) -> Advice:
    """Write it by fixed rules: nothing leaves the machine."""
    return rules.advise(findings)


def by_openai(
    findings: Sequence[Finding], settings: Settings, *, remembered: Sequence[Mapping[str, Any]] = ()
) -> Advice:
    """Have it written by OpenAI or a compatible server."""
    chosen = settings.insights
    try:
        if chosen.openai_model is None:
            raise ModelError("could not be asked: insights.openai_model names no model")
        key: SecretStr | None = api_key(settings)
        model = openai.connect(chosen.openai_model, base_url=chosen.openai_base_url, key=key)
    except ModelError as error:
        name = chosen.openai_model or ""
        return by_rules_after_all(findings, chosen, provider="openai", model=name, outcome=str(error))
    return write(findings, model, chosen, provider="openai", remembered=remembered)


def by_bedrock(
    findings: Sequence[Finding], settings: Settings, *, remembered: Sequence[Mapping[str, Any]] = ()
) -> Advice:
    """Have it written by a model on Bedrock."""
    chosen = settings.insights
    try:
        if chosen.bedrock_model is None:
            raise ModelError("could not be asked: insights.bedrock_model names no model")
        model = bedrock.connect(chosen.bedrock_model, region=chosen.bedrock_region)
    except ModelError as error:
        name = chosen.bedrock_model or ""
        return by_rules_after_all(findings, chosen, provider="bedrock", model=name, outcome=str(error))
    return write(findings, model, chosen, provider="bedrock", remembered=remembered)


def by_first_available(
    findings: Sequence[Finding], settings: Settings, *, remembered: Sequence[Mapping[str, Any]] = ()
) -> Advice:
    """Have it written by OpenAI if there is a key or a server, else by Bedrock if it has a model, else by the rules."""
    chosen = settings.insights
    try:
        use_openai = chosen.openai_base_url is not None or api_key(settings) is not None
    except ModelError as error:
        name = chosen.openai_model or ""
        return by_rules_after_all(findings, chosen, provider="openai", model=name, outcome=str(error))
    if use_openai:
        return by_openai(findings, settings, remembered=remembered)
    return (by_rules if chosen.bedrock_model is None else by_bedrock)(findings, settings, remembered=remembered)


PROVIDERS: Final[dict[str, Provider]] = {
    "rules": by_rules,
    "auto": by_first_available,
    "openai": by_openai,
    "bedrock": by_bedrock,
}
"""Who can write the advice, by the setting `insights.provider`."""


def advise(findings: Sequence[Finding], settings: Settings, *, remembered: Sequence[Mapping[str, Any]] = ()) -> Advice:
    """Write the advice by whom the settings say."""
    return PROVIDERS[settings.insights.provider](findings, settings, remembered=remembered)
