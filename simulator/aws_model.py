"""Checks requests and error names against the service models that AWS publishes with its SDK."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

Json = dict[str, Any]

# Errors that every AWS service can return; no service's own model has them.
COMMON_ERRORS = {
    "ExpiredTokenException": 403,
    "InternalFailure": 500,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLarge": 413,
    "SerializationException": 400,
    "ServiceUnavailable": 503,
    "UnrecognizedClientException": 403,
}


class AwsError(Exception):
    """An error response of AWS: exception name, message, and further members of its model."""

    def __init__(self, code: str, message: str, **members: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.members = members


@dataclass(frozen=True)
class ConstraintViolation:
    """One member that violates its constraint; `path` as in `Content.Simple.Subject`."""

    path: str
    constraint: str

    def message(self) -> str:
        at = ".".join(part[:1].lower() + part[1:] for part in self.path.split("."))
        return f"Value at '{at}' failed to satisfy constraint: {self.constraint}"


@dataclass(frozen=True)
class AwsOperation:
    """One API operation: where it takes requests, and which requests and errors it has."""

    service: str
    name: str
    model: OperationModel = field(repr=False)

    @property
    def rest(self) -> bool:
        return self.model.service_model.protocol == "rest-json"

    @property
    def method(self) -> str:
        return str(self.model.http["method"])

    @property
    def path(self) -> str:
        return str(self.model.http["requestUri"])

    @property
    def target(self) -> str | None:
        """The X-Amz-Target of the JSON protocol; None in REST, where the path is enough."""
        prefix = self.model.service_model.metadata.get("targetPrefix")
        return None if prefix is None else f"{prefix}.{self.name}"

    def violations(self, body: Json) -> list[ConstraintViolation]:
        """Every invalid member; raises AwsError for a value of the wrong type."""
        shape = self.model.input_shape
        return [] if shape is None else list(_violations(shape, body, ""))

    def status_of(self, code: str) -> int:
        if code in COMMON_ERRORS:
            return COMMON_ERRORS[code]
        shape = self._errors().get(code)
        traits = {} if shape is None else shape.metadata.get("error", {})
        # The JSON protocol has no status in the model: server faults are 500, everything else 400.
        return int(traits.get("httpStatusCode", 500 if code.startswith("Internal") else 400))

    def check_error(self, code: str, members: Mapping[str, object]) -> None:
        """Raises ValueError, with the errors of the operation, if it cannot return this error."""
        if code in COMMON_ERRORS:
            return
        if code not in self._errors():
            known = ", ".join(sorted({*self._errors(), *COMMON_ERRORS}))
            raise ValueError(f"'{code}' is not an exception of {self.name}, which has {known}")
        for name, value in members.items():
            _check_member(self._errors()[code], name, value)

    def _errors(self) -> dict[str, Shape]:
        return {shape.name: shape for shape in self.model.error_shapes}


@cache
def aws_operation(service: str, name: str) -> AwsOperation:
    model = botocore.session.get_session().get_service_model(service)
    return AwsOperation(service, name, model.operation_model(name))


def validation_message(violations: list[ConstraintViolation]) -> str:
    """AWS's own message about a request that violates the model."""
    count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
    return f"{count}: {'; '.join(violation.message() for violation in violations)}"


def _check_member(shape: Shape, name: str, value: object) -> None:
    members: Mapping[str, Shape] = shape.members if isinstance(shape, StructureShape) else {}
    if name not in members:
        raise ValueError(
            f"'{name}' is not a member of {shape.name}, which has {', '.join(members)}"
        )
    allowed = members[name].metadata.get("enum")
    if allowed and value not in allowed:
        raise ValueError(
            f"'{value}' is not a {name} of {shape.name}, which has {', '.join(allowed)}"
        )


def _violations(shape: Shape, value: object, path: str) -> Iterator[ConstraintViolation]:
    expected = _TYPES.get(shape.type_name)
    if expected is not None and not _is(value, expected):
        raise AwsError("SerializationException", f"{path or 'The body'} is not a {shape.type_name}")
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from _structure_violations(shape, value, path)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        yield from _map_violations(shape, value, path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _list_violations(shape, value, path)
    else:
        yield from _scalar_violations(shape, value, path)


_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),
    "integer": (int,),
    "boolean": (bool,),
}


def _is(value: object, expected: tuple[type, ...]) -> bool:
    # In Python a bool is an int; on the wire it is not.
    return isinstance(value, expected) and (not isinstance(value, bool) or bool in expected)


def _structure_violations(
    shape: StructureShape, value: Json, path: str
) -> Iterator[ConstraintViolation]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield ConstraintViolation(_join(path, name), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _violations(member, value[name], _join(path, name))


def _map_violations(shape: MapShape, value: Json, path: str) -> Iterator[ConstraintViolation]:
    yield from _size_violations(shape, len(value), path, "length")
    for key, item in value.items():
        yield from _violations(shape.key, key, _join(path, "key"))
        yield from _violations(shape.value, item, _join(path, f"{key}.value"))


def _list_violations(
    shape: ListShape, value: list[object], path: str
) -> Iterator[ConstraintViolation]:
    yield from _size_violations(shape, len(value), path, "length")
    for number, item in enumerate(value, start=1):
        yield from _violations(shape.member, item, _join(path, f"{number}.member"))


def _scalar_violations(shape: Shape, value: object, path: str) -> Iterator[ConstraintViolation]:
    if isinstance(value, int):
        yield from _size_violations(shape, value, path, "value")
    elif isinstance(value, str):
        size = len(decoded(value, path)) if shape.type_name == "blob" else len(value)
        yield from _size_violations(shape, size, path, "length")
        yield from _text_violations(shape, value, path)


def _text_violations(shape: Shape, value: str, path: str) -> Iterator[ConstraintViolation]:
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield ConstraintViolation(
            path, f"Member must satisfy regular expression pattern: {pattern}"
        )
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield ConstraintViolation(
            path, f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        )


def _size_violations(
    shape: Shape, size: int, path: str, what: str
) -> Iterator[ConstraintViolation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield ConstraintViolation(path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield ConstraintViolation(path, f"Member must have {what} less than or equal to {most}")


def decoded(blob: str, path: str) -> bytes:
    """The bytes of a blob member; raises AwsError if it is not base64."""
    try:
        return base64.b64decode(blob, validate=True)
    except binascii.Error as error:
        raise AwsError("SerializationException", f"{path} is not base64") from error


def parse_json(raw: bytes) -> object:
    """The JSON, without members that are null: AWS ignores them.

    Raises ValueError if it is not JSON in UTF-8, or has an unpaired surrogate.
    """
    try:
        value = json.loads(raw)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    return _without_nulls(value)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
