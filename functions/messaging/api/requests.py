"""Checks a request: reads its JSON and returns what is planned, or reports all problems at once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json

from messaging.api import sample
from messaging.api.completeness import missing_problems
from messaging.api.models import MessageRequest
from messaging.api.surrogates import surrogate_problems
from messaging.api.validation import M, validated
from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.messages import MESSAGE_ID, Message
from messaging.domain.plan import RequestedStep, make_plan
from messaging.domain.statuses import Success

MAX_BYTES = 262_144  # the hard limit of an execution's input
MAX_KEPT_BYTES = 384_000  # DynamoDB's item limit of 400 KiB, less the other attributes


@dataclass(frozen=True, slots=True)
class Request:
    """A valid request: `document` is its JSON, `steps` is the planner's input."""

    document: Mapping[str, Any]
    steps: tuple[RequestedStep, ...]
    expires_in_seconds: int | None

    def message(self, message_id: str, now: datetime, default_waits: Mapping[str, int]) -> Message:
        """The message with its plan; `default_waits` are seconds by channel."""
        expiry = self.expires_in_seconds
        return Message(
            message_id=message_id,
            accepted_at=now,
            plan=make_plan(self.steps, default_waits, expiry),
            expires_at=now + timedelta(seconds=expiry) if expiry else None,
        )


def read(body: bytes) -> object:
    """The JSON of a body. Raises `InvalidRequest` if it is not valid JSON."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidRequest([Problem("", f"is not valid JSON: {error}")]) from error


def check_body(model: type[M], body: bytes) -> M:
    """The body as the model has it; an empty one is an empty object. Raises `InvalidRequest`."""
    document = read(body or b"{}")
    if problems := surrogate_problems(document):
        raise InvalidRequest(problems)
    found, invalid = validated(model, document)
    if found is None:
        raise InvalidRequest([one.problem for one in invalid])
    return found


def check_message_id(message_id: str) -> None:
    """Raises `InvalidRequest` if the name of an execution is not a valid message id."""
    if not MESSAGE_ID.fullmatch(message_id):
        detail = "can contain only 0-9, A-Z, a-z, _ and -, because it becomes the message's id"
        raise InvalidRequest([Problem("the execution's name", detail)])


def check(body: object, senders: Mapping[str, str]) -> Request:
    """The request in a JSON document of this API or of the sample.

    `senders`: the stack's, by channel. Raises `InvalidRequest` with every problem: first the
    invalid fields, then the missing ones. A document that UTF-8 cannot encode has no others.
    """
    if problems := surrogate_problems(body):
        raise InvalidRequest(problems)
    if not sample.is_sample(body):
        return _check(body, senders)
    translated = sample.translated(body, lambda document: _problems(document, senders))
    return _check(translated, senders)


def _problems(body: object, senders: Mapping[str, str]) -> list[Problem]:
    try:
        _check(body, senders)
    except InvalidRequest as error:
        return error.problems
    return []


def _check(body: object, senders: Mapping[str, str]) -> Request:
    model, invalid = validated(MessageRequest, body)
    if model is None:
        missing = missing_problems(body, [one.location for one in invalid], senders)
        raise InvalidRequest([*(one.problem for one in invalid), *missing])
    document = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document |= {"category": model.category}
    if problems := [*_size_problems(document), *missing_problems(document, (), senders)]:
        raise InvalidRequest(problems)
    steps = tuple(
        RequestedStep(
            step.channels, step.broadcast is not None, step.wait_seconds, Success(step.success)
        )
        for step in model.steps
    )
    return Request(document, steps, model.expires_in_seconds)


def _size_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """A number can be longer once it is serialized: 1e15 becomes 1000000000000000.0."""
    size = len(json.dumps(document, ensure_ascii=False).encode())
    if size > MAX_KEPT_BYTES:
        detail = f"is {size} bytes after serialization; the maximum is {MAX_KEPT_BYTES}"
        yield Problem("", detail)
