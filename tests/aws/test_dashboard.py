"""The web dashboard as it is deployed: signed in to, asked, uploaded to, and removed.

The application runs from its own zip and layer under the real runtime client, behind the emulator's HTTP API; tokens
come from the hosted login of the emulated pool. What the authorizer refuses is tried in `test_dashboard_deploy`.
"""

import base64
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from acting import as_role, may
from deploying import account
from emulator import ACCOUNT, REGION, Emulator
from real_deployment import Deployment, deploy, eventually, lead
from visiting import PASSWORD, Answer, Visitor, add_user, request, sign_in

from energy_analytics.aws.deployment import Names
from energy_analytics.aws.inventory import inventory

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.slow]

EMAIL = "grace@example.org"
SMALL = b"timestamp,appliance,kwh\n2026-04-01 00:00:00,Oven,0.5\n2026-04-01 01:00:00,Oven,0.7\nno,Oven,1\n"


@dataclass
class Web:
    """The deployment, what the account held before it, and somebody who has signed in."""

    owner: Deployment
    visitor: Visitor
    token: str
    before: dict[str, list[str]]

    def api(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        return self.visitor.ask(method, f"/api/v1{path}", self.token, body, **headers)

    def told(self, path: str) -> Any:
        answer = self.api(path)
        assert answer.status == 200, answer.body
        return answer.json()


@pytest.fixture(scope="module")
def web(cloud: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with pytest.MonkeyPatch.context() as patch:
        lead(cloud, patch)
        before = account(cloud)
        owner = deploy(cloud, tmp_path_factory.mktemp("web"), stack="web", options=("--with-dashboard",))
        owner.done("generate", "--days", "30", "--end", "2026-03-31")
        owner.done("upload", "data/output/energy_data.csv", "--site", "home", "--wait")
        visitor = Visitor(cloud, owner.outputs["DashboardUrl"])
        client_id = visitor.get("/config.json").json()["cognito"]["client_id"]
        temporary = add_user(cloud, owner.outputs["UserPoolId"], EMAIL)
        tokens = sign_in(cloud, client_id, visitor.url, email=EMAIL, password=temporary, new=PASSWORD)
        yield Web(owner, visitor, tokens["access_token"], before)


def test_the_shell_and_what_it_loads_need_no_token(web: Web) -> None:
    shell = web.visitor.get("/appliances/Refrigerator?site=home")
    assert shell.status == 200
    assert shell.headers["content-type"].startswith("text/html")
    policy = shell.headers["content-security-policy"]
    assert web.owner.outputs["UserPoolId"]
    login = web.visitor.get("/config.json").json()["cognito"]["domain"]
    assert login == f"https://{web.owner.lake.bucket}.auth.{REGION}.amazoncognito.com"
    assert f" {login} " in policy.replace(";", " ;")
    needed = re.findall(r'(?:href|src)="(/static/[^"]+)"', shell.body.decode())
    assert any(path.endswith("/all.js") for path in needed)
    assert {web.visitor.get(path).status for path in needed} == {200}
    script = web.visitor.get("/static/plotly.min.js")
    library = web.visitor.get(script.headers["location"])
    assert (script.status, library.status) == (307, 200)
    assert "plotly" in library.body[:2000].decode().lower()


def test_data_needs_a_token(web: Web) -> None:
    for path in ("/sites", "/overview?site=home", "/openapi.json"):
        assert web.visitor.get(f"/api/v1{path}").status == 401
        assert web.visitor.get(f"/api/v1{path}", f"{web.token[:-4]}AAAA").status == 401
        assert web.told(path)
    assert web.visitor.get("/%61pi/v1/sites").status == 401


def test_an_event_that_has_passed_no_authorizer_is_refused(web: Web) -> None:
    function, name = web.owner.aws.client("lambda"), "energy-dashboard-web"

    def call(path: str, **context: Any) -> tuple[int, Any]:
        http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x"}
        headers = {"host": urlsplit(web.visitor.url).netloc, "authorization": f"Bearer {web.token}"}
        event = {"version": "2.0", "routeKey": "GET /{proxy+}", "rawPath": path, "rawQueryString": ""}
        event |= {"headers": headers, "isBase64Encoded": False, "requestContext": {"http": http} | context}
        answer = function.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        text = base64.b64decode(body["body"]) if body["isBase64Encoded"] else body["body"]
        return body["statusCode"], json.loads(text)

    for path in ("/api/v1/sites", "/%61pi/v1/sites", "//api/v1/sites"):
        status, problem = call(path)
        assert (status, problem["title"]) == (401, "Unauthorized")
    config = web.visitor.get("/config.json").json()["cognito"]
    claims = {"sub": "s", "client_id": config["client_id"], "token_use": "access"}
    status, sites = call("/api/v1/sites", authorizer={"jwt": {"claims": claims, "scopes": ["openid"]}})
    assert (status, [one["site"] for one in sites["sites"]]) == (200, ["home"])


def test_the_results_of_the_run_are_shown(web: Web) -> None:
    [site] = web.told("/sites")["sites"]
    assert site["site"] == "home"
    assert len(site["appliances"]) == 4
    readings = web.told("/readings?site=home&resolution=day")
    assert len(readings["timestamps"]) == 30
    csv = web.api("/readings?site=home&resolution=raw", Accept="text/csv")
    assert csv.body.count(b"\n") == 2880 + 1
    assert web.told("/forecast?site=home")["days"]
    assert web.api("/report?site=home").status == 200
    again = web.api("/overview?site=home", If_None_Match=web.api("/overview?site=home").headers["etag"])
    assert again.status == 304


def test_a_whole_table_comes_straight_from_the_bucket(web: Web) -> None:
    answer = web.api("/tables/hourly?site=home&format=parquet")
    place = urlsplit(answer.headers["location"])
    assert answer.status == 307
    assert f"https://{place.netloc}" in web.visitor.get("/").headers["content-security-policy"]
    file = request(web.owner.aws, "GET", f"{place.path}?{place.query}", None, {}, host=place.netloc)
    assert (file.status, file.body[:4], file.body[-4:]) == (200, b"PAR1", b"PAR1")
    assert file.headers["content-disposition"].endswith("home-hourly.parquet")
    forged = request(web.owner.aws, "GET", f"{place.path}?{place.query[:-4]}0000", None, {}, host=place.netloc)
    assert forged.status == 403


def test_an_upload_goes_straight_to_the_bucket_and_ends_in_a_run(web: Web) -> None:
    target = web.told(f"/uploads/target?site=cabin&name={quote('April 100%.csv')}&size_bytes={len(SMALL)}")
    assert (target["method"], target["key"]) == ("POST", "raw/cabin/April 100%.csv")
    assert send(web, target, SMALL + b"more than was asked for").status == 400
    assert send(web, target | {"fields": target["fields"] | {"key": "runs/mine.csv"}}, SMALL).status == 403
    unsigned = {"key": target["key"], "Content-Type": "text/csv"}
    assert send(web, target | {"fields": unsigned}, SMALL).status == 403
    sent = send(web, target, SMALL)
    assert sent.status in (200, 201, 204), sent.body

    def ended() -> Any:
        answer = web.api(f"/uploads/{quote(target['key'])}")
        if answer.status == 404:  # the function may have looked into the bucket a moment before
            return None
        told = answer.json()
        return told if told["state"] not in ("waiting", "running") else None

    told = eventually(ended)
    assert (told["state"], told["rows_accepted"], told["rejected"][0]["line_number"]) == ("succeeded", 2, 4)


def test_something_that_was_found_is_dismissed_and_brought_back(web: Web) -> None:
    found = web.told("/findings?site=home")["findings"]
    path = f"/findings/{found[0]['id']}/dismissal?site=home"
    assert web.api(path, "PUT").status == 204
    kept = [stored.key for stored in web.owner.lake.list("curated")]
    assert any(key.startswith("curated/dismissed/home/") for key in kept)
    assert found[0]["id"] not in {one["id"] for one in web.told("/findings?site=home")["findings"]}
    assert web.api(path, "DELETE").status == 204
    assert found[0]["id"] in {one["id"] for one in web.told("/findings?site=home")["findings"]}


def test_what_fails_is_told_as_a_problem_and_logged(web: Web) -> None:
    absent = web.api("/overview?site=nowhere")
    assert (absent.status, absent.headers["content-type"]) == (404, "application/problem+json")
    said = web.owner.done("logs", "--dashboard", "--utc")
    assert "GET /api/v1/overview: 404" in said
    assert web.token not in said


RESULTS = ("processed", "forecast", "anomalies", "reports", "curated", "rejected", "runs")


def test_the_role_reads_the_lake_and_writes_uploads_and_dismissals_alone(web: Web) -> None:
    bucket, aws = web.owner.lake.bucket, web.owner.aws
    own = aws.client("s3")
    with web.owner.deaf(), as_role(aws, "energy-dashboard-role-web") as client:
        s3 = client("s3")
        for prefix in ("raw", "athena-results", "curated/dismissed", *RESULTS):
            own.put_object(Bucket=bucket, Key=f"{prefix}/there.csv", Body=b"1")
        for prefix in ("raw", *RESULTS):
            assert may(lambda prefix=prefix: s3.get_object(Bucket=bucket, Key=f"{prefix}/there.csv")), prefix
        assert may(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="runs/"))
        assert may(lambda: s3.put_object(Bucket=bucket, Key="raw/new.csv", Body=b"1"))
        assert may(lambda: s3.put_object(Bucket=bucket, Key="curated/dismissed/a/x.json", Body=b"1"))
        assert may(lambda: s3.delete_object(Bucket=bucket, Key="curated/dismissed/a/x.json"))
        for prefix in ("athena-results", *RESULTS):
            assert not may(lambda prefix=prefix: s3.put_object(Bucket=bucket, Key=f"{prefix}/new", Body=b"1")), prefix
        for prefix in ("raw", "athena-results", *RESULTS):
            assert not may(lambda prefix=prefix: s3.delete_object(Bucket=bucket, Key=f"{prefix}/there.csv")), prefix
        denied = {
            "read answers": lambda: s3.get_object(Bucket=bucket, Key="athena-results/there.csv"),
            "another bucket": lambda: s3.list_objects_v2(Bucket=Names("web", ACCOUNT, REGION).artifact_bucket),
            "the bucket's policy": lambda: s3.delete_bucket_policy(Bucket=bucket),
            "call the pipeline": lambda: client("lambda").invoke(FunctionName="energy-pipeline-web", Payload=b"{}"),
            "see users": lambda: client("cognito-idp").list_users(UserPoolId=web.owner.outputs["UserPoolId"]),
            "take failures": lambda: client("sqs").receive_message(QueueUrl=web.owner.outputs["FailureQueueUrl"]),
            "another log": lambda: client("logs").create_log_stream(
                logGroupName=web.owner.outputs["LogGroupName"], logStreamName="x"
            ),
            "its own log": lambda: client("logs").filter_log_events(
                logGroupName=web.owner.outputs["DashboardLogGroupName"]
            ),
            "its own role": lambda: client("iam").get_role(RoleName="energy-dashboard-role-web"),
        }
        assert [what for what, call in denied.items() if may(call)] == []


def test_cleaning_leaves_the_account_as_it_was_before(web: Web) -> None:
    names = Names("web", ACCOUNT, REGION)
    assert account(web.owner.aws) != web.before
    assert "Nothing of web is left." in web.owner.done("clean", "--yes")
    assert account(web.owner.aws) == web.before
    assert inventory(names) == []


def send(web: Web, target: dict[str, Any], content: bytes) -> Answer:
    """Send a file as a form, as the page does."""
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in target["fields"].items()
    ]
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\nContent-Type: text/csv\r\n\r\n'
    )
    body = b"".join([*parts, head.encode(), content, f"\r\n--{mark}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    place = urlsplit(target["url"])
    return request(web.owner.aws, "POST", place.path or "/", body, headers, host=place.netloc)
