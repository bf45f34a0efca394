"""Events: what changes, as it changes."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from ..desk import AtDesk
from ..problems import ProblemError

router = APIRouter(tags=["sites"])


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `state` with the version of each site and the state of each upload.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def events(desk: AtDesk) -> StreamingResponse:
    """Tell what is new as it comes; where there are no events, ask /state."""
    if desk.live is None:
        raise ProblemError(404, "There are no events here: ask /api/v1/state now and then.")
    if desk.live.is_full:
        raise ProblemError(503, "Too many listen already: ask /api/v1/state now and then.")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(desk.live.stream(), media_type="text/event-stream", headers=headers)
