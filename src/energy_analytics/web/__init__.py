"""The dashboard and its API: one application for the laptop and for AWS, over the results in a lake."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .access import Access
    from .app import create_app

__all__ = ["Access", "create_app"]

_PUBLIC: Final = {"Access": "access", "create_app": "app"}


def __getattr__(name: str) -> Any:
    """Load the application when it is first used: the process that runs uploads is of this package and needs none."""
    if name in _PUBLIC:
        return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
