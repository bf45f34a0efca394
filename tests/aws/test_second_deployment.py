"""Another deployment in the same account, with other settings, from nothing to nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from acting import as_role, may
from deploying import account
from emulator import REGION
from real_deployment import Deployment, contents, deploy, eventually, lead

from energy_analytics.aws.deployment import Names
from energy_analytics.aws.inventory import inventory

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.slow]

SETTINGS = """
model = "prophet"
price_per_kwh = 0.3
currency = "EUR"
[sites.home]
timezone = "Europe/Berlin"
"""
AWS = """
notify_new_episodes = true
alert_email = "energy@example.com"
log_retention_days = 7
secret_arn = "{secret}"
bedrock_model_arn = "{model}"
"""
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
HOME = "raw/home/energy_data.csv"


@dataclass(frozen=True)
class Second:
    """The deployment, what the account held before it, and what its topic has told so far."""

    owner: Deployment
    before: dict[str, list[str]]
    queue_url: str
    first_bucket: str

    def messages(self) -> list[dict[str, str]]:
        """Return what somebody got who has subscribed to the topic."""
        sqs = self.owner.aws.client("sqs")
        got = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(one["Body"]) for one in got.get("Messages", [])]


@pytest.fixture(scope="module")
def second(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    """A deployment that tells of new episodes and forecasts by Prophet, with one upload."""
    cloud = deployment.aws
    with pytest.MonkeyPatch.context() as patch:
        lead(cloud, patch)
        sqs, sns = cloud.client("sqs"), cloud.client("sns")
        url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        secrets = cloud.client("secretsmanager")
        own, _ = (secrets.create_secret(Name=name, SecretString="x")["ARN"] for name in ("energy/own", "energy/other"))
        before = account(cloud)
        aws = AWS.format(secret=own, model=f"arn:aws:bedrock:{REGION}::foundation-model/{MODEL}")
        owner = deploy(cloud, tmp_path_factory.mktemp("second"), stack="second", settings=SETTINGS, aws=aws)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": taking_from(owner.outputs["AlertTopicArn"], arn)})
        sns.subscribe(TopicArn=owner.outputs["AlertTopicArn"], Protocol="sqs", Endpoint=arn)
        owner.done("generate", "--days", "30", "--end", "2026-03-31")
        owner.done("upload", "data/output/energy_data.csv", "--site", "home", "--wait")
        yield Second(owner, before, url, deployment.lake.bucket)


def taking_from(topic_arn: str, queue_arn: str) -> str:
    """Return the policy without which a queue takes nothing from a topic."""
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    of_topic = {"Resource": queue_arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}}}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed | of_topic]})


def test_new_unusual_use_is_told_once(second: Second) -> None:
    [message] = eventually(second.messages)
    assert message["Subject"] == "Energy: 10 new stretches of unusual use"
    assert message["Message"].startswith(f"Upload: {HOME}\nSite: home\n\n- ")
    second.owner.invoke(second.owner.event(HOME))
    assert len(second.messages()) == 1


def test_prophet_forecasts_as_on_a_local_lake(second: Second, tmp_path: Path) -> None:
    found, expected = contents(second.owner.lake), contents(second.owner.twin(tmp_path / "twin"))
    assert found.keys() == expected.keys()
    assert [key for key in found if found[key] != expected[key]] == []
    [record] = [json.loads(value) for key, value in found.items() if key.startswith("runs/")]
    assert record["results"]["forecast"]["model"] == "prophet"
    assert record["settings"]["timezone"] == "Europe/Berlin"
    assert "EUR" in second.owner.done("report", "--site", "home")


def test_what_was_enabled_the_role_may_and_no_more(second: Second) -> None:
    with as_role(second.owner.aws, "energy-lambda-role-second") as client:
        secrets, model, sns = client("secretsmanager"), client("bedrock-runtime"), client("sns")
        assert may(lambda: secrets.get_secret_value(SecretId="energy/own"))
        assert not may(lambda: secrets.get_secret_value(SecretId="energy/other"))
        assert not may(lambda: secrets.put_secret_value(SecretId="energy/own", SecretString="y"))
        assert may(lambda: model.invoke_model(modelId=MODEL, body=b"{}"))
        assert not may(lambda: model.invoke_model(modelId="amazon.titan-text-lite-v1", body=b"{}"))
        assert may(lambda: sns.publish(TopicArn=second.owner.outputs["AlertTopicArn"], Message="tried"))
        first = second.owner.outputs["AlertTopicArn"].removesuffix("-second")
        assert not may(lambda: sns.publish(TopicArn=first, Message="tried"))
        assert not may(lambda: client("s3").list_objects_v2(Bucket=second.first_bucket))


def test_cleaning_leaves_the_account_as_it_was_before(second: Second) -> None:
    names = Names("second", second.owner.deployment["account"], second.owner.deployment["region"])
    assert account(second.owner.aws) != second.before
    assert len(inventory(names)) > 10
    said = second.owner.done("clean", "--yes")
    assert "Nothing of second is left." in said
    assert account(second.owner.aws) == second.before
    assert inventory(names) == []
