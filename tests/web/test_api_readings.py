"""What the API tells of readings, against sums worked out by hand."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from commands import drop, run_key
from web.serving import Server, serving

AUTUMN = "/readings?site=autumn"


def test_a_day_of_25_hours_has_the_repeated_hour_twice(server: Server) -> None:
    told = server.get(f"{AUTUMN}&from=2025-10-26&to=2025-10-27&appliance=Oven")
    assert told["timezone"] == "Europe/Paris"
    assert len(told["timestamps"]) == 25
    assert told["timestamps"][1:5] == [
        "2025-10-26T01:00:00+02:00",
        "2025-10-26T02:00:00+02:00",
        "2025-10-26T02:00:00+01:00",
        "2025-10-26T03:00:00+01:00",
    ]
    assert told["series"] == [{"appliance": "Oven", "kwh": [1.0] * 25}]


@pytest.mark.parametrize("resolution", ["raw", "hour"])
def test_a_time_without_offset_is_the_sites_and_one_with_offset_an_instant(server: Server, resolution: str) -> None:
    at = f"{AUTUMN}&appliance=Oven&resolution={resolution}"
    wall = server.get(f"{at}&from=2025-10-21T12:00&to=2025-10-21T14:00")
    assert wall["timestamps"] == ["2025-10-21T12:00:00+02:00", "2025-10-21T13:00:00+02:00"]
    instant = server.get(f"{at}&from=2025-10-21T12:00Z&to=2025-10-21T13:30%2B00:00")
    assert instant["timestamps"] == ["2025-10-21T14:00:00+02:00", "2025-10-21T15:00:00+02:00"]


@pytest.mark.parametrize(
    ("resolution", "timestamps", "oven"),
    [
        ("day", ["2025-10-25T00:00:00+02:00", "2025-10-26T00:00:00+02:00", "2025-10-27T00:00:00+01:00"], [24, 25, 24]),
        ("week", ["2025-10-20T00:00:00+02:00", "2025-10-27T00:00:00+01:00"], [49, 24]),
        ("month", ["2025-10-01T00:00:00+02:00"], [73]),
    ],
)
def test_coarser_resolutions_add_the_days_of_the_range_up(
    server: Server, resolution: str, timestamps: list[str], oven: list[float]
) -> None:
    told = server.get(f"{AUTUMN}&from=2025-10-25&to=2025-10-28&appliance=Oven&resolution={resolution}")
    assert told["timestamps"] == timestamps
    assert told["series"][0]["kwh"] == oven


@pytest.mark.parametrize("resolution", ["raw", "hour", "day"])
def test_pages_join_without_a_seam(server: Server, resolution: str) -> None:
    whole = server.get(f"{AUTUMN}&resolution={resolution}&from=2025-10-24&to=2025-10-29")
    path, timestamps, kwh = f"{AUTUMN}&resolution={resolution}&from=2025-10-24&to=2025-10-29&limit=3", [], []
    cursor = ""
    while True:
        page = server.get(path + cursor)
        timestamps += page["timestamps"]
        kwh += page["series"][0]["kwh"]
        if page["next_cursor"] is None:
            break
        assert len(page["timestamps"]) == 3
        cursor = f"&cursor={page['next_cursor']}"
    assert timestamps == whole["timestamps"]
    assert kwh == whole["series"][0]["kwh"]


def test_the_next_page_is_linked(server: Server) -> None:
    answer = server.ask(f"/api/v1{AUTUMN}&limit=1")
    address = answer.headers["link"].partition("<")[2].partition(">")[0]
    assert server.ask(address).json["timestamps"] == ["2025-10-20T01:00:00+02:00"]


def test_csv_has_a_row_a_reading(server: Server) -> None:
    asked = f"/api/v1{AUTUMN}&from=2025-10-26T02:00&to=2025-10-26T03:00"
    answer = server.ask(asked, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.body.decode()))) == [
        ["timestamp", "appliance", "kwh"],
        ["2025-10-26T02:00:00+02:00", "Oven", "1.0"],
        ["2025-10-26T02:00:00+02:00", "Fridge", "0.5"],
        ["2025-10-26T02:00:00+01:00", "Oven", "1.0"],
        ["2025-10-26T02:00:00+01:00", "Fridge", "0.5"],
    ]


def test_parquet_has_instants(server: Server, tmp_path: Path) -> None:
    asked = f"/api/v1{AUTUMN}&from=2025-10-26T02:00&to=2025-10-26T03:00&appliance=Oven&format=parquet"
    (tmp_path / "own.parquet").write_bytes(server.ask(asked).body)
    rows = duckdb.sql(f"SELECT epoch(timestamp), appliance, kwh FROM '{tmp_path}/own.parquet'").fetchall()
    assert rows == [(1761436800.0, "Oven", 1.0), (1761440400.0, "Oven", 1.0)]


def test_what_is_not_accepted_is_not_sent(server: Server) -> None:
    answer = server.ask(f"/api/v1{AUTUMN}", headers={"Accept": "image/png"})
    assert (answer.status, answer.headers["content-type"]) == (406, "application/problem+json")


def test_the_later_upload_counts(server: Server) -> None:
    for resolution in ("raw", "hour"):
        told = server.get(f"/readings?site=corrected&resolution={resolution}&from=2026-01-01T04:00&to=2026-01-01T07:00")
        assert told["series"] == [{"appliance": "Oven", "kwh": [1.0, 7.0, 1.0]}]


def test_an_interval_without_a_reading_is_a_gap_and_is_null(server: Server) -> None:
    told = server.get("/coverage?site=corrected")
    assert told["gaps"] == [
        {
            "appliance": "Oven",
            "start": "2026-01-02T10:00:00+01:00",
            "end": "2026-01-02T11:00:00+01:00",
            "missing_intervals": 1,
        }
    ]
    assert [day["complete"] for day in told["days"]] == [True, True]
    assert told["days"][1]["coverage"] == pytest.approx(23 / 24)


def test_aggregates(server: Server) -> None:
    oven, fridge = server.get("/aggregates?site=autumn")["rows"]
    assert (oven["appliance"], oven["total_kwh"], oven["count"], oven["avg_kwh"]) == ("Oven", 289.0, 289, 1.0)
    assert (fridge["total_kwh"], fridge["std_kwh"]) == (144.5, 0.0)
    assert oven["share_percent"] == pytest.approx(200 / 3)
    assert oven["cost"] == pytest.approx(289 * 0.25)
    weekdays = server.get("/aggregates?site=autumn&by=weekday&appliance=Oven")["rows"]
    assert [row["mean_kwh_per_day"] for row in weekdays] == [24, 24, 24, 24, 24, 24, 25]
    months = server.get("/aggregates?site=autumn&by=month&to=2025-10-22")["rows"]
    assert [(row["month"], row["kwh"]) for row in months] == [("2025-10", 72.0)]
    hours = server.get("/aggregates?site=autumn&by=hour")["rows"]
    assert [row["mean_kwh"] for row in hours] == [1.5] * 24


def test_what_one_has_already_is_not_sent_again(server: Server) -> None:
    first = server.ask(f"/api/v1{AUTUMN}")
    again = server.ask(f"/api/v1{AUTUMN}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert server.ask(f"/api/v1{AUTUMN}&limit=5").headers["etag"] != first.headers["etag"]


def test_answers_are_packed_for_who_wants_it(server: Server) -> None:
    plain, packed = (
        server.ask(f"/api/v1{AUTUMN}", headers=headers) for headers in ({}, {"Accept-Encoding": "gzip, br"})
    )
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 4


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site of 6,000 meters, each read once on a day of its own: 200 kB that fill a table of 36 million cells."""
    lake = tmp_path_factory.mktemp("scattered") / "lake"
    days = [datetime(2000, 1, 1) + timedelta(days=number, hours=number % 3) for number in range(6000)]
    rows = "".join(f"{day},meter {number:04},{1 + number % 3}\n" for number, day in enumerate(days))
    run_key(lake, drop(lake, "raw/rows.csv", rows))
    with serving(lake) as served:
        yield served


@pytest.mark.parametrize("resolution", ["hour", "raw"])
def test_a_page_of_a_site_too_large_to_be_kept_is_read_from_its_files(scattered: Server, resolution: str) -> None:
    told = scattered.get(f"/readings?resolution={resolution}&limit=2&appliance=meter%200000&appliance=meter%200001")
    assert told["timestamps"] == ["2000-01-01T00:00:00+00:00", "2000-01-02T01:00:00+00:00"]
    assert [one["kwh"] for one in told["series"]] == [[1.0, None], [None, 2.0]]
    everything = scattered.get(f"/readings?resolution={resolution}&limit=2")
    assert everything["timestamps"] == told["timestamps"]
    assert len(everything["series"]) == 6000


def test_what_is_added_up_of_a_site_too_large_to_be_kept(scattered: Server) -> None:
    rows = scattered.get("/aggregates?by=hour")["rows"]
    assert [row["mean_kwh"] for row in rows] == [1.0, 2.0, 3.0] + [None] * 21


def test_a_table_that_would_fill_the_memory_is_not_made(scattered: Server) -> None:
    for path in ("overview", "coverage", "readings?resolution=day", "aggregates?by=month", "forecast", "bill"):
        answer = scattered.ask(f"/api/v1/{path}")
        assert answer.status == 422, path
        assert answer.json["detail"].startswith("There are 6,000 appliances on 6,000 days in the root site, more than")
    scattered.get("/readings?resolution=raw&limit=2")
    status = Path(f"/proc/{scattered.process.pid}/status").read_text("utf-8")
    assert int(status.partition("VmHWM:")[2].split()[0]) / 1024 < 400
