"""Who wrote the advice, and what left the machine for it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from energy_analytics import words
from energy_analytics.results import Advice, Asked, Paragraph

RULES: Final = "rules"
_NAME_LIMIT: Final = 80


def signed(paragraphs: Sequence[Paragraph], advice: Advice) -> tuple[Paragraph, ...]:
    """Return the paragraphs with their author as the reader sees it; without one where the rules wrote them all."""
    if advice.written_by == RULES:
        return tuple(replace(one, written_by="") for one in paragraphs)
    return tuple(replace(one, written_by=_author(one)) for one in paragraphs)


def _author(paragraph: Paragraph) -> str:
    return "fixed rules" if paragraph.written_by == RULES else words.name(paragraph.written_by, limit=_NAME_LIMIT)


def account(advice: Advice) -> tuple[str, ...]:
    """Tell who wrote the advice, and what was sent to whom."""
    asked = advice.asked
    if asked is None:
        return ("Written by fixed rules from the figures of this report. No language model was involved.",)
    return (_authors(advice, asked), _sent(asked))


def _authors(advice: Advice, asked: Asked) -> str:
    paragraphs = (*advice.insights, *advice.auditor)
    written = sum(one.written_by != RULES for one in paragraphs)
    model = f"the language model {words.name(asked.model, limit=_NAME_LIMIT)}" if asked.model else "a language model"
    if not written:
        why = f"{model} {asked.outcome}" if asked.outcome else f"what {model} wrote was not borne out by the findings"
        return f"Written by fixed rules from the figures of this report: {why}."
    return (
        f"Of {words.count(len(paragraphs), 'paragraph')}, {words.number(written, decimals=0)} "
        f"{'was' if written == 1 else 'were'} written by {model}, the rest by fixed rules. The model wrote no number: "
        "all are figures of this report, filled in afterwards."
    )


def _sent(asked: Asked) -> str:
    if not asked.calls:
        return "Nothing was sent to it."
    host, fields = words.name(asked.host, limit=_NAME_LIMIT), words.listing(asked.fields)
    return f"Sent to {host}: {words.count(asked.findings, 'finding')}, of each {fields}. No readings were sent."
