"""Makes the request from the form."""

from typing import Any

from console.compose.form import MORE, FormStep, MessageForm, number
from console.compose.json_merge import merged
from console.compose.request_fields import (
    CHOICES,
    CONTENT,
    FIELDS,
    JSON,
    NUMBER,
    PLAIN,
    RequestField,
)
from messaging.api import requests
from messaging.api.models import MessageRequest
from messaging.domain.errors import InvalidRequest, Problem


def request_of(form: MessageForm) -> tuple[dict[str, Any], list[Problem]]:
    """The request, and a problem for each field whose text cannot be part of one."""
    problems: list[Problem] = []
    request: dict[str, Any] = {}
    for pointer in CHOICES:
        _add_chosen_object(request, pointer, form[pointer])
    for field in FIELDS.values():
        if _is_sent(form, field):
            value = _value(form[field.pointer], field, problems)
            _parent(request, field.path)[field.name] = value
    if form.steps:
        request["steps"] = [_step(*one, problems) for one in enumerate(form.steps)]
    if pairs := [pair for pair in form.metadata if any(pair)]:
        problems += _repeated([name for name, _ in pairs])
        request["metadata"] = dict(pairs)
    return _in_order(merged(request, _object(form[MORE], MORE, problems))), problems


def _value(text: str, field: RequestField, problems: list[Problem]) -> Any:  # noqa: ANN401 - any JSON
    if field.kind == NUMBER:
        return number(text)
    return _json(text, field.pointer, problems) if field.kind == JSON else text


def _json(text: str, place: str, problems: list[Problem]) -> Any:  # noqa: ANN401 - any JSON
    try:
        return requests.read(text.encode())
    except InvalidRequest as error:
        problems += [Problem(place, problem.detail) for problem in error.problems]
        return text


def _object(text: str, place: str, problems: list[Problem]) -> dict[str, Any]:
    found = _json(text, place, problems) if text.strip() else {}
    if isinstance(found, dict):
        return found
    if place not in {problem.pointer for problem in problems}:
        problems.append(Problem(place, "must be an object"))
    return {}


def _step(index: int, step: FormStep, problems: list[Problem]) -> dict[str, Any]:
    return merged(step.request_step(), _object(step.more, f"/steps/{index}/{MORE}", problems))


def _repeated(names: list[str]) -> list[Problem]:
    return [
        Problem(f"/metadata/{name}", "occurs twice; names must be unique")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def _add_chosen_object(request: dict[str, Any], pointer: str, chosen: str) -> None:
    """The chosen object is sent even if it is empty, so that the API says what is missing."""
    if chosen:
        is_object = chosen in CHOICES[pointer] and chosen != PLAIN
        _parent(request, [*pointer[1:].split("/"), *([chosen] if is_object else []), ""])


def _is_sent(form: MessageForm, field: RequestField) -> bool:
    choice = f"/content/{field.channel}"
    if choice not in CHOICES:
        return bool(form[field.pointer])
    if form[choice] != field.alternative:
        return False
    # The only field of what was chosen is sent even if it is empty, as above.
    alone = field.alternative == PLAIN and len(CONTENT[field.channel][PLAIN]) == 1
    return bool(form[field.pointer]) or alone


def _parent(request: dict[str, Any], path: list[str]) -> dict[str, Any]:
    """The object that has the path's last name; created where it is missing."""
    for part in path[:-1]:
        request = request.setdefault(part, {})
    return request


def _in_order(request: dict[str, Any]) -> dict[str, Any]:
    """In the order of the API's documentation; unknown names come last."""
    names = [info.alias or name for name, info in MessageRequest.model_fields.items()]
    return {name: request[name] for name in (*names, *request) if name in request}
