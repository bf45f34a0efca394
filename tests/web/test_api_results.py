"""What the API tells of a site's results, against figures worked out by hand."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from commands import HEADER, drop, hourly_rows, run_key
from web.serving import Server


def test_sites_and_their_appliances(server: Server) -> None:
    sites = {site["site"]: site for site in server.get("/sites")["sites"]}
    assert {"autumn", "unusual", "corrected"} <= sites.keys()
    autumn = sites["autumn"]
    assert autumn["first"] == "2025-10-20T00:00:00+02:00"
    assert autumn["last"] == "2025-10-31T23:00:00+01:00"
    assert (autumn["timezone"], autumn["currency"], autumn["total_kwh"]) == ("Europe/Paris", "EUR", 433.5)
    assert [one["appliance"] for one in autumn["appliances"]] == ["Oven", "Fridge"]


def test_overview_of_a_period(server: Server) -> None:
    told = server.get("/overview?site=autumn&from=2025-10-26&to=2025-10-28")
    assert told["period"] == {"from": "2025-10-26", "to": "2025-10-28", "days": 2, "complete_days": 2}
    assert told["total"]["kwh"] == 73.5
    assert told["total"]["cost"] == pytest.approx(73.5 * 0.25)
    assert told["total"]["carbon_kg"] > 0
    assert [(one["appliance"], one["kwh"]) for one in told["appliances"]] == [("Oven", 49.0), ("Fridge", 24.5)]
    assert told["appliances"][0]["share_percent"] == pytest.approx(200 / 3)
    before = told["before"]
    assert (before["from"], before["to"], before["kwh"], before["compared_days"]) == (
        "2025-10-24",
        "2025-10-26",
        72.0,
        2,
    )
    assert before["change_percent"] == pytest.approx(100 * (73.5 / 72 - 1))
    assert told["year_ago"] is None
    assert told["peak"] == {"start": "2025-10-26T00:00:00+02:00", "kwh": 1.5}
    assert told["heatmap"]["kwh"][6] == [1.5] * 24  # Sunday
    assert told["heatmap"]["kwh"][3] == [None] * 24
    assert told["money"]["currency"] == "EUR"


def test_the_longest_period_has_none_before(server: Server) -> None:
    assert server.get("/overview?site=autumn&from=1000-01-01&to=2999-12-31")["before"] is None


def test_a_day_that_is_not_over_is_not_compared_as_if_it_were(server: Server) -> None:
    # Readings end with 31 October: of the four days asked for, two are there, and two of those before are compared.
    told = server.get("/overview?site=autumn&from=2025-10-30&to=2025-11-03")
    assert told["period"]["complete_days"] == 2
    assert (told["before"]["compared_days"], told["before"]["kwh"]) == (2, 4 * 36 + 1.5)
    assert told["before"]["change_percent"] == pytest.approx(100 * (36 / ((37.5 + 36) / 2) - 1))


def test_an_episode_beside_what_is_usual(server: Server) -> None:
    [episode, *_] = server.get("/episodes?site=unusual&sort=severity")["episodes"]
    assert (episode["appliance"], episode["start"][:10], episode["dismissed"]) == ("Pump", "2026-02-20", False)
    assert episode["cost"] == pytest.approx(episode["excess_kwh"] * 0.25)
    series = server.get(f"/episodes/{episode['id']}?site=unusual")["series"]
    of = dict(zip(series["timestamps"], zip(series["actual_kwh"], series["expected_kwh"], strict=True), strict=True))
    assert series["resolution"] == "hour"
    actual, expected = of["2026-02-21T12:00:00+01:00"]
    assert actual == 3.0
    assert expected == pytest.approx(0.2, abs=0.01)
    assert of["2026-02-19T12:00:00+01:00"][0] == pytest.approx(0.2)


def test_an_episode_is_dismissed_and_comes_back(server: Server) -> None:
    [episode, *_] = server.get("/episodes?site=unusual")["episodes"]
    at = f"/api/v1/episodes/{episode['id']}/dismissal?site=unusual"

    def ids(query: str = "") -> list[str]:
        return [one["id"] for one in server.get(f"/episodes?site=unusual{query}")["episodes"]]

    assert server.ask(at, "PUT").status == 204
    assert episode["id"] not in ids()
    assert episode["id"] in ids("&include_dismissed=true")
    assert server.ask(at, "DELETE").status == 204
    assert episode["id"] in ids()


def test_a_finding_is_dismissed_and_comes_back(server: Server) -> None:
    told = server.get("/findings?site=unusual")
    assert all(one["text"] for one in told["findings"])
    assert told["audit"]["written_by"] == "rules"
    assert all(one["text"] for one in told["audit"]["paragraphs"])
    identity = told["findings"][0]["id"]
    at = f"/api/v1/findings/{identity}/dismissal?site=unusual"
    assert server.ask(at, "PUT").status == 204
    assert identity not in [one["id"] for one in server.get("/findings?site=unusual")["findings"]]
    assert server.ask(at, "DELETE").status == 204
    assert identity in [one["id"] for one in server.get("/findings?site=unusual")["findings"]]


def test_forecast_of_seven_days(server: Server) -> None:
    told = server.get("/forecast?site=autumn")
    assert [day["day"] for day in told["days"]] == [f"2025-11-0{number}" for number in range(1, 8)]
    assert all(day["yhat_lower"] <= day["yhat"] <= day["yhat_upper"] for day in told["days"])
    assert told["model"] == "moving_average"
    assert told["assumption"]
    assert [(day["day"], day["kwh"]) for day in told["recent"]][-1] == ("2025-10-31", 36.0)
    by_appliance = sum(one["days"][0]["yhat"] for one in told["appliances"])
    assert by_appliance == pytest.approx(told["days"][0]["yhat"])


def test_a_bill_and_another_tariff(server: Server) -> None:
    bill = server.get("/bill?site=autumn&from=2025-10-20&to=2025-10-22")
    assert (bill["kwh"].rstrip("0").rstrip("."), bill["total"], bill["currency"]) == ("72", "18.00", "EUR")
    assert server.get("/tariffs?site=autumn")["tariffs"] == []
    toml = (
        b'name = "Half"\ncurrency = "EUR"\nsource = "a test"\n'
        b"[[version]]\nvalid_from = 2020-01-01\nprice_per_kwh = 0.125\n"
    )
    answer = server.ask("/api/v1/tariffs?site=autumn", "POST", toml)
    assert answer.status == 200, answer.body
    cheap, own = answer.json["tariffs"]
    assert (cheap["name"], own["is_current"], own["total"]) == ("Half", True, 108.38)
    assert cheap["saving_percent"] == pytest.approx(50, abs=0.01)
    wrong = server.ask("/api/v1/tariffs?site=autumn", "POST", b"name = ")
    assert (wrong.status, wrong.headers["content-type"]) == (422, "application/problem+json")
    assert "is not valid TOML" in wrong.json["detail"]
    assert server.ask("/api/v1/tariffs?site=autumn", "POST", b"#" * 70_000).status == 413
    assert server.ask("/api/v1/bill?site=autumn&from=2020-01-01&to=2020-01-02").status == 404


def test_moving_under_one_price_saves_nothing_and_says_why(server: Server) -> None:
    told = server.get("/what-if?site=unusual&appliance=Pump&from_hour=22&to_hour=6")
    assert told["saving"] == 0
    assert "Every hour costs the same" in told["note"]
    assert len(told["kwh_by_hour_moved"]) == 24


@pytest.mark.parametrize(
    ("table", "rows"),
    [("readings", 578), ("hourly", 578), ("daily", 24), ("processed", 2), ("forecast", 7), ("appliance_forecast", 14)],
)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_everything_can_be_taken_away(server: Server, tmp_path: Path, table: str, rows: int, form: str) -> None:
    answer = server.ask(f"/api/v1/tables/{table}?site=autumn&format={form}")
    (tmp_path / f"own.{form}").write_bytes(answer.body)
    assert f'filename="autumn-{table}.{form}"' in answer.headers["content-disposition"]
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/own.{form}'").fetchall() == [(rows,)]


def test_runs_and_reports(server: Server) -> None:
    page = server.get("/runs?site=corrected&limit=1")
    [newest] = page["runs"]
    assert (newest["key"], newest["rows_accepted"]) == ("raw/corrected/b.csv", 1)
    [older] = server.get(f"/runs?site=corrected&limit=1&cursor={page['next_cursor']}")["runs"]
    assert older["key"] == "raw/corrected/a.csv"
    assert server.get(f"/runs/{older['stamp']}?site=corrected")["results"]["total_kwh"] == 47.0
    report = server.ask("/api/v1/report?site=corrected")
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src" not in report.headers["content-security-policy"]
    assert b"Oven" in report.body
    assert b"Oven" in server.ask(f"/api/v1/report?site=corrected&format=text&stamp={older['stamp']}").body


@pytest.mark.slow
def test_an_upload_that_could_not_be_run_is_run_when_it_can_be(own_server: Callable[..., Server]) -> None:
    """As when a disk was full for a while: here a file is in the place of a folder."""
    server = own_server()
    in_the_way = server.lake / "curated"
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("")
    rows = (HEADER + hourly_rows("2026-01-01", hours=48)).encode()
    answer = server.ask("/api/v1/uploads?site=&name=a.csv", "POST", rows)
    assert answer.status == 202, answer.body
    server.until(lambda: server.said.count("raw/a.csv was not run") == 2)  # as handed over, and as found
    in_the_way.unlink()
    server.until(lambda: server.ask(answer.headers["location"]).json["state"] == "succeeded")


@pytest.mark.parametrize("framing", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
def test_an_upload_whose_connection_is_cut_leaves_nothing(own_server: Callable[..., Server], framing: str) -> None:
    server = own_server()
    rows = (HEADER + hourly_rows("2026-01-01", hours=48)).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST /api/v1/uploads?site=&name=a.csv HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{framing}\r\n\r\n"
        chunk = rows if "Length" in framing else b"%x\r\n%s\r\n" % (len(rows), rows)
        connection.sendall(head.encode() + chunk)
        work = server.lake / ".work"
        server.until(lambda: work.is_dir() and any(work.iterdir()))
    server.until(lambda: not any(work.iterdir()))
    assert not (server.lake / "raw").exists() or not any((server.lake / "raw").rglob("*.csv"))
    assert "Traceback" not in server.said
    assert server.upload("", "a.csv", rows)["state"] == "succeeded"


@pytest.mark.tampered("one of the two is changed by hand")
@pytest.mark.parametrize(
    "change",
    [{"appliances": [-1]}, {"total_kwh": "much"}, {"first": None}, {"appliances": None}, {"findings": [{}]}],
)
def test_a_record_that_somebody_has_changed_counts_for_nothing_and_its_upload_is_run_again(
    own_server: Callable[..., Server], tmp_path: Path, change: dict[str, object]
) -> None:
    lake = tmp_path / "lake"
    for site in ("changed", "sound"):
        run_key(lake, drop(lake, f"raw/{site}/a.csv", hourly_rows("2026-01-01", hours=48)))
    [record] = (lake / "runs" / "changed").glob("run_*.json")
    manifest = json.loads(record.read_text("utf-8"))
    record.write_text(json.dumps(manifest | {"results": manifest["results"] | change}) + "\n")
    server = own_server()
    changed, sound = server.get("/sites")["sites"]
    assert changed["newest_run"] is None or changed["total_kwh"] == 48.0
    assert (sound["site"], sound["total_kwh"]) == ("sound", 48.0)
    server.until(lambda: server.get("/state?site=changed")["newest_run"] is not None)
    assert server.get("/overview?site=changed")["total"]["kwh"] == 48.0
    assert json.loads(record.read_text("utf-8")) == manifest
