"""What openapi.yaml says of a request or a response, and whether it is true."""

import ast
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

API: dict[str, Any] = yaml.safe_load(Path("openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = API["components"]["schemas"]
OPERATIONS = [(path, method) for path, one in API["paths"].items() for method in one]


def pointed(reference: str) -> Any:
    node: Any = API
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with its reference resolved; keywords next to the reference take precedence.

    References within pydantic's schemas stay, because each model is compared on its own.
    """
    if not schema.get("$ref", "").startswith("#/components/"):
        return dict(schema)
    return {**resolved(pointed(schema["$ref"])), **schema}


def closed(schema: Any) -> Any:
    """The schema with additional fields forbidden."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {name: closed(one) for name, one in schema.items()}
    return {"additionalProperties": False, **tight} if "properties" in schema else tight


@cache
def validator(name: str, *, tight: bool = False) -> Draft202012Validator:
    schemas = closed(SCHEMAS) if tight else SCHEMAS
    document = {"components": {"schemas": schemas}, "$ref": f"#/components/schemas/{name}"}
    return Draft202012Validator(document, format_checker=Draft202012Validator.FORMAT_CHECKER)


def judged(name: str, body: object) -> bool:
    return bool(validator(name).is_valid(body))


def operation(path: str, method: str) -> Any:
    return API["paths"][path][method]


def content(path: str, method: str, status: str) -> dict[str, Any]:
    """The content of a response: its media type with its schema."""
    answers = operation(path, method)["responses"]
    content: dict[str, Any] = resolved(answers[status])["content"]
    return content


def schema_of(path: str, method: str, status: str) -> str:
    [media] = content(path, method, status).values()
    reference: str = media["schema"]["$ref"]
    return reference.rpartition("/")[2]


def untrue(answer: Mapping[str, Any], path: str, method: str) -> list[str]:
    """Each difference between a response and its description in the file."""
    status, headers = str(answer["statusCode"]), answer["headers"]
    said = resolved(operation(path, method)["responses"][status])
    errors = validator(schema_of(path, method, status), tight=True).iter_errors(
        json.loads(answer["body"])
    )
    known = set(said.get("headers", {})) | {"Content-Type", "Cache-Control"}
    needed = {name for name, one in said.get("headers", {}).items() if one.get("required")}
    return [
        *(f"{error.json_path}: {error.message}" for error in errors),
        *(
            f"media type {headers['Content-Type']}"
            for _ in {headers["Content-Type"]} - set(said["content"])
        ),
        *(f"unknown header {name}" for name in headers.keys() - known),
        *(f"no header {name}" for name in needed - headers.keys()),
    ]


def requested(path: str, method: str) -> dict[str, Any]:
    """The JSON body of a request: its schema and examples; empty if it has none."""
    body = operation(path, method).get("requestBody", {"content": {"application/json": {}}})
    found: dict[str, Any] = body["content"]["application/json"]
    return found


def statuses(path: str, method: str) -> set[int]:
    return {int(status) for status in operation(path, method)["responses"]}


def refusals() -> list[tuple[str, int, str, str]]:
    """The constant REFUSALS in infra/api.py, without the CDK behind it."""
    tree = ast.parse(Path("infra/api.py").read_text())
    [value] = [
        one.value
        for one in tree.body
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "REFUSALS"
    ]
    return list(ast.literal_eval(value))


def gateway_statuses() -> set[int]:
    """Those of API Gateway itself. An unknown path or method has no operation that could say 404 or
    405.
    """
    return {status for _, status, _, _ in refusals() if status not in {404, 405}}
