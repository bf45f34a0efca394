"""What of a language model's text may stand in a report: plain words, and references in place of every figure.

The words are a closed list without numbers, units, dates, ranks, comparisons and appliances, so that a claim of any of
these can only be made by a reference, which is filled in here. What is refused is told in words for the model.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from energy_analytics.appliances import classify
from energy_analytics.insights.figures import APPLIANCE, Phrase, phrases
from energy_analytics.insights.vocabulary import vocabulary
from energy_analytics.results import Finding, Paragraph

TEXT_LIMIT: Final = 900
"""Characters of a section before references are filled in."""
_FAULT_WORDS: Final = 8
_SHOWN: Final = 30

_TOKEN: Final = re.compile(
    r"\{\{(?P<finding>[0-9a-z]+)\.(?P<name>[a-z_]+)\}\}(?P<owning>['’]s\b)?"
    r"|(?P<word>[A-Za-z]+(?:['’][a-z]+)?)|(?P<space> )|(?P<mark>[.,;:!?()-])"
)
_CLASS_WORD: Final = re.compile(r"[a-z]+")
_ENDS: Final = frozenset(".!?")

_PLAIN_TURNS: Final = frozenset(
    {("saving", "of"), ("cost", "of"), ("use", "of"), ("bill", "of"), ("consumption", "of"), ("comes", "to")}
)
"""Where a word that turns the meaning of a figure does not."""


class UngroundedError(ValueError):
    """A text may not stand in the report; the message tells the model why."""


@dataclass(frozen=True)
class Section:
    """A paragraph of the rules and the findings that it tells, which a model may tell in its place."""

    id: str
    part: str
    """`insights` or `auditor`."""
    paragraph: Paragraph
    findings: tuple[Finding, ...]

    @cached_property
    def phrases(self) -> Mapping[tuple[str, str], Phrase]:
        """What can be referred to, by finding and name."""
        return {(one.id, name): phrase for one in self.findings for name, phrase in phrases(one).items()}

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that may be used: those of everyone, of the matter, and of the one appliance it is about."""
        known = vocabulary()
        found = known.words | known.plain_words
        for kind in {one.kind for one in self.findings}:
            found |= known.topics.get(kind, frozenset())
        if len(self.subjects) == 1:
            appliance = next(iter(self.subjects)) or ""
            found |= frozenset(_CLASS_WORD.findall(" ".join(each.name for each in classify(appliance))))
        return found

    @cached_property
    def subjects(self) -> frozenset[str | None]:
        """Whose figures are told: of appliances, and of the site as None."""
        return frozenset(phrase.subject for phrase in self.phrases.values() if phrase.is_figure)


@dataclass(frozen=True, slots=True)
class _Token:
    """A part of a text: a reference with its phrase, a word, a space or a mark."""

    text: str
    phrase: Phrase | None = None
    finding: str = ""
    name: str = ""
    owning: str = ""
    word: str = ""

    @property
    def is_name(self) -> bool:
        return self.name == APPLIANCE

    @property
    def is_figure(self) -> bool:
        return self.phrase is not None and self.phrase.is_figure


def fill(section: Section, text: str) -> str:
    """Return the text with its references filled in. Raises UngroundedError for one that may not stand."""
    text = " ".join(text.split(" ")).strip()
    if not text:
        raise UngroundedError("The text is empty.")
    if len(text) > TEXT_LIMIT:
        raise UngroundedError(f"The text has {len(text)} characters; {TEXT_LIMIT} are allowed.")
    tokens = list(_tokens(section, text))
    _check_spaces(tokens)
    _check_words(section, tokens)
    if tokens[-1].text not in _ENDS:
        raise UngroundedError("The text does not end with a full stop.")
    for sentence in _sentences(tokens):
        _check_case(sentence)
        _check_meaning(sentence)
        _check_subjects(section, sentence)
    told = {token.finding for token in tokens if token.phrase is not None and not token.is_name}
    for one in section.findings:
        if one.id not in told and any(
            phrase.is_figure for (id_, _), phrase in section.phrases.items() if id_ == one.id
        ):
            raise UngroundedError(f"The text refers to no figure of the finding {one.id}.")
    return "".join(_filled(sentence) for sentence in _sentences(tokens))


def _tokens(section: Section, text: str) -> Iterator[_Token]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise UngroundedError(_strange(text, place))
        if found["finding"] is None:
            yield _Token(found[0], word=(found["word"] or "").replace("’", "'"))
        else:
            phrase = section.phrases.get((found["finding"], found["name"]))
            if phrase is None:
                reference = f"{{{{{found['finding']}.{found['name']}}}}}"
                raise UngroundedError(f"This section has no reference {reference[:_SHOWN]}.")
            yield _Token(found[0], phrase, found["finding"], found["name"], (found["owning"] or "").replace("’", "'"))
        place = found.end()


def _strange(text: str, place: int) -> str:
    near = text[max(0, place - 5) : place + _SHOWN]
    if text.startswith("{{", place):
        return (
            f"A reference is written {{{{finding.name}}}}, with an id and a name from the findings; not so: {near!r}."
        )
    return (
        f"The character {text[place]!r} in {near!r} may not be used. A number, date or amount comes from a reference; "
        "otherwise there are only the letters a to z, blanks, and the marks . , ; : ! ? ( ) and hyphens in words."
    )


def _check_spaces(tokens: Sequence[_Token]) -> None:
    """Refuse what could join with a figure into another one, and marks that stand alone."""
    edge = _Token(" ")
    padded = [edge, *tokens, edge]
    for (before, token), (_, after) in pairwise(pairwise(padded)):
        if token.phrase is not None:
            opens = before.text in (" ", "(")
            closes = after.text == " " or after.text in ".,;:!?)"
            if not (opens and closes) or (token.owning and not token.is_name):
                raise UngroundedError(f"Leave a blank before and after the reference {token.text}.")
        if token.text == "-" and not (before.word and after.word):
            raise UngroundedError("A hyphen may stand within a word only.")
        closing = " .,;:!?" if token.text == ")" else " )"
        if token.text in ".,;:!?)" and after.text not in closing:
            raise UngroundedError(f"A blank is missing after {token.text!r}.")
        if token.text == "(" and before.text != " ":
            raise UngroundedError("A blank is missing before '('.")
        if token.word and (before.phrase is not None or after.phrase is not None):
            raise UngroundedError(f"Leave a blank between {token.word!r} and the reference.")


def _check_words(section: Section, tokens: Sequence[_Token]) -> None:
    unknown = dict.fromkeys(
        token.word[:_SHOWN] for token in tokens if token.word and token.word.lower() not in section.words
    )
    if unknown:
        named = ", ".join(repr(word) for word in list(unknown)[:_FAULT_WORDS])
        raise UngroundedError(
            f"Not among the words you may use: {named}. Numbers, periods, units, comparisons and names of appliances "
            "come from references only; put anything else in other words."
        )


def _sentences(tokens: Sequence[_Token]) -> list[list[_Token]]:
    sentences: list[list[_Token]] = [[]]
    for token in tokens:
        sentences[-1].append(token)
        if token.text in _ENDS:
            sentences.append([])
    return [sentence for sentence in sentences if sentence]


def _check_case(sentence: Sequence[_Token]) -> None:
    """Refuse capitals within a sentence: a name."""
    spoken = [token for token in sentence if token.word or token.phrase is not None]
    for number, token in enumerate(spoken):
        capital = token.word[:1].upper() + token.word[1:].lower()
        if token.word and token.word != token.word.lower() and not (number == 0 and token.word == capital):
            raise UngroundedError(
                f"{token.word!r} has a capital letter, as names have; names come from references only."
            )


def _check_meaning(sentence: Sequence[_Token]) -> None:
    """Refuse words around a figure that make it say something else."""
    figures = [number for number, token in enumerate(sentence) if token.is_figure]
    if not figures:
        return
    roles = vocabulary().roles
    negation = next((one.word for one in sentence if one.word.lower() in vocabulary().plain_words), None)
    if negation:
        raise UngroundedError(f"{negation!r} may not stand in a sentence with a figure.")
    previous, saving = -1, False
    for number in figures:
        token, between = sentence[number], sentence[previous + 1 : number]
        spoken = [one.word.lower() for one in between if one.word]
        verbs = [word for word in spoken if word in roles["saving"] | roles["using"]]
        saving = verbs[-1] in roles["saving"] if verbs else saving and len(spoken) <= 1
        phrase = token.phrase
        if phrase is not None and phrase.saves != saving:
            told = "a saving: write 'saves' before it" if phrase.saves else "no saving: do not call it one"
            raise UngroundedError(f"The figure {token.text} is {told}.")
        if spoken and spoken[-1] in roles["turning"] and tuple(spoken[-2:]) not in _PLAIN_TURNS:
            raise UngroundedError(f"{spoken[-1]!r} may not stand before the figure {token.text}.")
        if previous >= 0 and not spoken and all(one.text == " " for one in between if one.phrase is None):
            raise UngroundedError(f"A word is missing before the figure {token.text}.")
        following = next((one.word.lower() for one in sentence[number + 1 :] if one.text != " "), "")
        if following in ("a", "an"):
            raise UngroundedError(f"The figure {token.text} has its period already; {following!r} may not follow it.")
        previous = number


def _check_subjects(section: Section, sentence: Sequence[_Token]) -> None:
    """Refuse a figure that is given to another appliance than its own."""
    named: str | None = None
    for token in sentence:
        if token.phrase is None:
            continue
        if token.is_name:
            named = token.phrase.subject
        elif token.is_figure and token.phrase.subject != named and not (named is None and len(section.subjects) == 1):
            whose = "the whole site" if token.phrase.subject is None else f"{{{{{token.finding}.{APPLIANCE}}}}}"
            raise UngroundedError(
                f"The figure {token.text} is that of {whose}, which the sentence does not say before."
            )


def _filled(sentence: Sequence[_Token]) -> str:
    """Return a sentence as the reader sees it."""
    spoken = next(token for token in sentence if token.text != " ") if any(t.text != " " for t in sentence) else None
    parts = []
    for token in sentence:
        text = token.text if token.phrase is None else token.phrase.text + token.owning
        parts.append(text[:1].upper() + text[1:] if token is spoken and not token.is_name else text)
    return "".join(parts)
