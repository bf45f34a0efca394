"""What energy costs: bills, other tariffs, and other hours."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from ... import billing
from ...lake import LakeError
from ...money import Shifting, parse_tariff, plain
from ...tariff import TariffError
from .. import models
from ..desk import Answer, AtDesk, AtSite, Desk, Since, Until
from ..problems import ProblemError
from ..series import appliances_of
from ..sites import Site
from ..times import range_of

router = APIRouter(tags=["money"])

_LARGEST_TARIFF_BYTES: Final = 64 << 10
Hour = Annotated[int, Query(ge=0, le=23)]


@router.get("/bill", response_model=models.Bill)
def bill(desk: AtDesk, site: AtSite, since: Since = None, until: Until = None) -> Answer:
    """Bill local days line by line; by default the newest twelve calendar months. Amounts are exact, as strings."""
    days = desk.grids.days(site).days
    start, end = range_of(since, until, site.zone).days(days[0], days[-1])
    last = end - timedelta(days=1)
    if end <= start or start > days[-1] or last < days[0]:
        raise ProblemError(404, f"There are no readings of {site.title} to bill in those days.")
    made = _told(
        lambda: billing.bill_site(
            desk.lake, site.name, desk.settings,
            first=None if since is None else start, last=None if until is None else last,
        )
    )  # fmt: skip
    return dict(plain(made))


@router.get("/tariffs", response_model=models.Tariffs)
def tariffs(desk: AtDesk, site: AtSite) -> Answer:
    """Put the newest year of the site under each tariff that the settings name."""
    _ = site.newest
    current = _told(lambda: billing.tariff_of(desk.settings, site.name))
    if not site.settings.compare_tariffs:
        return {"current": current.name, "currency": current.currency, "start": None, "end": None, "tariffs": []}
    return _comparison(_told(lambda: billing.compare_site(desk.lake, site.name, [], desk.settings)))


@router.post(
    "/tariffs",
    response_model=models.Tariffs,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/plain": {"schema": {"type": "string", "minLength": 1, "maxLength": 65536}}},
        }
    },
)
async def compare_tariff(request: Request, desk: AtDesk, site: AtSite) -> Answer:
    """Put the newest year of the site under a tariff of yours (TOML, at most 64 KB); nothing of it is kept."""
    from anyio.to_thread import run_sync

    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _LARGEST_TARIFF_BYTES:
            raise ProblemError(413, "A tariff file has at most 64 kB.")
    return await run_sync(lambda: _compared(desk, site, bytes(content)))


@router.get("/what-if", response_model=models.WhatIf)
def what_if(
    desk: AtDesk,
    site: AtSite,
    appliance: Annotated[str, Query(max_length=300)],
    from_hour: Annotated[Hour, Query(description="Hour of the day from which it may run.")],
    to_hour: Annotated[
        int, Query(ge=0, le=24, description="Hour before which it must have run; the same hour is the whole day.")
    ],
) -> Answer:
    """Move an appliance to the cheapest of some hours of each day, and say what that would have saved."""
    [name] = appliances_of(site, [appliance])
    hours = (from_hour, to_hour) if from_hour != to_hour else (0, 24)
    found = _told(lambda: billing.move_site(desk.lake, site.name, desk.settings, appliance=name, hours=hours))
    by_the_hour = _told(lambda: billing.tariff_of(desk.settings, site.name)).by_the_hour
    about = {"appliance": name, "from_hour": from_hour, "to_hour": to_hour}
    return {**about, **_shifting(found, by_the_hour=by_the_hour)}


def _shifting(found: Shifting, *, by_the_hour: bool) -> dict[str, Any]:
    moved = found.moved[0] if found.moved else None
    note = None
    if not found.saving:
        note = (
            "It runs at the cheapest of these hours already, or they cost no less than those in which it runs."
            if by_the_hour
            else "Every hour costs the same under this tariff, so moving it saves nothing."
        )
    return {
        "currency": found.currency,
        "start": found.start,
        "end": found.end,
        "days": found.days,
        "cost_as_read": float(moved.cost_as_read) if moved else 0.0,
        "cost_moved": float(moved.cost_moved) if moved else 0.0,
        "saving": float(found.saving),
        "saving_per_year": found.saving_per_year,
        "kwh_by_hour_as_read": list(moved.kwh_by_hour_as_read) if moved else [0.0] * 24,
        "kwh_by_hour_moved": list(moved.kwh_by_hour_moved) if moved else [0.0] * 24,
        "proved": found.proved,
        "note": note,
    }


def _compared(desk: Desk, site: Site, content: bytes) -> dict[str, Any]:
    _ = site.newest
    try:
        tariff = parse_tariff(content.decode("utf-8-sig"), origin="that was sent")
    except UnicodeDecodeError as error:
        raise ProblemError(422, "The tariff is not text in UTF-8.") from error
    except TariffError as error:
        raise ProblemError(422, str(error)) from error
    try:
        return _comparison(billing.compare_site(desk.lake, site.name, [], desk.settings, further=[tariff]))
    except TariffError as error:
        raise ProblemError(422, str(error)) from error


def _comparison(found: tuple[str, Any]) -> dict[str, Any]:
    current, compared = found
    bill_ = compared[0].bill
    named = False
    rows = []
    for one in compared:
        is_current = not named and one.bill.tariff == current and one.saving == Decimal(0)
        named = named or is_current
        rows.append(
            {
                "name": one.bill.tariff,
                "source": one.bill.source,
                "is_current": is_current,
                "total": float(one.bill.total),
                "saving": float(one.saving),
                "saving_percent": one.saving_percent,
            }
        )
    return {
        "current": current, "currency": bill_.currency, "start": bill_.start, "end": bill_.end, "tariffs": rows,
    }  # fmt: skip


def _told(ask: Any) -> Any:
    """Ask for money; what the settings or the readings stand in the way of is a conflict that a person can mend."""
    try:
        return ask()
    except (LakeError, TariffError) as error:
        raise ProblemError(409, str(error)) from error
