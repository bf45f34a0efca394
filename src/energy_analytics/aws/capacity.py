"""Whether the function has the disk and the time that an upload needs, told before it is fetched.

The figures were measured by running uploads of 120 to 390 MB (plain, and packed to 46 MB; 50 and 500 appliances;
faultless, with an odd row, odd in every row) with 256 and 1,024 MB for the engine on two cores, and looking at the
lake's folders every 50 ms. They are those of the careful reading, which a single odd row brings about. What needs
more all the same is stopped by the clock (`deadline`) or by the full disk, and told then.
"""

from dataclasses import dataclass
from typing import Final

from ..words import number

_MB: Final = 1_000_000
_DISK_PER_PLAIN_BYTE: Final = 1.6
"""The text itself and what the careful reading makes of it. Measured: 1.46 to 1.47."""
PLAIN_PER_PACKED_BYTE: Final = 8.0
"""Measured: 8.0 for readings by the minute."""
_DISK_PER_HISTORY_BYTE: Final = 10.0
"""The site's readings (Parquet) are fetched, and spilled when they are merged. Measured: 9.3 with 256 MB."""
_DISK_BYTES: Final = 50 * _MB
"""Results and curated tables."""
_PLAIN_BYTES_PER_SECOND: Final = 20 * _MB
"""Measured: 19 to 39 MB/s, the slowest from a packed file."""
_HISTORY_BYTES_PER_SECOND: Final = 2 * _MB
"""Measured: 2.0 to 3.7 MB/s for 10 million readings in 17 MB of Parquet."""


class TooBigError(Exception):
    """An upload needs more than the function has; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the function has left."""

    disk_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Need:
    """What a run takes."""

    disk_bytes: float
    seconds: float


def need_of(*, size_bytes: int, plain_bytes: int, history_bytes: int) -> Need:
    """Estimate what an upload of this size takes, at a site with so many bytes of readings.

    `plain_bytes` is its size unpacked; the packed file is on the disk as well.
    """
    packed = size_bytes if plain_bytes != size_bytes else 0
    return Need(
        disk_bytes=packed + _DISK_PER_PLAIN_BYTE * plain_bytes + _DISK_PER_HISTORY_BYTE * history_bytes + _DISK_BYTES,
        seconds=plain_bytes / _PLAIN_BYTES_PER_SECOND + history_bytes / _HISTORY_BYTES_PER_SECOND,
    )


def check_room(need: Need, room: Room, *, key: str, lake_uri: str) -> None:
    """Raise TooBigError when the function has less disk or time left than the upload needs."""
    if need.disk_bytes > room.disk_bytes:
        raise TooBigError(
            f"{key} needs about {_mb(need.disk_bytes)} MB of disk, with the readings of its site, and the function has "
            f"{_mb(room.disk_bytes)} MB left. {remedy('ephemeral_storage_mb', lake_uri)}"
        )
    if need.seconds > room.seconds:
        raise TooBigError(
            f"{key} needs about {number(need.seconds)} s, with the readings of its site, and the function "
            f"has {number(room.seconds)} s left. {remedy('timeout_seconds or memory_mb', lake_uri)}"
        )


def remedy(settings: str, lake_uri: str) -> str:
    """Say what helps when an upload is too big for the function."""
    return (
        f"Split the file and upload its parts; or raise {settings} in [aws] of energy.toml and run `energy deploy` "
        f"again; or run it from a machine: energy run FILE --lake {lake_uri}"
    )


def _mb(size: float) -> str:
    return number(size / _MB, decimals=0)
