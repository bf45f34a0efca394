"""The fast reading, the careful one and a plain reading in Python take the same rows from a faultless file."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_reading import read

START = datetime.fromisoformat("2026-02-20T00:00:00")
BAD = "oops"

names = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('\n",;|=\t'), min_size=1, max_size=12
).map(lambda name: name.strip(" \t\r\n\u00a0"))
rows = st.lists(
    st.tuples(st.integers(0, 5000), names.filter(bool), st.floats(0, 900, allow_nan=False)),
    min_size=1,
    max_size=25,
    unique_by=lambda row: (row[0], row[1]),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    rows=rows,
    delimiter=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    shape=st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_all_readings_agree(
    rows: list[tuple[int, str, float]], delimiter: str, newline: str, shape: str, quoting: int
) -> None:
    def written(*, with_bad_row: bool) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type]
        writer.writerow(["timestamp", "appliance", "kwh"])
        writer.writerows([(START + timedelta(minutes=minute)).strftime(shape), name, kwh] for minute, name, kwh in rows)
        if with_bad_row:
            writer.writerow([BAD, BAD, BAD])
        return text.getvalue().encode()

    plain = sorted((str(START + timedelta(minutes=minute)), name, kwh) for minute, name, kwh in rows)
    with TemporaryDirectory() as folder:
        fast = read(Path(folder) / "fast", written(with_bad_row=False))
        careful = read(Path(folder) / "careful", written(with_bad_row=True))
    assert fast.rejected == []
    assert sorted(fast.accepted) == plain
    assert sorted(careful.accepted) == plain
    content = written(with_bad_row=True).decode().replace("\r\n", "\n")
    assert careful.reasons == [(content.count("\n"), "unreadable timestamp")]
