"""A language model tells the findings, within a budget; the rules' text stays wherever that does not come off."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from string import ascii_lowercase
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from energy_analytics.insights import rules
from energy_analytics.insights.asking import FIELDS, BrokenAnswerError, hash_of, question_of, texts_of
from energy_analytics.insights.grounding import Section, UngroundedError, fill
from energy_analytics.insights.models import CUT_OFF, REFUSED, Answer, Model, ModelError, Question, within
from energy_analytics.results import Advice, Asked, Finding, Paragraph
from energy_analytics.settings import InsightsSettings

KEPT: Final = frozenset({"price"})
"""Kinds that the rules alone tell: the terms under which all amounts stand."""
_CHARACTERS_PER_TOKEN: Final = 3
"""Fewer than of any text that we send: what is asked is reckoned too dear rather than too cheap."""
_LEAST_SECONDS: Final = 0.2
"""With less than this left, nothing is asked."""
_FAULT_LIMIT: Final = 300
_MILLION: Final = 1e6
_ASKED: Final = TypeAdapter(Asked)


def write(
    findings: Sequence[Finding],
    model: Model,
    settings: InsightsSettings,
    *,
    provider: str,
    remembered: Sequence[Mapping[str, Any]] = (),
) -> Advice:
    """Write the advice with a model: each section by it if what it wrote may stand, else by the rules.

    `remembered` are accounts of earlier runs: what has been asked and answered is not asked, and paid, again.
    """
    draft = rules.advise(findings)
    sections = _sections(draft, findings)
    if not sections:
        return draft
    question = question_of(sections, answer_tokens=settings.answer_tokens)
    key = hash_of(question, provider=provider, model=model.name, host=model.host)
    asked = next((one for one in map(_restored, remembered) if one is not None and one.question == key), None)
    if asked is None:
        talk = _Talk(model, settings)
        talk.hold(sections)
        asked = talk.account(provider=provider, question=key, findings=sum(len(one.findings) for one in sections))
    return _merged(draft, sections, asked)


def as_written(findings: Sequence[Finding], account: Mapping[str, Any] | None) -> Advice:
    """Return the advice as a run wrote it, from the findings that it told and its account of what was asked."""
    draft = rules.advise(findings)
    asked = None if account is None else _restored(account)
    return draft if asked is None else _merged(draft, _sections(draft, findings), asked)


def by_rules_after_all(
    findings: Sequence[Finding], settings: InsightsSettings, *, provider: str, model: str, outcome: str
) -> Advice:
    """Write the advice by the rules because the model that was chosen could not even be asked."""
    asked = Asked(
        provider, model, "", "", 0, (), 0, 0, 0, False, 0.0,
        None if settings.price_per_million_input_tokens is None else 0.0, settings.price_currency, outcome,
    )  # fmt: skip
    return replace(rules.advise(findings), asked=asked)


def _sections(draft: Advice, findings: Sequence[Finding]) -> list[Section]:
    """Return the paragraphs that a model may write in the rules' place."""
    by_id = {finding.id: finding for finding in findings}
    names = _letters()
    found = []
    for part, paragraphs in (("insights", draft.insights), ("auditor", draft.auditor)):
        for paragraph in paragraphs:
            told = tuple(by_id[one] for one in paragraph.findings)
            section = Section("", part, paragraph, told)
            if KEPT.isdisjoint(one.kind for one in told) and any(one.is_figure for one in section.phrases.values()):
                found.append(Section(next(names), part, paragraph, told))
    return found


def _letters() -> Iterator[str]:
    """Yield a, b, ..., z, aa, ab, ..."""
    yield from ascii_lowercase
    for before in _letters():
        yield from (before + letter for letter in ascii_lowercase)


def _merged(draft: Advice, sections: Sequence[Section], asked: Asked) -> Advice:
    """Put the accepted texts in the place of the rules'."""
    written: dict[Paragraph, Paragraph] = {}
    for section in sections:
        if section.id in asked.drafts:
            try:
                text = fill(section, asked.drafts[section.id])
            except UngroundedError:  # remembered by another version, whose rules were others
                continue
            written[section.paragraph] = replace(section.paragraph, text=text, written_by=asked.model)
    return Advice(
        tuple(written.get(one, one) for one in draft.insights),
        tuple(written.get(one, one) for one in draft.auditor),
        asked.model if written else draft.written_by,
        asked,
    )


@dataclass(slots=True)
class _Talk:
    """What goes to and fro between us and a model in one run."""

    model: Model
    settings: InsightsSettings
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False
    outcome: str = ""
    drafts: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def hold(self, sections: Sequence[Section]) -> None:
        """Ask for all sections, and once more for those whose text may not stand."""
        due = list(sections)
        back: dict[str, tuple[str, str]] = {}
        for _ in range(2):
            question = question_of(due, answer_tokens=self.settings.answer_tokens, refused=back)
            try:
                answer = self._ask(question)
            except ModelError as error:
                self.outcome = str(error)
                return
            if answer.fault == REFUSED:
                self.outcome = REFUSED
                return
            back = self._take(due, answer)
            due = [section for section in due if section.id in back]
            if not due:
                return

    def _take(self, due: Sequence[Section], answer: Answer) -> dict[str, tuple[str, str]]:
        """Keep the texts that may stand; return the others with what is wrong with them."""
        self.outcome, fault, texts = "", "There is no text for this section.", {}
        try:
            if answer.fault == CUT_OFF:
                raise BrokenAnswerError("The answer was cut off. Write less.")
            texts = texts_of(answer.text)
        except BrokenAnswerError as error:
            fault = str(error)
            self.outcome = CUT_OFF if answer.fault else "sent something that is no answer"
        back = {}
        for section in due:
            try:
                if section.id not in texts:
                    raise UngroundedError(fault)
                fill(section, texts[section.id])
                self.drafts[section.id] = texts[section.id]
                self.refused.pop(section.id, None)
            except UngroundedError as error:
                back[section.id] = (texts.get(section.id, ""), str(error)[:_FAULT_LIMIT])
                self.refused[section.id] = str(error)[:_FAULT_LIMIT]
        return back

    def _ask(self, question: Question) -> Answer:
        """Ask within the budget, and once again after a wait where the server asks for one."""
        try:
            return self._ask_once(question)
        except ModelError as error:
            wait = error.again_after_seconds
            if wait is None or not math.isfinite(wait) or wait + _LEAST_SECONDS >= self._seconds_left:
                raise
            time.sleep(wait)
        return self._ask_once(question)

    def _ask_once(self, question: Question) -> Answer:
        about = self._tokens_of(question)
        self._check_budget(about)
        seconds = min(self.settings.timeout_seconds, self._seconds_left)
        self.calls += 1
        answer = within(seconds, lambda: self.model.ask(question, timeout_seconds=seconds))
        self.estimated |= answer.input_tokens is None or answer.output_tokens is None
        self.input_tokens += about if answer.input_tokens is None else answer.input_tokens
        spoken = math.ceil(len(answer.text) / _CHARACTERS_PER_TOKEN)
        self.output_tokens += spoken if answer.output_tokens is None else answer.output_tokens
        return answer

    def _check_budget(self, input_tokens: int) -> None:
        """Refuse what could go beyond what a run may take. Raises ModelError."""
        limits = self.settings
        if self._seconds_left < _LEAST_SECONDS:
            raise ModelError(f"could not be asked within the budget of {limits.budget_seconds:g} seconds")
        used = self.input_tokens + self.output_tokens
        if used + input_tokens + limits.answer_tokens > limits.budget_tokens:
            raise ModelError(f"could not be asked within the budget of {limits.budget_tokens} tokens")
        cost = self._cost(self.input_tokens + input_tokens, self.output_tokens + limits.answer_tokens)
        if limits.budget_cost is not None and cost is not None and cost > limits.budget_cost:
            raise ModelError(f"could not be asked within the budget of {limits.budget_cost:g} {limits.price_currency}")

    @staticmethod
    def _tokens_of(question: Question) -> int:
        characters = len(question.instructions) + len(question.data) + len(str(question.schema))
        return math.ceil(characters / _CHARACTERS_PER_TOKEN)

    def _cost(self, input_tokens: int, output_tokens: int) -> float | None:
        prices = (self.settings.price_per_million_input_tokens, self.settings.price_per_million_output_tokens)
        if prices[0] is None or prices[1] is None:
            return None
        return (input_tokens * prices[0] + output_tokens * prices[1]) / _MILLION

    @property
    def _seconds_left(self) -> float:
        return self._began + self.settings.budget_seconds - time.monotonic()

    def account(self, *, provider: str, question: str, findings: int) -> Asked:
        """Return what was asked, and what it took."""
        return Asked(
            provider=provider,
            model=self.model.name,
            host=self.model.host,
            question=question,
            findings=findings,
            fields=FIELDS,
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            estimated=self.estimated,
            seconds=round(time.monotonic() - self._began, 2),
            cost=self._cost(self.input_tokens, self.output_tokens),
            currency=self.settings.price_currency,
            outcome=self.outcome,
            drafts=self.drafts,
            refused=self.refused,
        )


def _restored(account: Any) -> Asked | None:
    """Return an account of an earlier run, if it is one and tells of an answer: what failed is tried again.

    It comes from a record in the lake, where others may write.
    """
    if not isinstance(account, Mapping) or account.keys() != {one.name for one in fields(Asked)}:
        return None
    try:
        asked = _ASKED.validate_python(dict(account))
    except ValidationError:
        return None
    return None if asked.outcome and not asked.drafts else asked
