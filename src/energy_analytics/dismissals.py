"""What a user does not want to be told again: one small object for each finding or episode, below `curated/dismissed/`.

A dismissal is a user's word and no result, so it is not part of a run's record: it changes the next report of the
site, and no report that is there. It lies under `curated/` because the function's role may read that prefix, and in
a folder of its own because no table covers it. The name of the object is all that counts; its content tells a
person who finds it what it is.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from .lake import Lake
from .results import Finding
from .schema import CURATED
from .uploads import in_site

PREFIX: Final = f"{CURATED}/dismissed"


def dismissed(lake: Lake, site: str) -> frozenset[str]:
    """Return the ids of a site's findings and episodes that are not to be told."""
    stored = lake.list(in_site(PREFIX, site, ""), below=False)
    return frozenset(PurePosixPath(one.key).stem for one in stored if is_dismissal(one.key))


def dismiss(lake: Lake, site: str, finding: Finding) -> None:
    """Keep a finding out of the site's later reports."""
    what = {"id": finding.id, "kind": finding.kind, "appliance": finding.appliance, "about": finding.about}
    _write(lake, site, what)


def dismiss_episode(lake: Lake, site: str, row: Mapping[str, Any]) -> None:
    """Keep an episode, and the finding about it, out of the site's later reports; it stays in the tables.

    `row` is the episode as the record of a run or the table `episodes` has it; times may be texts or moments.
    """
    what = {name: str(row[name]) for name in ("id", "start", "end", "appliance", "kind")}
    _write(lake, site, what)


def is_unwanted(unwanted: Collection[str], finding: Mapping[str, Any]) -> bool:
    """Tell whether a finding, as the record of a run has it, or what it is about is among the dismissed ids."""
    return finding["id"] in unwanted or finding["about"] in unwanted


def restore(lake: Lake, site: str, *identities: str) -> None:
    """Let findings and episodes be told again."""
    lake.delete(*(_key(site, identity) for identity in identities))


def is_dismissal(key: str) -> bool:
    """Tell whether a key is one of ours."""
    return key.startswith(f"{PREFIX}/") and key.endswith(".json")


def _write(lake: Lake, site: str, what: Mapping[str, Any]) -> None:
    content = json.dumps(what, ensure_ascii=False, sort_keys=True)
    lake.write(_key(site, what["id"]), content.encode() + b"\n")


def _key(site: str, identity: str) -> str:
    return in_site(PREFIX, site, f"{identity}.json")
