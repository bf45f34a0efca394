"""Uploads that are too big for the function are refused before anything is fetched."""

import pytest

from energy_analytics.aws.capacity import Room, TooBigError, check_room, need_of

MB = 1_000_000
ROOM = Room(disk_bytes=2_000 * MB, seconds=890)


def check(*, mb: float, plain_mb: float | None = None, history_mb: float = 0, room: Room = ROOM) -> None:
    plain = mb if plain_mb is None else plain_mb
    need = need_of(size_bytes=int(mb * MB), plain_bytes=int(plain * MB), history_bytes=int(history_mb * MB))
    check_room(need, room, key="raw/plant/year.csv", lake_uri="s3://energy-analytics-1a2b3c4d")


def test_what_fits_is_let_through() -> None:
    check(mb=1_000)
    check(mb=100, plain_mb=1_000)
    check(mb=100, history_mb=150)


def test_a_file_too_big_for_the_disk_is_refused_with_what_to_do() -> None:
    with pytest.raises(TooBigError) as refused:
        check(mb=1_500)
    assert str(refused.value) == (
        "raw/plant/year.csv needs about 2,450 MB of disk, with the readings of its site, and the function has "
        "2,000 MB left. Split the file and upload its parts; or raise ephemeral_storage_mb in [aws] of energy.toml and "
        "run `energy deploy` again; or run it from a machine: energy run FILE --lake s3://energy-analytics-1a2b3c4d"
    )


def test_a_packed_file_counts_with_what_it_unpacks_to() -> None:
    with pytest.raises(TooBigError, match="MB of disk"):
        check(mb=150, plain_mb=1_300)


def test_the_readings_of_the_site_count() -> None:
    with pytest.raises(TooBigError, match="MB of disk"):
        check(mb=1, history_mb=250)


def test_a_file_too_big_for_the_time_is_refused() -> None:
    with pytest.raises(
        TooBigError, match=r"needs about 50\.0 s, .* has 20\.0 s left\. .* raise timeout_seconds or memory_mb"
    ):
        check(mb=1_000, room=Room(disk_bytes=10_000 * MB, seconds=20))
