"""The words that a language model may write: a closed list, in which none tells a number."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from energy_analytics.appliances import catalogue

_DOUBLING = "!"
_SIBILANT = ("s", "x", "z", "ch", "sh")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The forms that may be written, in lower case; none is what the catalogue calls an appliance."""

    words: frozenset[str]
    plain_words: frozenset[str]
    """May not stand in a sentence with a figure, whose meaning they would turn."""
    topics: dict[str, frozenset[str]]
    """More words for sections that tell findings of a kind."""
    roles: dict[str, frozenset[str]]
    """Words by what they make of a figure that follows."""
    listed: str
    """The words without their inflected forms, as a model is told them."""


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary of the package."""
    text = resources.files("energy_analytics").joinpath("insights", "vocabulary.toml").read_text("utf-8")
    table = tomllib.loads(text)
    verbs = [(verb.removesuffix(_DOUBLING), verb.endswith(_DOUBLING)) for verb in table["verbs"].split()]
    nouns, words, plain = table["nouns"].split(), table["words"].split(), table["plain_words"].split()
    forms = set(words) | {form for noun in nouns for form in (noun, _plural(noun))}
    forms |= {form for verb, doubling in verbs for form in _forms(verb, doubling=doubling)}
    appliances = {pattern for one in catalogue() for pattern in one.patterns}
    return Vocabulary(
        words=frozenset(forms - appliances),
        plain_words=frozenset(plain),
        topics={kind: frozenset(more.split()) for kind, more in table["topics"].items()},
        roles={role: frozenset(some.split()) for role, some in table["roles"].items()},
        listed=" ".join(sorted({*words, *plain, *nouns, *(verb for verb, _ in verbs)} - appliances)),
    )


def _plural(noun: str) -> str:
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_SIBILANT) else f"{noun}s"


def _forms(verb: str, *, doubling: bool) -> Iterator[str]:
    """Yield a verb with its regular forms: save, saves, saved, saving."""
    yield verb
    yield _plural(verb)
    stem = verb + verb[-1] if doubling else verb
    if re.search(r"[^aeiou]y$", verb):
        yield f"{verb[:-1]}ied"
        yield f"{verb}ing"
    elif verb.endswith("e") and not verb.endswith("ee"):
        yield f"{verb}d"
        yield f"{verb[:-1]}ing"
    else:
        yield f"{stem}{'d' if verb.endswith('ee') else 'ed'}"
        yield f"{stem}ing"
