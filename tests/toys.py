"""Small functions on the emulator: a few lines of code, a role, and what they answer."""

import io
import json
import sys
import textwrap
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from emulator import ACCOUNT, Emulator, require_sandbox

RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
Found = TypeVar("Found")
LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}


@dataclass(frozen=True)
class Answer:
    """What an invocation gave back."""

    value: Any
    error: str
    log: str


@dataclass(frozen=True)
class Toy:
    """A function on the emulator."""

    aws: Emulator
    name: str
    role: str

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.aws.region}:{ACCOUNT}:function:{self.name}"

    def invoke(self, event: object = None) -> Answer:
        client = self.aws.client("lambda")
        response = client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode(), LogType="Tail")
        value = json.loads(response["Payload"].read())
        error = value.get("errorMessage", "") if response.get("FunctionError") else ""
        return Answer(value, error, "\n".join(self.lines()))

    def send(self, event: object) -> None:
        payload = json.dumps(event).encode()
        self.aws.client("lambda").invoke(FunctionName=self.name, InvocationType="Event", Payload=payload)

    def lines(self) -> list[str]:
        client = self.aws.client("logs")
        try:
            found = client.filter_log_events(logGroupName=f"/aws/lambda/{self.name}")
        except client.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in found["events"]]


def zipped(files: dict[str, str]) -> bytes:
    """Return a zip of the files, readable by everyone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, textwrap.dedent(text))
    return buffer.getvalue()


def role(aws: Emulator, statements: Iterable[dict[str, Any]]) -> str:
    """Make a role that Lambda may take, with these rights alone; return its ARN."""
    client, name = aws.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = client.create_role(RoleName=name, AssumeRolePolicyDocument=_policy([trust]))
    if rights := list(statements):
        client.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=_policy(rights))
    arn: str = made["Role"]["Arn"]
    return arn


def toy(aws: Emulator, code: str, *, rights: Iterable[dict[str, Any]] = (LOGS,), **settings: Any) -> Toy:
    """Make a function of the code of its `handler(event, context)`; settings are those of CreateFunction."""
    require_sandbox()
    name, arn = f"toy-{uuid.uuid4().hex[:8]}", role(aws, rights)
    made: dict[str, Any] = {
        "Runtime": RUNTIME,
        "Handler": "toy.handler",
        "MemorySize": 256,
        "Timeout": 20,
        "Code": {"ZipFile": zipped({"toy.py": code})},
    }
    aws.client("lambda").create_function(FunctionName=name, Role=arn, **(made | settings))
    return Toy(aws, name, arn)


def wait_for(look: Callable[[], Found], *, seconds: float = 20) -> Found:
    """Look until there is something to see."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.05)
    return found


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
