"""Folders for work: gone when the process that works there is, however it ends.

Who works in one holds a lock on it, which the system gives back when the process ends. So one without a lock was left
by a process that was killed, and whoever works beside it next removes it. Where a disk knows no locks, it stays.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

_STRANGERS_SECONDS: Final = 86_400.0
"""What a process of another machine has is left alone so long: some disks tell a machine of its own locks alone."""
_HOST_CHARACTERS: Final = 8
CLAIM_PREFIX: Final = "claim-"
"""Of a file that is locked by who holds a claim."""


class Workplace:
    """A folder of its own in `parent`, beside which what was left under the same prefix is removed."""

    def __init__(self, parent: Path, *, prefix: str = "") -> None:
        _remove_left(parent, prefix)
        self.folder, self._lock = _make(parent, f"{prefix}{_host()}-")

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _make(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        with suppress(FileNotFoundError):  # Another took it for one that was left, before it had its lock.
            file = os.open(folder, os.O_RDONLY)
            if _is_locked_by(file) is not False and is_at(folder, file):
                return folder, file
            os.close(file)


def _remove_left(parent: Path, prefix: str) -> None:
    with os.scandir(parent) as found:
        paths = [Path(one.path) for one in found if one.name.startswith(prefix)]
    for path in paths:
        is_claim = path.name.startswith(CLAIM_PREFIX)
        own = is_claim or path.name.startswith(f"{prefix}{_host()}-")
        with suppress(OSError):  # It has gone, or it is not for us to look at.
            if not own and time.time() - path.stat().st_mtime < _STRANGERS_SECONDS:
                continue
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if _is_locked_by(file):
                    path.unlink() if is_claim else shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(file)


def _is_locked_by(file: int) -> bool | None:
    """Lock an open folder, and tell whether it was free; None where the disk knows no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@cache
def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:_HOST_CHARACTERS]


def is_at(path: Path, file: int) -> bool:
    """Tell whether the open file or folder is the one that lies there."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(file))
    return False
