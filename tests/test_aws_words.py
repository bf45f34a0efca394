"""Permissions in words, and what a deployment costs: no account, no emulator."""

import tomllib
from datetime import date

import pytest

from energy_analytics.aws.costs import PRICES, estimate
from energy_analytics.aws.deployment import Names, stack_parameters
from energy_analytics.aws.rollout import Plan
from energy_analytics.aws.sources import source_file
from energy_analytics.aws.stack import Change
from energy_analytics.aws.statements import permissions, sentence
from energy_analytics.aws.template import TEMPLATE, Evaluated, parse_template
from energy_analytics.settings import AwsSettings
from energy_analytics.terminal_aws import show_plan

NAMES = Names("energy-analytics", "123456789012", "eu-central-1")


@pytest.mark.parametrize(
    ("statement", "who", "words"),
    [
        (
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/raw/*"},
            "role",
            "role may read objects (s3:GetObject) on s3:b/raw/*",
        ),
        (
            {"Effect": "Allow", "Action": ["logs:A", "logs:B", "sqs:*"], "Resource": ["*"]},
            "role",
            "role may logs:A, logs:B and do anything of sqs on every resource",
        ),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, "role", "role may do anything on every resource"),
        (
            {"Effect": "Deny", "NotAction": "iam:Get*", "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]},
            "role",
            "role may not do anything but iam:Get* on anything but s3:a and s3:b",
        ),
        (
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "arn:aws:s3:::b",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            None,
            "Nobody may do anything of s3 on s3:b, if aws:SecureTransport is false",
        ),
        (
            {
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::1:root", "*"], "Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "arn:aws:sqs:eu-central-1:1:q",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": ["1", "2"]},
                    "ArnLikeIfExists": {"aws:SourceArn": "arn:x"},
                    "ForAnyValue:StringLike": {"aws:TagKeys": "a*"},
                },
            },
            None,
            "arn:aws:iam::1:root, everyone and s3.amazonaws.com may send messages (sqs:SendMessage) on sqs:q, if "
            "aws:SourceAccount is 1 or 2 and aws:SourceArn is like arn:x or absent and any aws:TagKeys is like a*",
        ),
        (
            {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::1:role/a"}, "Action": "a:B", "Resource": "*"},
            None,
            "Everyone but arn:aws:iam::1:role/a may not a:B on every resource",
        ),
    ],
)
def test_a_statement_in_words(statement: dict[str, object], who: str | None, words: str) -> None:
    assert sentence(statement, who=who) == words


ROLE = """
Parameters: {Secret: {Type: String, Default: ''}, Suffix: {Type: String, Default: '-x'}}
Conditions:
  HasSecret: !Not [!Equals [!Ref Secret, '']]
  Both: !And [!Condition HasSecret, !Or [{Condition: HasSecret}]]
Mappings: {Of: {a: {name: mapped}}}
Resources:
  Queue: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Join ['-', [q, !Select [1, !Split [',', 'a,b']]]]}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub 'role${Suffix}'
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sqs:Send, Resource: !GetAtt Queue.Arn}
              - !If [HasSecret, {Effect: Allow, Action: sm:Get, Resource: !Ref Secret}, !Ref AWS::NoValue]
              - Effect: Allow
                Action: a:B
                Resource: !Sub ['arn:${AWS::Partition}:a:::${N}/${!x}', {N: !FindInMap [Of, a, name]}]
  Extra: {Type: 'AWS::IAM::Policy', Condition: Both, Properties: {Roles: [!Ref Role], PolicyDocument: {Statement: []}}}
"""


def test_a_template_is_read_as_cloudformation_would() -> None:
    told = permissions(Evaluated.of(ROLE, parameters={}, names=NAMES))
    assert told == [
        "lambda.amazonaws.com may take on its rights (sts:AssumeRole) on the role role-x",
        "role-x may sqs:Send on sqs:q-b",
        "role-x may a:B on a:mapped/${x}",
        "role-x may do what AWS's policy AWSLambdaBasicExecutionRole says",
    ]
    with_secret = Evaluated.of(ROLE, parameters={"Secret": "arn:s"}, names=NAMES)
    assert "role-x may sm:Get on arn:s" in permissions(with_secret)
    assert [one.logical_id for one in with_secret.resources()] == ["Queue", "Role", "Extra"]
    assert (
        parse_template(ROLE)["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    )


def test_the_template_has_just_the_parameters_that_deploy_gives() -> None:
    text = source_file(TEMPLATE).read_text("utf-8")
    given = stack_parameters(AwsSettings(), NAMES, function_key="f", layer_key="l")
    declared = parse_template(text)["Parameters"]
    assert set(given) == set(declared)
    for name, definition in declared.items():
        allowed = definition.get("AllowedValues")
        assert allowed is None or given[name] in map(str, allowed), name


@pytest.mark.parametrize("settings", [AwsSettings(), AwsSettings(bedrock_model_arn="arn:b", alert_email="a@b.c")])
def test_nothing_of_the_real_template_stays_unsaid(settings: AwsSettings) -> None:
    text = source_file(TEMPLATE).read_text("utf-8")
    parameters = stack_parameters(settings, NAMES, function_key="f", layer_key="l")
    told = permissions(Evaluated.of(text, parameters=parameters, names=NAMES))
    assert len(told) >= 10
    assert not [sentence for sentence in told if "Fn::" in sentence or "{" in sentence or "${" in sentence]
    assert any("bedrock" in sentence for sentence in told) == bool(settings.bedrock_model_arn)


def test_names_of_a_stack_of_its_own() -> None:
    other = Names("My-plant", "123456789012", "eu-central-1")
    assert other.function == "energy-pipeline-My-plant"
    assert other.database == "energy_db_my_plant"
    assert NAMES.artifact_bucket != other.artifact_bucket
    assert len(NAMES.artifact_bucket) == len("energy-artifacts-") + 8


def test_costs_by_hand() -> None:
    prices = tomllib.loads(PRICES.read_text("utf-8"))
    made = estimate(AwsSettings(), uploads_per_month=100, alarms=12)
    assert made.usd_per_month == pytest.approx(sum(line.usd_per_month for line in made.lines))
    assert made.prices_as_of == prices["as_of"] >= date(2026, 1, 1)
    of = {(line.service, line.use): line.usd_per_month for line in made.lines}
    # Two alarms above the ten that are free, at 0.10 each.
    assert of["CloudWatch", "12 alarms (first 10 free), 1 dashboard (first 3 free)"] == pytest.approx(0.20)
    # 500 queries of 10 MB are 5,000 MB; a TB is 1,048,576 MB and 5 dollars.
    assert of["Athena", "500 queries"] == pytest.approx(5000 / 1_048_576 * 5)
    seconds = prices["measured"]["seconds_per_upload"]
    # Ten metrics at 0.30 a month, in at most 100 of its 730 hours.
    [metrics] = [usd for (service, use), usd in of.items() if "metrics of our own" in use]
    assert metrics == pytest.approx(10 * 0.30 * 100 / 730)
    [compute] = [usd for (service, use), usd in of.items() if service == "Lambda" and "GB-seconds" in use]
    assert compute == pytest.approx(100 * seconds * prices["measured"]["memory_mb"] / 1024 * 0.0000166667)


def test_costs_grow_with_uploads_alone() -> None:
    none, some, more = (
        estimate(AwsSettings(), uploads_per_month=uploads, alarms=6).usd_per_month for uploads in (0, 100, 200)
    )
    assert none == pytest.approx(0.00002)  # the price of one e-mail
    assert more - some == pytest.approx(some - none)
    arm = AwsSettings(architecture="arm64")
    assert estimate(arm, uploads_per_month=100, alarms=6).usd_per_month < some


def test_a_plan_that_might_replace_the_bucket_says_that_it_stays(capsys: pytest.CaptureFixture[str]) -> None:
    changes = (Change("Replace?", "Bucket", "AWS::S3::Bucket"), Change("Modify", "Function", "AWS::Lambda::Function"))
    show_plan(Plan(NAMES, False, changes, [], alarms=0), estimate(AwsSettings(), uploads_per_month=1, alarms=0))
    assert "The bucket and all in it stay" in capsys.readouterr().out
    bucket = parse_template(source_file(TEMPLATE).read_text("utf-8"))["Resources"]["Bucket"]
    assert bucket["UpdateReplacePolicy"] == "Retain"
    assert "AWS::StackId" in str(bucket["Properties"]["BucketName"])
