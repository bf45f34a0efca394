"""What a user does not want to be told again: one small object for each finding, below `curated/dismissed/`.

A dismissal is a user's word and no result, so it is not part of a run's record: it changes the next report of the
site, and no report that is there. It lies under `curated/` because the function's role may read that prefix, and in
a folder of its own because no table covers it. The name of the object is all that counts; its content tells a
person who finds it what it is.
"""

import json
from pathlib import PurePosixPath
from typing import Final

from .lake import Lake
from .results import Finding
from .schema import CURATED
from .uploads import in_site

PREFIX: Final = f"{CURATED}/dismissed"


def dismissed(lake: Lake, site: str) -> frozenset[str]:
    """Return the ids of a site's findings that are not to be told."""
    stored = lake.list(in_site(PREFIX, site, ""), below=False)
    return frozenset(PurePosixPath(one.key).stem for one in stored if is_dismissal(one.key))


def dismiss(lake: Lake, site: str, finding: Finding) -> None:
    """Keep a finding out of the site's later reports."""
    what = {"id": finding.id, "kind": finding.kind, "appliance": finding.appliance, "about": finding.about}
    content = json.dumps(what, ensure_ascii=False, sort_keys=True)
    lake.write(_key(site, finding.id), content.encode() + b"\n")


def restore(lake: Lake, site: str, identity: str) -> None:
    """Let a finding be told again."""
    lake.delete(_key(site, identity))


def is_dismissal(key: str) -> bool:
    """Tell whether a key is one of ours."""
    return key.startswith(f"{PREFIX}/") and key.endswith(".json")


def _key(site: str, identity: str) -> str:
    return in_site(PREFIX, site, f"{identity}.json")
