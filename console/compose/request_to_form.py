"""Fills the form from a request. What has no field becomes JSON, so that nothing is lost."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from console.compose.form import BROADCAST, MORE, WHOLE_NUMBER, FormStep, MessageForm
from console.compose.form_to_request import request_of
from console.compose.json_merge import difference, merged
from console.compose.request_fields import CHOICES, CONTENT, FIELDS, JSON, LINE, NUMBER
from messaging.channels.catalog import channels

_DEFAULTS: Final[Mapping[str, Any]] = {
    **{name: {} for name in ("to", "from", "content", "metadata")},
    **{
        field.name: field.default for field in FIELDS.values() if field.default and not field.parent
    },
}


def form_of(request: Mapping[str, Any]) -> MessageForm:
    """The form from which `request_of` makes this request, whatever the request is."""
    given = _without_defaults(request)
    form = MessageForm(_values(given), _steps(given.get("steps")), _pairs(given.get("metadata")))
    base, _ = request_of(form)
    more = difference(given, base)
    if merged(base, more) != given:
        return MessageForm({MORE: _json_text(given)})
    return replace(form, values={**form.values, MORE: _json_text(more)})


def _without_defaults(request: Mapping[str, Any]) -> dict[str, Any]:
    """The same request; a value that equals its default needs no field."""
    given = {
        name: value
        for name, value in request.items()
        if name not in _DEFAULTS or value != _DEFAULTS[name]
    }
    if isinstance(steps := given.get("steps"), list):
        given["steps"] = [_step_without_defaults(one) for one in steps]
    return given


def _step_without_defaults(step: Any) -> Any:  # noqa: ANN401 - any JSON
    """An empty object in a step is kept: it replaces the message's."""
    if not isinstance(step, dict) or step.get("success") != "delivered":
        return step
    return {name: value for name, value in step.items() if name != "success"}


def _values(given: Mapping[str, Any]) -> dict[str, str]:
    texts = {pointer: _text(_at(given, pointer), field.kind) for pointer, field in FIELDS.items()}
    return texts | {pointer: _alternative(pointer, _at(given, pointer)) for pointer in CHOICES}


def _alternative(pointer: str, content: Any) -> str:  # noqa: ANN401 - any JSON
    """The alternative of which the content has a field; empty where that is not one."""
    if not isinstance(content, dict):
        return ""
    found = [
        alternative
        for alternative, fields in CONTENT[pointer.rpartition("/")[2]].items()
        if any(field.path[2] in content for field in fields)
    ]
    return found[0] if len(found) == 1 else ""


def _at(given: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    for part in pointer[1:].split("/"):
        given = given.get(part) if isinstance(given, dict) else None
    return given


def _text(value: Any, kind: str) -> str:  # noqa: ANN401 - any JSON
    """What a user enters for this value; empty where such a field cannot hold it."""
    if kind == JSON:
        return "" if value is None else _json_text(value, empty="[]" if value == [] else "{}")
    if kind == NUMBER:
        return _number_text(value)
    return value if isinstance(value, str) and _fits(value, kind) else ""


def _fits(text: str, kind: str) -> bool:
    """A browser changes carriage returns and zeros, and in one line every line break."""
    return not set(text) & ({"\r", "\0", "\n"} if kind == LINE else {"\r", "\0"})


def _number_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole and WHOLE_NUMBER.fullmatch(str(value)) else ""


def _json_text(value: Any, empty: str = "") -> str:  # noqa: ANN401 - any JSON
    return json.dumps(value, ensure_ascii=False, indent=2) if value else empty


def _steps(given: Any) -> tuple[FormStep, ...]:  # noqa: ANN401 - any JSON
    if not isinstance(given, list) or not all(isinstance(step, dict) for step in given):
        return ()
    return tuple(_step(step, key) for key, step in enumerate(given, 1))


def _step(given: Mapping[str, Any], key: int) -> FormStep:
    success = given.get("success")
    step = FormStep(
        key,
        *_channels(given),
        wait_seconds=_number_text(given.get("wait_seconds")),
        success=success if success in ("sent", "read") else "",
    )
    return replace(step, more=_json_text(difference(given, step.request_step())))


def _channels(given: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    channel, broadcast = given.get("channel"), given.get("broadcast")
    if broadcast is None and isinstance(channel, str) and channel in channels():
        return channel, ()
    if channel is None and isinstance(broadcast, list) and _are_distinct_channels(broadcast):
        return BROADCAST, tuple(broadcast)
    return "", ()


def _are_distinct_channels(names: list[Any]) -> bool:
    known = all(isinstance(one, str) and one in channels() for one in names)
    return known and len(set(names)) == len(names)


def _pairs(given: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - any JSON
    return tuple(_fitting_pairs(given)) if isinstance(given, dict) else ()


def _fitting_pairs(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if isinstance(value, str) and name and _fits(name, LINE) and _fits(value, LINE):
            yield name, value
