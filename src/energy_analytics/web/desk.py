"""What every route needs: the sites, the engine, and what has been worked out of them already."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from anyio import CapacityLimiter
from fastapi import Depends, Query, Request

from ..lake import Lake
from ..settings import Settings
from .events import Live
from .grids import Grids
from .reading import Engine
from .readings import RawReadings
from .sites import Site, Sites
from .times import MOMENT
from .worker import Worker

UploadWay = Literal["direct", "presigned"]
LiveWay = Literal["events", "polling"]

_MOST_DELIVERIES: Final = 2
UPLOAD_LIMIT_BYTES: Final = 1 << 30

NAME_CHARACTER: Final = r"[ -.0-\[\]-~" + "\u00a1-\ud7ff]"
"""No slash of either kind, no control character, and none that takes more than three bytes."""
_FIRST_CHARACTER: Final = r"[!-\-0-\[\]-\^`-~" + "\u00a1-\ud7ff]"
_SITE_PART: Final = f"{_FIRST_CHARACTER}{NAME_CHARACTER}{{0,59}}"
NEW_SITE: Final = f"^(?:{_SITE_PART}(?:/{_SITE_PART})*)?$"
"""Folders that a disk and a bucket can hold."""


@dataclass(slots=True)
class Desk:
    """One application's things."""

    lake: Lake
    settings: Settings
    sites: Sites
    engine: Engine
    grids: Grids
    raw: RawReadings
    uploads: UploadWay
    live: Live | None
    max_upload_bytes: int
    worker: Worker | None = field(default=None)
    arriving: int = 0
    """Files that are coming in now."""
    delivering: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_MOST_DELIVERIES))

    @classmethod
    def over(
        cls, lake: Lake, settings: Settings, *, uploads: UploadWay, live: LiveWay, max_upload_bytes: int
    ) -> "Desk":
        """Set it up over a lake."""
        from .uploads import live_state

        sites, engine = Sites(lake, settings), Engine(lake, settings)
        return cls(
            lake, settings, sites, engine, Grids(engine), RawReadings(engine), uploads,
            Live(lambda: live_state(sites)) if live == "events" else None, max_upload_bytes,
        )  # fmt: skip


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(_desk)]

SiteName = Annotated[
    str, Query(alias="site", max_length=300, description="The site: the folder under raw/. Empty for the root site.")
]
_WHEN: Final = (
    "A day or a time, ISO 8601. Without an offset it is the site's wall time, with one an instant (write + as %2B)."
)
Since = Annotated[
    str | None, Query(alias="from", pattern=MOMENT, description=f"{_WHEN} Inclusive; from the first reading if absent.")
]
Until = Annotated[
    str | None, Query(alias="to", pattern=MOMENT, description=f"{_WHEN} Exclusive; to the last reading if absent.")
]


def _site(desk: AtDesk, site: SiteName = "") -> Site:
    return desk.sites.site(site)


AtSite = Annotated[Site, Depends(_site)]
"""The site that a request names; there is one."""

Answer = dict[str, Any]
"""What a route returns, checked against its model when it is sent."""
