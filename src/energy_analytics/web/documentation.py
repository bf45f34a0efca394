"""The API's description of itself (OpenAPI), with what every route has in common."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .. import __version__
from .access import Access
from .models import Problem
from .problems import MEDIA_TYPE

_DESCRIPTION: Final = (
    "Everything that the dashboard shows. Times without an offset are the site's wall time; answers bear offsets. "
    "Every answer to GET has an ETag, and 304 answers If-None-Match. Errors are problem details (RFC 9457)."
)
_WHY: Final = {
    "401": "The token is missing or wrong.",
    "403": "The request may not be made: another site's page made it, or the server is asked under another's name.",
    "404": "There is no such thing.",
    "405": "The address knows no such method.",
    "406": "It cannot be told in a form that the request accepts.",
    "409": "Something that the settings or the readings say stands in the way.",
    "413": "It is too large.",
    "422": "The request cannot be understood.",
    "500": "A fault of the program.",
    "503": "The lake cannot be read, or changed while it was read: ask again.",
}
_EVERYWHERE: Final = ("404", "422", "500", "503")
_FURTHER: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("/readings", "get"): ("406",),
    ("/bill", "get"): ("409",),
    ("/tariffs", "get"): ("409",),
    ("/tariffs", "post"): ("409", "413"),
    ("/what-if", "get"): ("409",),
    ("/uploads", "post"): ("409", "413"),
    ("/uploads/target", "get"): ("409",),
}


def describe(app: FastAPI, access: Access, *, prefix: str, max_upload_bytes: int) -> dict[str, Any]:
    """Return the description, made once."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    schema = get_openapi(title="Energy analytics", version=__version__, description=_DESCRIPTION, routes=app.routes)
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(problem.pop("$defs", {}))
    components["Problem"] = problem
    always = [*_EVERYWHERE, "403", *(["401"] if access.kind != "none" else [])]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(operation, [*always, *_FURTHER.get((path.removeprefix(prefix), method), ())], method)
    for parameter in schema["paths"][f"{prefix}/uploads/target"]["get"]["parameters"]:
        if parameter["name"] == "size_bytes":
            parameter["schema"]["maximum"] = max_upload_bytes
    if access.kind != "none":
        schema["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"bearer": []}]
    app.openapi_schema = schema
    return schema


def _complete(operation: dict[str, Any], statuses: list[str], method: str) -> None:
    responses = operation["responses"]
    for status in sorted(set(statuses)):
        responses[status] = {
            "description": _WHY[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if method == "get":
        tag = {"ETag": {"description": "For If-None-Match.", "schema": {"type": "string"}}}
        responses["200"].setdefault("headers", {}).update(tag)
        responses["304"] = {"description": "What the client has still holds.", "headers": tag}
