"""What the report says of episodes: how many there are, which go on, and the ones that stand out."""

from collections.abc import Collection, Sequence
from typing import Final

from energy_analytics import words
from energy_analytics.results import EpisodeFound

EPISODES_SHOWN: Final = 12


def episodes_in_words(episodes: Sequence[EpisodeFound], *, dismissed: Collection[str] = ()) -> str:
    """Count the episodes that stand, and say how many go on and how many were dismissed."""
    every = [one for one in episodes if one.status != "withdrawn"]
    standing = [one for one in every if one.id not in dismissed]
    unwanted = words.number(len(every) - len(standing), decimals=0)
    if every and not standing:
        return f"Nothing unusual is told: you have dismissed {unwanted} of {unwanted} stretches of time found."
    if not standing:
        return "No appliance behaved otherwise than it usually does for long enough to be sure."
    going_on = sum(one.status == "open" for one in standing)
    still = f", of which {words.number(going_on, decimals=0)} may still go on" if going_on else ""
    verb = "stretch" if len(standing) == 1 else "stretches"
    shown = f" Told here are the {EPISODES_SHOWN} that stand out most." if len(standing) > EPISODES_SHOWN else ""
    others = f" You have dismissed {unwanted} more." if len(every) > len(standing) else ""
    return (
        f"{words.number(len(standing), decimals=0)} {verb} of time in which an appliance did not behave as it usually "
        f"does{still}.{shown}{others}"
    )


def episode_rows(
    episodes: Sequence[EpisodeFound], *, dismissed: Collection[str] = ()
) -> tuple[tuple[str, str, str, str, str], ...]:
    """List those that go on, then the others by severity: appliance, kind, when, excess, reason."""
    standing = [one for one in episodes if one.status != "withdrawn" and one.id not in dismissed]
    ranked = sorted(standing, key=lambda one: (one.status != "open", -one.severity, one.start, one.id))
    return tuple(
        (
            words.name(one.appliance),
            one.kind + (" (going on)" if one.status == "open" else ""),
            f"{words.moment(one.start)} to {words.moment(one.end)}",
            _excess(one.excess_kwh),
            words.name(one.reason, limit=300),
        )
        for one in ranked[:EPISODES_SHOWN]
    )


def _excess(kwh: float) -> str:
    return f"{words.energy(abs(kwh))} {'more' if kwh >= 0 else 'less'} than usual"
