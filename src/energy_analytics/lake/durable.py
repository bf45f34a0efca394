"""Files that survive a loss of power: their content, their names, and the folders that hold them.

A rename is on the disk when its folder has been synced; the content must be there before. Decision 18.
"""

import os
from contextlib import suppress
from pathlib import Path


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the disk knows how to."""
    with suppress(FileNotFoundError):  # It was empty, and removed by another.
        file = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):
                os.fsync(file)
        finally:
            os.close(file)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and wait until they are on the disk."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync_folder(one.parent)
