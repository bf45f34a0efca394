"""`energy deploy --with-dashboard`: what it makes, keeps and removes, and who gets through the API to its function."""

import base64
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import told
from deploying import Person, account
from emulator import ACCOUNT, REGION, Emulator
from emulator.tokens import new_key
from visiting import PASSWORD, Visitor, add_user, sign_in

from energy_analytics.aws.deployment import Names
from energy_analytics.aws.inventory import inventory

pytestmark = pytest.mark.slow

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
EMAIL = "ada@example.org"


@dataclass(frozen=True)
class Site:
    """A deployment with a dashboard, and somebody who has signed in to it."""

    person: Person
    visitor: Visitor
    client_id: str
    tokens: dict[str, Any]

    @property
    def pool_id(self) -> str:
        return self.person.outputs["UserPoolId"]


@pytest.fixture(scope="module")
def site(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    person = Person(tmp_path_factory.mktemp("site"), emulator, "dashed")
    (person.folder / "energy.toml").write_text(f'[aws]\nruntime = "{RUNTIME}"\n')
    made = person.deploy("--yes", "--with-dashboard")
    assert made.returncode == 0, made.stderr
    outputs = person.outputs
    visitor = Visitor(emulator, outputs["DashboardUrl"])
    client_id = visitor.get("/config.json").json()["environment"]["CLIENT_ID"]
    temporary = add_user(emulator, outputs["UserPoolId"], EMAIL)
    tokens = sign_in(emulator, client_id, outputs["DashboardUrl"], email=EMAIL, password=temporary, new=PASSWORD)
    yield Site(person, visitor, client_id, tokens)
    person.energy("clean", "--yes")


# ---- Who gets through


def test_pages_need_no_token_and_the_api_does(site: Site) -> None:
    for path in ("/", "/appliances/Kitchen%20%2B%201", "/static/app.css", "/signed-in?code=1"):
        answer = site.visitor.get(path)
        assert answer.status == 200
        assert "authorizer" not in answer.json()["event"]["requestContext"]
    for path in ("/api/v1/sites", "/api/anything", "//api/v1/sites"):
        assert site.visitor.get(path).status == 401
        assert site.visitor.ask("POST", path, body=b"{}").status == 401
    assert site.visitor.ask("POST", "/").status == 404
    assert site.visitor.ask("PUT", "/anything").status == 404


def test_a_good_token_lets_through_and_tells_who(site: Site) -> None:
    answer = site.visitor.get("/api/v1/sites", site.tokens["access_token"])
    assert answer.status == 200
    claims = answer.json()["event"]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (claims["client_id"], claims["scope"]) == (site.client_id, "openid email")


def test_a_forged_token_is_refused(site: Site) -> None:
    header, claims, signature = site.tokens["access_token"].split(".")
    refused = {
        "no token": "",
        "nonsense": "a.b.c",
        "another key": new_key("a forger's").sign(part(header), part(claims)),
        "another key without its name": new_key("a forger's").sign({"alg": "RS256"}, part(claims)),
        "no signature": f"{packed({'alg': 'none'})}.{claims}.",
        "no signature, with the key's name": f"{packed(part(header) | {'alg': 'none'})}.{claims}.",
        "the signature of other claims": f"{header}.{packed(part(claims) | {'sub': 'somebody else'})}.{signature}",
        "the public key as a secret": f"{packed(part(header) | {'alg': 'HS256'})}.{claims}.{signature}",
        "the id token, which has no scope": site.tokens["id_token"],
    }
    statuses = {why: site.visitor.get("/api/v1/sites", token).status for why, token in refused.items()}
    assert statuses.pop("the id token, which has no scope") == 403
    assert set(statuses.values()) == {401}


def test_a_token_of_another_client_or_pool_is_refused(site: Site) -> None:
    cognito, url = site.person.aws.client("cognito-idp"), site.person.outputs["DashboardUrl"]
    login = {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid", "email"],
        "CallbackURLs": [f"{url}signed-in"],
        "SupportedIdentityProviders": ["COGNITO"],
    }
    other_pool = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    for pool, status in ((site.pool_id, 401), (other_pool, 401)):
        client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="other", **login)["UserPoolClient"]
        if pool == other_pool:
            cognito.admin_create_user(UserPoolId=pool, Username=EMAIL)
            cognito.admin_set_user_password(UserPoolId=pool, Username=EMAIL, Password=PASSWORD, Permanent=True)
        tokens = sign_in(site.person.aws, client["ClientId"], url, email=EMAIL, password=PASSWORD)
        assert site.visitor.get("/api/v1/sites", tokens["access_token"]).status == status
        cognito.delete_user_pool_client(UserPoolId=pool, ClientId=client["ClientId"])
    cognito.delete_user_pool(UserPoolId=other_pool)


def test_an_expired_token_is_refused(site: Site) -> None:
    """The service gives tokens of five minutes or more; the emulator gives this client's for a second."""
    cognito = site.person.aws.client("cognito-idp")
    described = cognito.describe_user_pool_client(UserPoolId=site.pool_id, ClientId=site.client_id)["UserPoolClient"]
    kept = {name: value for name, value in described.items() if value and not name.endswith("Date")}
    assert (kept["AccessTokenValidity"], kept["TokenValidityUnits"]["AccessToken"]) == (15, "minutes")
    units = kept["TokenValidityUnits"] | {"AccessToken": "seconds"}
    cognito.update_user_pool_client(**kept | {"AccessTokenValidity": 2, "TokenValidityUnits": units})
    try:
        url = site.person.outputs["DashboardUrl"]
        token = sign_in(site.person.aws, site.client_id, url, email=EMAIL, password=PASSWORD)["access_token"]
    finally:
        cognito.update_user_pool_client(**kept)
    assert site.visitor.get("/api/v1/sites", token).status == 200
    time.sleep(2.1)
    assert site.visitor.get("/api/v1/sites", token).status == 401


def test_nobody_signs_up_or_in_by_anything_but_the_login(site: Site) -> None:
    cognito = site.person.aws.client("cognito-idp")
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.sign_up(ClientId=site.client_id, Username="eve@example.org", Password=PASSWORD)
    with pytest.raises(cognito.exceptions.ClientError, match="USER_PASSWORD_AUTH"):
        cognito.initiate_auth(
            ClientId=site.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD},
        )


def test_the_api_alone_may_call_the_function(site: Site) -> None:
    function, name = site.person.aws.client("lambda"), "energy-dashboard-dashed"
    [statement] = json.loads(function.get_policy(FunctionName=name)["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    function.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    assert site.visitor.get("/").status == 500
    source = statement["Condition"]["ArnLike"]["AWS:SourceArn"]
    api_id = site.visitor.url.removeprefix("https://").split(".")[0]
    assert source == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api_id}/*/*"
    function.add_permission(
        FunctionName=name,
        StatementId=statement["Sid"],
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=source,
    )
    assert site.visitor.get("/").status == 200


# ---- What a deploy makes, keeps and removes


@pytest.fixture
def person(aws: Emulator, tmp_path: Path) -> Iterator[Person]:
    """Someone with a folder of their own, whose stack is gone afterwards."""
    person = Person(tmp_path, aws, "dashboard-test")
    (tmp_path / "energy.toml").write_text(f'[aws]\nruntime = "{RUNTIME}"\n')
    yield person
    person.energy("clean", "--yes", "--stack", person.stack)


def test_from_nothing_to_nothing(person: Person) -> None:
    before = account(person.aws)
    shown = person.deploy("--dry-run", "--with-dashboard")
    assert shown.returncode == 0, shown.stderr
    assert "Add      DashboardFunction" in shown.stdout
    assert "Nobody may sign in to the dashboard until you add a user" in shown.stdout
    assert (
        "Who has signed in (JWT, openid) may ask /api/{proxy+} of the API energy-dashboard-dashboard-test\n"
        in shown.stdout
    )
    assert "Everyone may GET /{proxy+} of the API energy-dashboard-dashboard-test\n" in shown.stdout
    assert (
        "energy-dashboard-role-dashboard-test may write objects (s3:PutObject) on s3:energy-analytics-xxxxxxxx/raw/*\n"
        in shown.stdout
    )
    assert "Estimated cost a month for 100 uploads and 1,000 page views (US dollars" in shown.stdout
    assert account(person.aws) == before

    made = person.deploy("--yes", "--with-dashboard")
    assert made.returncode == 0, made.stderr
    url = person.outputs["DashboardUrl"]
    assert f"The dashboard is at {url}\n" in made.stdout
    assert f"--user-pool-id {person.outputs['UserPoolId']} --username you@example.org" in made.stdout
    found = inventory(Names(person.stack, ACCOUNT, REGION))
    kinds = {(item.kind, item.name.removesuffix("-dashboard-test")) for item in found}
    assert {
        ("function", "energy-dashboard"),
        ("layer version", "energy-dashboard-layer-dashboard-test:1"),
        ("role", "energy-dashboard-role"),
        ("HTTP API", "energy-dashboard"),
        ("user pool", "energy-dashboard"),
        ("domain of the login", person.bucket),
        ("log group", "/aws/lambda/energy-dashboard"),
        ("log group", "/aws/vendedlogs/energy-dashboard"),
        ("alarm", "energy-dashboard-errors"),
        ("alarm", "energy-dashboard-faults"),
    } <= kinds
    listed = person.energy("clean", "--dry-run").stdout
    assert "user pool" in listed
    again = person.deploy("--yes", "--with-dashboard")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "Nothing to change.")

    gone = person.energy("clean", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert account(person.aws) == before
    assert inventory(Names(person.stack, ACCOUNT, REGION)) == []


def test_a_dashboard_stays_until_it_is_sent_away(person: Person) -> None:
    without = "Nothing to change."
    person.deploy("--yes")
    bare = account(person.aws)
    assert "DashboardUrl" not in person.outputs
    assert told(person.energy("logs", "--dashboard")).endswith("make it with: energy deploy --with-dashboard")
    added = person.deploy("--yes", "--with-dashboard")
    assert added.returncode == 0, added.stderr
    pool = person.outputs["UserPoolId"]
    assert person.deploy("--yes").stdout.splitlines()[-1] == without  # not asked: it stays
    updated = person.deploy("--yes", version="2")
    assert updated.returncode == 0, updated.stderr
    assert person.outputs["UserPoolId"] == pool

    planned = person.deploy("--dry-run", "--without-dashboard", version="2")
    assert re.search(r"Remove +Users +AWS::Cognito::UserPool", planned.stdout)
    assert "The dashboard is removed, and with it who may sign in to it." in planned.stdout
    assert person.outputs["UserPoolId"] == pool
    removed = person.deploy("--yes", "--without-dashboard", version="2")
    assert removed.returncode == 0, removed.stderr
    assert account(person.aws) == bare
    assert "DashboardUrl" not in person.outputs
    with pytest.raises(person.aws.client("s3").exceptions.ClientError, match="NoSuchCORSConfiguration"):
        person.aws.client("s3").get_bucket_cors(Bucket=person.bucket)


def test_the_first_user_is_invited_once(person: Person) -> None:
    (person.folder / "energy.toml").write_text(
        f'[aws]\nruntime = "{RUNTIME}"\ndashboard = true\ndashboard_email = "{EMAIL}"\n'
    )
    planned = person.deploy("--dry-run")
    assert f"{EMAIL} becomes the dashboard's first user, and gets an e-mail." in planned.stdout
    made = person.deploy("--yes")
    assert made.returncode == 0, made.stderr
    invited = f"{EMAIL} gets an e-mail with a temporary password for the dashboard."
    assert made.stdout.endswith(f"{invited}\n")
    assert "admin-create-user" not in made.stdout
    cognito, pool = person.aws.client("cognito-idp"), person.outputs["UserPoolId"]
    [user] = cognito.list_users(UserPoolId=pool)["Users"]
    assert user["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert {"Name": "email", "Value": EMAIL} in user["Attributes"]
    assert invited not in person.deploy("--yes").stdout
    cognito.admin_delete_user(UserPoolId=pool, Username=user["Username"])
    assert invited in person.deploy("--yes").stdout


def test_files_come_and_go_from_the_dashboards_page_alone(site: Site) -> None:
    origin = site.visitor.url.rstrip("/")
    [rule] = site.person.aws.client("s3").get_bucket_cors(Bucket=site.person.bucket)["CORSRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == ([origin], ["POST", "GET"])


def test_without_its_zips_it_is_told_how_to_build_them(person: Person) -> None:
    package = person.folder / "package"
    person.deploy("--dry-run")
    (package / "energy-dashboard-layer.zip").unlink()
    done = person.energy("deploy", "--yes", "--with-dashboard", "--package", str(package), "--stack", person.stack)
    assert told(done).endswith("build it with: energy package --with-dashboard --out " + str(package))


# ---- Tokens


def part(text: str) -> dict[str, Any]:
    """Unpack a part of a token."""
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def packed(value: dict[str, Any]) -> str:
    """Pack a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
