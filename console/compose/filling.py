"""The form that makes a given request."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from console.compose.beside import merged, rest
from console.compose.form import (
    BROADCAST,
    CHOICE,
    FIELDS,
    JSON,
    LAST_FIELDS,
    LINE,
    MORE,
    NUMBER,
    WHATSAPP_FORMS,
    WHOLE,
    Form,
    Step,
)
from console.compose.reading import request_of
from messaging.domain.messages import CHANNELS


def form_of(request: Mapping[str, Any]) -> Form:
    """The form that makes this request; what has no field is in the JSON beside the fields."""
    given = _without_defaults(request)
    form = Form(_values(given), _steps(given.get("steps")), _pairs(given.get("metadata")))
    said, _ = request_of(form)
    more = rest(given, said)
    if merged(said, more) != given:
        return Form({MORE: _typed_json(given)})
    return replace(form, values={**form.values, MORE: _typed_json(more)})


def _without_defaults(request: Mapping[str, Any]) -> dict[str, Any]:
    """The same request; what says no more than its absence does needs no field."""
    given = {
        name: value
        for name, value in request.items()
        if not (value == {} and name in {"to", "from", "content", "metadata"})
    }
    if given.get("category") == "utility":
        del given["category"]
    if isinstance(steps := given.get("steps"), list):
        given["steps"] = [_step_without_defaults(one) for one in steps]
    return given


def _step_without_defaults(step: Any) -> Any:  # noqa: ANN401 - it may be anything
    """An empty object in a step says something: that what it lacks is looked for there."""
    if not isinstance(step, dict) or step.get("success") != "delivered":
        return step
    return {name: value for name, value in step.items() if name != "success"}


def _values(given: Mapping[str, Any]) -> dict[str, str]:
    values = {
        name: _typed(_at(given, name), kind)
        for name, kind in {**FIELDS, **LAST_FIELDS}.items()
        if kind != CHOICE
    }
    values["/content/whatsapp"] = _whatsapp_form(_at(given, "/content/whatsapp"))
    values["/content/email"] = _email_form(_at(given, "/content/email"))
    return values


def _whatsapp_form(said: Any) -> str:  # noqa: ANN401 - as above
    forms = [one for one in WHATSAPP_FORMS if isinstance(said, dict) and one in said]
    return forms[0] if len(forms) == 1 else ""


def _email_form(said: Any) -> str:  # noqa: ANN401 - as above
    if not isinstance(said, dict) or not said:
        return ""
    return "template" if "template" in said else "words"


def _at(given: Any, pointer: str) -> Any:  # noqa: ANN401 - as above
    for part in pointer[1:].split("/"):
        given = given.get(part) if isinstance(given, dict) else None
    return given


def _typed(value: Any, kind: str) -> str:  # noqa: ANN401 - as above
    """What is typed for this value; empty where that cannot be typed into such a field."""
    if kind == JSON:
        return "" if value is None else _typed_json(value, empty="[]" if value == [] else "{}")
    if kind == NUMBER:
        return _number_typed(value)
    return value if isinstance(value, str) and _fits(value, kind) else ""


def _fits(text: str, kind: str) -> bool:
    """A browser changes carriage returns and zeros, and in one line every line break."""
    return not set(text) & ({"\r", "\0", "\n"} if kind == LINE else {"\r", "\0"})


def _number_typed(value: Any) -> str:  # noqa: ANN401 - as above
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole and WHOLE.fullmatch(str(value)) else ""


def _typed_json(value: Any, empty: str = "") -> str:  # noqa: ANN401 - as above
    return json.dumps(value, ensure_ascii=False, indent=2) if value else empty


def _steps(given: Any) -> tuple[Step, ...]:  # noqa: ANN401 - as above
    if not isinstance(given, list) or not all(isinstance(step, dict) for step in given):
        return ()
    return tuple(_step(step, key) for key, step in enumerate(given, 1))


def _how(given: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    channel, several = given.get("channel"), given.get("broadcast")
    if channel in CHANNELS and several is None:
        return str(channel), ()
    if channel is None and isinstance(several, list) and _each_once(several):
        return BROADCAST, tuple(several)
    return "", ()


def _each_once(channels: list[Any]) -> bool:
    return all(one in CHANNELS for one in channels) and len(set(channels)) == len(channels)


def _success(given: Mapping[str, Any]) -> str:
    success = given.get("success")
    return success if success in ("sent", "read") else ""


def _pairs(given: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - as above
    if not isinstance(given, dict):
        return ()
    return tuple(_fitting_pairs(given.items()))


def _fitting_pairs(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if isinstance(value, str) and name and _fits(name, LINE) and _fits(value, LINE):
            yield name, value


def _step(given: Mapping[str, Any], key: int) -> Step:
    step = Step(key, *_how(given), _number_typed(given.get("wait_seconds")), _success(given))
    return replace(step, more=_typed_json(rest(given, step.plain())))
