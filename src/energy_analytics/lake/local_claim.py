"""A claim of a folder of a lake that is a folder: a locked file.

The system gives the lock back when its process ends, however that ends. A process that is stopped keeps its lock,
and shows no life: the file's time is when it last did, by the clock of the disk.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from .workplace import is_at


@dataclass(frozen=True, slots=True)
class LocalClaim:
    """A locked file."""

    path: Path
    file: int
    """Its descriptor."""

    def renew(self) -> bool:
        """Show life; tell whether the claim still holds."""
        os.utime(self.file)
        return is_at(self.path, self.file)

    def release(self) -> None:
        """Give it up."""
        if is_at(self.path, self.file):
            self.path.unlink(missing_ok=True)
        os.close(self.file)


def claim_file(path: Path, *, seconds: float, now: float) -> LocalClaim | None:
    """Lock a file, unless another process has it locked and has touched it within so many seconds of `now`.

    On a disk that knows no locks everyone gets it: that costs work done twice, and nothing else.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if now - os.fstat(file).st_mtime > seconds and is_at(path, file):
            path.unlink(missing_ok=True)  # It goes to whoever makes the file next.
        os.close(file)
        return None
    except OSError:
        pass
    claim = LocalClaim(path, file)
    if claim.renew():
        return claim
    os.close(file)  # It was released between the opening and the locking.
    return None
