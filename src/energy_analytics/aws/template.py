"""The CloudFormation template as this project reads it: its parameters, and what its expressions come to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from .deployment import Names

TEMPLATE: Final = "infrastructure/template.yaml"
TemplateBody = dict[str, Any]

_UNKNOWN_ID: Final = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]+)\}")


class _Nothing:
    """What AWS::NoValue comes to: the property is not there."""


NOTHING: Final = _Nothing()


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions, such as `!Ref X`, as their long ones."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if name == "Fn::GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has no fourth kind
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _function)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
"""A policy's version, 2012-10-17, stays the text it is."""


def parse_template(text: str) -> TemplateBody:
    """Return the template as data, its functions in their long form."""
    parsed: TemplateBody = yaml.load(text, Loader=_Loader)  # noqa: S506  # nosec B506
    return parsed


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the template whose condition holds. Its properties are resolved as far as can be told before."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A template with its parameters put in. What only the deployment will tell stays as the resource's own name."""

    body: TemplateBody
    values: Mapping[str, str]
    names: Names
    stack_id: str

    @classmethod
    def of(cls, text: str, *, parameters: Mapping[str, str], names: Names, stack_id: str | None = None) -> "Evaluated":
        """Read the template's text; parameters that are not given have their defaults.

        Before there is a stack nobody knows its id, nor the bucket's name that is cut from it.
        """
        body = parse_template(text)
        defaults = {
            name: str(one["Default"]) for name, one in body.get("Parameters", {}).items() if one and "Default" in one
        }
        unknown = f"arn:aws:cloudformation:{names.region}:{names.account}:stack/{names.stack}/{_UNKNOWN_ID}"
        return cls(body, defaults | dict(parameters), names, stack_id or unknown)

    def resources(self) -> Iterator[Resource]:
        """Give the resources that would be made, in the template's order."""
        for logical_id, one in self.body["Resources"].items():
            if "Condition" in one and not self.holds(one["Condition"]):
                continue
            yield Resource(logical_id, one["Type"], self.resolve(one.get("Properties", {})))

    def holds(self, condition: Any) -> bool:
        """Tell whether a condition, by its name or as an expression, is true."""
        if isinstance(condition, str):
            return self.holds(self.body["Conditions"][condition])
        [(function, value)] = condition.items()
        match function:
            case "Condition":
                return self.holds(value)
            case "Fn::Not":
                return not self.holds(value[0])
            case "Fn::And":
                return all(map(self.holds, value))
            case "Fn::Or":
                return any(map(self.holds, value))
            case "Fn::Equals":
                return str(self.resolve(value[0])) == str(self.resolve(value[1]))
        raise ValueError(f"The template's condition {function} is not one that can be told.")

    def resolve(self, node: Any) -> Any:
        """Return what an expression comes to."""
        if isinstance(node, list):
            return [one for one in map(self.resolve, node) if one is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(function, value)] = node.items()
            if function == "Ref" or (isinstance(function, str) and function.startswith("Fn::")):
                return self._call(function, value)
        resolved = {name: self.resolve(value) for name, value in node.items()}
        return {name: value for name, value in resolved.items() if value is not NOTHING}

    def _call(self, function: str, value: Any) -> Any:
        if function in {"Fn::Join", "Fn::Select", "Fn::Split", "Fn::FindInMap"}:
            return self._pick(function, value)
        match function:
            case "Ref":
                return self._ref(value)
            case "Fn::GetAtt":
                return self._attribute(*(value if isinstance(value, list) else value.split(".", 1)))
            case "Fn::If":
                return self.resolve(value[1] if self.holds(value[0]) else value[2])
            case "Fn::Sub":
                return self._substitute(value)
        return {function: self.resolve(value)}

    def _pick(self, function: str, value: Any) -> Any:
        match function:
            case "Fn::Join":
                return str(value[0]).join(str(one) for one in self.resolve(value[1]))
            case "Fn::Select":
                options = self.resolve(value[1])
                return options[int(value[0])] if int(value[0]) < len(options) else "?"
            case "Fn::Split":
                return str(self.resolve(value[1])).split(str(value[0]))
        first, second, third = (str(self.resolve(one)) for one in value[:3])
        return self.body["Mappings"][first][second][third]

    def _ref(self, name: str) -> Any:
        own = {
            "AWS::AccountId": self.names.account,
            "AWS::Region": self.names.region,
            "AWS::StackName": self.names.stack,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": self.stack_id,
            "AWS::NoValue": NOTHING,
        }
        if name in own:
            return own[name]
        if name in self.values:
            return self.values[name]
        return self._name_of(name)

    def _name_of(self, logical_id: str) -> str:
        properties = self.body["Resources"].get(logical_id, {}).get("Properties", {})
        properties = properties.get("DatabaseInput", properties)
        for property_name in _NAME_PROPERTIES:
            if property_name in properties:
                return str(self.resolve(properties[property_name]))
        return logical_id

    def _attribute(self, logical_id: str, attribute: str) -> str:
        name = self._name_of(logical_id)
        if attribute != "Arn":
            return name
        service = self.body["Resources"].get(logical_id, {}).get("Type", "").split("::")[1:2]
        return f"arn:aws:{''.join(service).lower()}:::{name}"

    def _substitute(self, value: Any) -> str:
        text, own = (value[0], value[1]) if isinstance(value, list) else (value, {})

        def put(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return "${" + name + "}"
            if name in own:
                return str(self.resolve(own[name]))
            if "." in name:
                return self._attribute(*name.split(".", 1))
            return str(self._ref(name))

        return _PLACEHOLDER.sub(put, text)


_NAME_PROPERTIES: Final = (
    "BucketName",
    "FunctionName",
    "RoleName",
    "QueueName",
    "TopicName",
    "LogGroupName",
    "LayerName",
    "DashboardName",
    "AlarmName",
    "ManagedPolicyName",
    "Name",
)
