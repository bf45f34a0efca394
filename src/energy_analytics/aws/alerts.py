"""Telling people of unusual use that a run has found and no run before it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from .. import words
from ..index import SiteIndex
from ..lake import Lake
from ..report.happenings import EPISODES_SHOWN, episode_rows
from ..results import EpisodeFound
from ..runs import Manifest, briefs

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_LONGEST_CHARACTERS: Final = 8000
"""SNS takes 256 KB, and a person less."""


def reported_episodes(lake: Lake, site: str) -> frozenset[str]:
    """Return the ids of all episodes that runs of a site have reported."""
    succeeded = (one for one in briefs(lake, site, SiteIndex(lake, site)) if one["status"] == "succeeded")
    return frozenset(name for one in succeeded for name in one["episodes"])


def new_episodes(manifest: Manifest, *, known: Collection[str]) -> list[EpisodeFound]:
    """Return the episodes of a run that no run before it has reported, by their ids.

    A run of the same upload once more finds them known, so that nobody is told twice.
    """
    rows: Sequence[Mapping[str, Any]] = manifest["results"]["episodes"]
    return [
        EpisodeFound(**{**row, **{name: datetime.fromisoformat(row[name]) for name in ("start", "end")}})
        for row in rows
        if row["status"] != "withdrawn" and row["id"] not in known
    ]


def alert_text(manifest: Manifest, episodes: Sequence[EpisodeFound]) -> tuple[str, str]:
    """Return the subject and the text of a message about new episodes."""
    count = words.number(len(episodes), decimals=0)
    subject = f"Energy: {count} new {'stretch' if len(episodes) == 1 else 'stretches'} of unusual use"
    lines = [
        f"Upload: {words.name(manifest['upload']['key'], limit=300)}",
        f"Site: {words.name(manifest['site'], limit=100) if manifest['site'] else 'the root site'}",
        "",
        *(
            f"- {name}: {kind}, {when}, {excess}. {reason}"
            for name, kind, when, excess, reason in episode_rows(episodes)
        ),
    ]
    if len(episodes) > EPISODES_SHOWN:
        lines.append(f"- and {words.number(len(episodes) - EPISODES_SHOWN, decimals=0)} more")
    lines += ["", f"The report: {manifest['outputs']['report_html']}"]
    return subject, "\n".join(lines)[:_LONGEST_CHARACTERS]


def publish(client: "SNSClient", topic_arn: str, manifest: Manifest, episodes: Sequence[EpisodeFound]) -> None:
    """Send a message about new episodes to the topic."""
    subject, text = alert_text(manifest, episodes)
    client.publish(TopicArn=topic_arn, Subject=subject, Message=text)
