"""The API's routes, a module a noun."""

from typing import Final

from fastapi import APIRouter

from . import downloads, episodes, findings, forecast, live, money, overview, readings, runs, sites, uploads

ROUTERS: Final[tuple[APIRouter, ...]] = tuple(
    module.router
    for module in (sites, overview, readings, episodes, forecast, findings, money, runs, uploads, downloads, live)
)
