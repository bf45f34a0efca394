"""`energy deploy` and `energy clean` on an account, from nothing to nothing."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import ROOT, energy, environment, told
from deploying import Person, account, small_package
from emulator import ACCOUNT, REGION, Emulator

from energy_analytics.aws import rollout
from energy_analytics.aws.deployment import DeploymentError, Names
from energy_analytics.aws.inventory import inventory
from energy_analytics.aws.sources import source_file
from energy_analytics.aws.stack import StackEvent
from energy_analytics.aws.template import TEMPLATE
from energy_analytics.settings import AwsSettings

pytestmark = pytest.mark.slow

STACKS = itertools.count(1)
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def person(aws: Emulator, tmp_path: Path) -> Iterator[Person]:
    """Someone with a folder of their own, whose stack is gone afterwards."""
    person = Person(tmp_path, aws, f"test-{next(STACKS)}")
    (tmp_path / "energy.toml").write_text(f'[aws]\nruntime = "{RUNTIME}"\n')
    yield person
    person.energy("clean", "--yes", "--stack", person.stack)


def names(person: Person) -> Names:
    return Names(person.stack, ACCOUNT, REGION)


def test_from_nothing_to_nothing(person: Person) -> None:
    before, before_inventory = account(person.aws), inventory(names(person))
    assert before_inventory == []
    made = person.deploy("--yes")
    assert made.returncode == 0, made.stderr
    assert "made      Function  AWS::Lambda::Function" in made.stdout
    assert f"LakeUri           {person.deployment['lake']}\n" in made.stdout
    assert person.deployment == {
        "stack": person.stack,
        "region": REGION,
        "profile": None,
        "account": ACCOUNT,
        "lake": person.deployment["lake"],
    }

    there = account(person.aws)
    assert there["functions"] == [*before["functions"], f"energy-pipeline-{person.stack}"]
    assert len(there["buckets"]) == len(before["buckets"]) + 2

    s3 = person.aws.client("s3")
    for version in range(3):
        s3.put_object(Bucket=person.bucket, Key="raw/a.txt", Body=str(version).encode())
    s3.delete_object(Bucket=person.bucket, Key="raw/a.txt")
    listed = person.energy("clean", "--dry-run")
    assert listed.returncode == 0
    assert "4 versions, 3 bytes" in listed.stdout
    assert account(person.aws) == there

    gone = person.energy("clean", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert "Removed 4 versions of objects" in gone.stdout
    assert "from now on `energy clean` here means the lake in a folder" in gone.stdout
    assert account(person.aws) == before
    assert inventory(names(person)) == before_inventory
    assert not (person.folder / "deployment.json").exists()


def test_the_artefact_bucket_is_closed(person: Person) -> None:
    person.deploy("--yes")
    bucket, s3 = names(person).artifact_bucket, person.aws.client("s3")
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    [statement] = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    tags = {one["Key"]: one["Value"] for one in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    assert tags == {"application": "energy-analytics-system", "stack": person.stack}


def test_deploying_twice_changes_nothing(person: Person) -> None:
    person.deploy("--yes")
    (person.folder / "deployment.json").unlink()
    before = account(person.aws)
    again = person.deploy("--yes")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "Nothing to change.")
    assert account(person.aws) == before
    assert person.deployment["stack"] == person.stack
    stated = person.deploy("--dry-run")
    assert (stated.returncode, stated.stdout.splitlines()[-1]) == (0, "Nothing to change.")


def test_a_new_version_replaces_what_is_in_the_artefact_bucket(person: Person) -> None:
    person.deploy("--yes")
    bucket, s3 = names(person).artifact_bucket, person.aws.client("s3")
    keys = lambda: {one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}  # noqa: E731
    first = keys()
    planned = person.deploy("--dry-run", version="2")
    assert "Modify    Function" in planned.stdout
    assert keys() == first
    refused = person.deploy(version="2")
    assert told(refused) == "Nothing was deployed: say --yes to deploy without being asked."
    assert keys() == first
    changed = person.deploy("--yes", version="2")
    assert changed.returncode == 0, changed.stderr
    assert len(keys()) == len(first)
    [function] = keys() - first
    assert function.startswith("energy-pipeline-function-")


def test_dry_run_leaves_no_trace(person: Person) -> None:
    before = account(person.aws)
    shown = person.deploy("--dry-run", "--uploads-per-month", "250")
    assert shown.returncode == 0, shown.stderr
    assert "Add      Function " in shown.stdout
    assert (
        f"energy-lambda-role-{person.stack} may read objects (s3:GetObject) on s3:energy-analytics-xxxxxxxx/raw/*"
        in shown.stdout
    )
    assert "Nobody may do anything of s3 on " in shown.stdout
    assert "Estimated cost a month for 250 uploads (US dollars, prices of 20" in shown.stdout
    assert account(person.aws) == before
    assert not (person.folder / "deployment.json").exists()


def test_the_script_of_the_specification_is_the_same_command(person: Person) -> None:
    package = small_package(person.folder / "package")
    options = ("--dry-run", "--package", str(package), "--stack", person.stack)
    done = subprocess.run(
        [sys.executable, str(ROOT / "infrastructure/deploy.py"), *options],
        cwd=person.folder,
        env=environment(**person.aws.environment()),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing was deployed: this was a dry run." in done.stdout


def test_a_refusal_leaves_no_trace(person: Person) -> None:
    before = account(person.aws)
    assert told(person.deploy()) == "Nothing was deployed: say --yes to deploy without being asked."
    assert account(person.aws) == before


def test_a_first_deploy_that_fails_leaves_nothing(person: Person) -> None:
    athena, taken = person.aws.client("athena"), names(person).workgroup
    athena.create_work_group(Name=taken)
    before = account(person.aws)
    failed = person.deploy("--yes")
    message = told(failed)
    assert message.startswith(
        f"The stack {person.stack} could not be made; nothing is left of it. Workgroup (AWS::Athena::WorkGroup): "
    )
    assert "cancelled" not in message
    assert "undoing   the stack" in failed.stdout
    assert account(person.aws) == before
    athena.delete_work_group(WorkGroup=taken)
    assert person.deploy("--yes").returncode == 0


def test_what_a_failed_deploy_left_does_not_stand_in_the_way(person: Person) -> None:
    """As when the command was interrupted before it could remove the stack that was rolled back."""
    person.aws.client("athena").create_work_group(Name="taken")
    wrong = {"Resources": {"W": {"Type": "AWS::Athena::WorkGroup", "Properties": {"Name": "taken"}}}}
    formation = person.aws.client("cloudformation")
    formation.create_stack(StackName=person.stack, TemplateBody=json.dumps(wrong))
    while formation.describe_stacks(StackName=person.stack)["Stacks"][0]["StackStatus"] != "ROLLBACK_COMPLETE":
        time.sleep(0.1)
    person.aws.client("athena").delete_work_group(WorkGroup="taken")
    before = account(person.aws)
    assert "Add      Function " in person.deploy("--dry-run").stdout
    assert account(person.aws) == before
    made = person.deploy("--yes")
    assert made.returncode == 0, made.stderr
    assert "Removing what is left of an earlier deploy that failed" in made.stdout


def test_a_change_that_fails_is_undone(person: Person) -> None:
    person.deploy("--yes")
    before = account(person.aws)
    objects = person.aws.client("s3").list_objects_v2(Bucket=names(person).artifact_bucket)["Contents"]
    extended = person.folder / "template.yaml"
    resource = "  Second:\n    Type: AWS::Athena::WorkGroup\n    Properties: {Name: primary}\n"
    own = source_file(TEMPLATE).read_text("utf-8")
    extended.write_text(own.replace("\nOutputs:\n", f"\n{resource}\nOutputs:\n"))
    package = small_package(person.folder / "package", version="2")
    told_events: list[StackEvent] = []
    with rollout.planned(
        names(person), AwsSettings(runtime=RUNTIME), package=package, dry_run=False, say=print, template=extended
    ) as plan:
        assert {change.logical_id for change in plan.changes if change.action == "Add"} == {"Second"}
        with pytest.raises(DeploymentError, match=r"is as it was before\. Second \(AWS::Athena::WorkGroup\): "):
            rollout.carry_out(plan, told_events.append)
    assert told_events[-1].status == "UPDATE_ROLLBACK_COMPLETE"
    assert account(person.aws) == before
    left = person.aws.client("s3").list_objects_v2(Bucket=names(person).artifact_bucket)["Contents"]
    assert [one["Key"] for one in left] == [one["Key"] for one in objects]
    assert person.deploy("--yes").stdout.endswith("Nothing to change.\n")


def test_an_interrupted_deploy_goes_on_and_is_adopted(person: Person) -> None:
    def interrupt(event: StackEvent) -> None:
        raise KeyboardInterrupt

    package = small_package(person.folder / "package")
    settings = AwsSettings(runtime=RUNTIME)
    with (
        pytest.raises(KeyboardInterrupt),
        rollout.planned(names(person), settings, package=package, dry_run=False, say=print) as plan,
    ):
        rollout.carry_out(plan, interrupt)
    formation = person.aws.client("cloudformation")
    while formation.describe_stacks(StackName=person.stack)["Stacks"][0]["StackStatus"] != "CREATE_COMPLETE":
        time.sleep(0.1)
    assert person.deploy("--yes").stdout.endswith("Nothing to change.\n")
    assert person.deployment["stack"] == person.stack


def test_a_cleanup_that_was_interrupted_is_taken_up(person: Person) -> None:
    before = account(person.aws)
    person.deploy("--yes")
    bucket = person.bucket
    person.aws.client("cloudformation").delete_stack(StackName=person.stack)
    assert "There is no stack" in person.energy("clean", "--dry-run").stdout
    # CloudFormation at its kindest: the stack is gone, and what it does not own is not; nor is a bucket made again.
    person.aws.client("logs").create_log_group(logGroupName=names(person).log_group)
    if bucket not in account(person.aws)["buckets"]:
        location = {"LocationConstraint": REGION}
        person.aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    person.aws.client("s3").put_object(Bucket=bucket, Key="raw/late.csv", Body=b"late")
    done = person.energy("clean", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"There is no stack {person.stack}; what it may have left is looked for." in done.stdout
    assert account(person.aws) == before
    nothing = person.energy("clean", "--yes", "--stack", person.stack)
    assert nothing.returncode == 0
    assert f"Nothing of {person.stack} is in account {ACCOUNT}, {REGION}." in nothing.stdout


def test_whom_the_athena_policy_was_given_to_does_not_stand_in_the_way(person: Person) -> None:
    person.deploy("--yes")
    iam = person.aws.client("iam")
    iam.create_user(UserName="analyst")
    [arn] = [one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"] if person.stack in one["PolicyName"]]
    iam.attach_user_policy(UserName="analyst", PolicyArn=arn)
    done = person.energy("clean", "--yes")
    assert done.returncode == 0, done.stderr
    assert iam.list_attached_user_policies(UserName="analyst")["AttachedPolicies"] == []
    iam.delete_user(UserName="analyst")


def test_clean_asks_and_keeps_no_raw(person: Person) -> None:
    person.deploy("--yes")
    before = account(person.aws)
    assert told(person.energy("clean")) == "Nothing was removed: say --yes to remove without being asked."
    assert told(person.energy("clean", "--yes", "--keep-raw")).startswith("--keep-raw is for a folder")
    assert account(person.aws) == before


def test_two_stacks_live_side_by_side(person: Person, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Person(tmp_path_factory.mktemp("other"), person.aws, "test-other")
    (other.folder / "energy.toml").write_text(f'[aws]\nruntime = "{RUNTIME}"\n')
    person.deploy("--yes")
    alone = account(person.aws)
    assert other.deploy("--yes").returncode == 0
    assert other.energy("clean", "--yes").returncode == 0
    assert account(person.aws) == alone


@pytest.mark.parametrize(
    ("variables", "arguments", "message"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            (),
            "There are no AWS credentials: run `aws configure`",
        ),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, (), "No AWS region is set: say --region (such as eu-central-1)"),
        ({}, ("--profile", "absent"), "The config profile (absent) could not be found: set AWS_PROFILE to one"),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:9"}, (), "AWS cannot be reached: "),
        ({}, ("--stack", "1st"), "stack = '1st'"),
        ({}, ("--region", "no where"), "region"),
        ({}, ("--package", "absent"), "There is no absent/energy-pipeline-function.zip; build it with: energy package"),
    ],
)
def test_what_a_person_can_mend(
    aws: Emulator, tmp_path: Path, variables: dict[str, str], arguments: tuple[str, ...], message: str
) -> None:
    environment = aws.environment() | variables
    extra = () if "--package" in arguments else ("--package", "package")
    done = energy("deploy", "--yes", *extra, *arguments, folder=tmp_path, variables=environment)
    assert message in told(done)


def test_a_missing_permission_is_named(aws: Emulator, tmp_path: Path) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    variables = aws.environment(key["AccessKeyId"], key["SecretAccessKey"])
    done = energy("logs", "--region", REGION, folder=tmp_path, variables=variables)
    message = told(done)
    assert "user/reader may not cloudformation:DescribeStacks" in message
    assert message.endswith("Ask an administrator for the permissions in infrastructure/deployer-policy.json.")
    for key_of in iam.list_access_keys(UserName="reader")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="reader", AccessKeyId=key_of["AccessKeyId"])
    iam.delete_user(UserName="reader")


def test_another_account_is_not_touched(person: Person) -> None:
    person.deploy("--yes")
    told_of = person.deployment | {"account": "999999999999"}
    (person.folder / "deployment.json").write_text(json.dumps(told_of))
    refused = person.energy("clean", "--yes")
    assert "deployment.json is about the account 999999999999" in told(refused)
