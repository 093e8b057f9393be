"""A synthesized template, read the way a person would say it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Template:
    """A template whose references are names: `Store/Messages` without CDK's hashes."""

    body: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(json.loads(path.read_text()))

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        return {name: _named(resource) for name, resource in self._by_name()}

    def _by_name(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((_name(key), resource) for key, resource in self.body["Resources"].items())

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by name."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def only(self, kind: str) -> dict[str, Any]:
        (properties,) = self.of_type(kind).values()
        return properties

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """The properties of the functions, by the file that each runs."""
        return {
            properties["Handler"].removesuffix(".handler"): properties
            for properties in self.of_type("AWS::Lambda::Function").values()
        }

    def allowed(self, role: str) -> set[tuple[str, str]]:
        """Every pair of action and resource that the role's policies allow."""
        return {
            (action, resource)
            for policy in self.of_type("AWS::IAM::Policy").values()
            if role in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in _list(statement["Action"])
            for resource in _list(statement["Resource"])
        }


def _name(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)


def _named(value: Any) -> Any:
    """The same with every reference replaced by the name of what it refers to."""
    match value:
        case {"Ref": str(name)}:
            return f"<{name}>" if name.startswith("AWS::") else _name(name)
        case {"Fn::GetAtt": [str(name), "Arn" | "Name" | "QueueName"]}:
            return _name(name)
        case {"Fn::Join": ["", [*parts]]}:
            return "".join(_named(part) for part in parts)
        case dict():
            return {key: _named(each) for key, each in value.items()}
        case list():
            return [_named(each) for each in value]
        case _:
            return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
