"""The template as CloudFormation sees it: parsed, and its expressions worked out for a stack that might be."""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from cfnlint.decode import cfn_yaml
from commands import ROOT

PATH = ROOT / "infrastructure" / "template.yaml"
BUCKET = "energy-analytics-0a1b2c3d"
DATABASE = "energy_db"
PSEUDO = {
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/energy/0a1b2c3d-0000-11f0-8000-0000",
    "AWS::StackName": "energy-analytics",
    "AWS::AccountId": "123456789012",
    "AWS::Region": "eu-central-1",
    "AWS::Partition": "aws",
    "AWS::NoValue": None,
}
NAMES = {"Bucket": BUCKET, "Database": DATABASE}


@cache
def template() -> dict[str, Any]:
    """Return the template, with its short forms of functions written out."""
    return json.loads(json.dumps(cfn_yaml.load(str(PATH))))


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a type, by logical id."""
    return {
        name: one.get("Properties", {})
        for name, one in template()["Resources"].items()
        if one["Type"] == f"AWS::{kind}"
    }


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a policy, with lists of actions and resources."""
    found = []
    for one in document["Statement"]:
        listed = {key: one[key] if isinstance(one.get(key), list) else [one.get(key)] for key in ("Action", "Resource")}
        found.append(one | listed)
    return found


def references(value: Any) -> Iterator[str]:
    """Give the names that Ref, GetAtt and Sub ask for."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif key == "Fn::Sub":
                text, own = inner if isinstance(inner, list) else (inner, {})
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([\w:.]+)\}", text) if name not in own)
                yield from references(own)
            else:
                yield from references(inner)


def resolved(value: Any, **parameters: Any) -> Any:
    """Work out a value for a stack with these parameters; a resource is called by its logical id."""
    if isinstance(value, list):
        return [resolved(one, **parameters) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)) in _FUNCTIONS:
        name, inner = next(iter(value.items()))
        return _FUNCTIONS[name](inner, parameters)
    return {key: resolved(one, **parameters) for key, one in value.items()}


def holds(condition: Any, **parameters: Any) -> bool:
    """Tell whether a condition, by its name or as an expression, is true for these parameters."""
    if isinstance(condition, str):
        return holds(template()["Conditions"][condition], **parameters)
    [(name, inner)] = condition.items()
    if name == "Fn::Equals":
        return str(resolved(inner[0], **parameters)) == str(resolved(inner[1], **parameters))
    told = [holds(one, **parameters) for one in inner]
    return {"Fn::Not": not told[0], "Fn::And": all(told), "Fn::Or": any(told)}[name]


def _chosen(inner: Any, parameters: dict[str, Any]) -> Any:
    return resolved(inner[1] if holds(inner[0], **parameters) else inner[2], **parameters)


def _substituted(inner: Any, parameters: dict[str, Any]) -> str:
    text, own = inner if isinstance(inner, list) else (inner, {})
    known = parameters | {key: resolved(one, **parameters) for key, one in own.items()}
    return re.sub(r"\$\{([\w:.]+)\}", lambda found: str(_named(found[1], known)), text)


def _named(name: str, parameters: dict[str, Any]) -> Any:
    for known in (parameters, PSEUDO, NAMES):
        if name in known:
            return known[name]
    declared = template()["Parameters"].get(name, {})
    return declared.get("Default", name)


_FUNCTIONS = {
    "Ref": _named,
    "Fn::If": _chosen,
    "Fn::GetAtt": lambda inner, parameters: ".".join(inner) if isinstance(inner, list) else inner,
    "Fn::Sub": _substituted,
    "Fn::Base64": lambda inner, parameters: base64.b64encode(resolved(inner, **parameters).encode()).decode(),
    "Fn::Split": lambda inner, parameters: resolved(inner[1], **parameters).split(inner[0]),
    "Fn::Select": lambda inner, parameters: resolved(inner[1], **parameters)[int(inner[0])],
}


def glue_tables() -> dict[str, dict[str, Any]]:
    """Return tables and views of the database by name."""
    return {one["TableInput"]["Name"]: resolved(one["TableInput"]) for one in resources("Glue::Table").values()}


def athena_view(name: str) -> dict[str, Any]:
    """Return what Athena keeps of a view: `originalSql`, `catalog`, `schema`, `columns`."""
    text = glue_tables()[name]["ViewOriginalText"]
    packed = re.fullmatch(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/", text)
    assert packed, text
    view: dict[str, Any] = json.loads(base64.b64decode(packed[1]))
    return view
