"""Where the files lie that a deployment is made of and that are no Python modules of this package."""

from pathlib import Path
from typing import Final

_IN_A_WHEEL: Final = Path(__file__).parent / "files"
"""The wheel carries them here, under the names that they have in the repository."""
_IN_A_CHECKOUT: Final = Path(__file__).resolve().parents[3]


class MissingSourceError(Exception):
    """A file that a deployment is made of is not where it belongs."""


def source_file(name: str) -> Path:
    """Return where `name`, such as `infrastructure/template.yaml`, lies in this installation.

    Raises MissingSourceError when it is there neither in a checkout nor in an installed wheel.
    """
    for folder in (_IN_A_WHEEL, _IN_A_CHECKOUT):
        if (folder / name).is_file():
            return folder / name
    raise MissingSourceError(
        f"{name} is missing from this installation of energy-analytics-system; install it again, "
        "or run the command from a checkout."
    )
