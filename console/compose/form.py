"""The form: what was typed, the request that it makes, and the form that makes a given request."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from starlette.datastructures import FormData

from messaging import requests
from messaging.errors import InvalidRequest, Problem
from messaging.messages import CHANNELS

# How the text of a field becomes JSON.
TEXT, LINE, NUMBER, JSON, CHOICE = "text", "line", "number", "json", "choice"

# Every field that is there once, in the request's order, named by its JSON pointer.
FIELDS: Final[Mapping[str, str]] = {
    "/to/whatsapp": LINE,
    "/to/sms": LINE,
    "/to/email": LINE,
    "/from/whatsapp": LINE,
    "/from/sms": LINE,
    "/from/email": LINE,
    "/content/text": TEXT,
    "/content/subject": LINE,
    "/content/html": TEXT,
    "/content/whatsapp": CHOICE,
    "/content/whatsapp/text": TEXT,
    "/content/whatsapp/template/name": LINE,
    "/content/whatsapp/template/language": LINE,
    "/content/whatsapp/template/components": JSON,
    "/content/whatsapp/image/link": LINE,
    "/content/whatsapp/image/caption": TEXT,
    "/content/whatsapp/document/link": LINE,
    "/content/whatsapp/document/caption": TEXT,
    "/content/whatsapp/document/filename": LINE,
    "/content/sms/text": TEXT,
    "/content/email": CHOICE,
    "/content/email/subject": LINE,
    "/content/email/text": TEXT,
    "/content/email/html": TEXT,
    "/content/email/template/name": LINE,
    "/content/email/template/data": JSON,
}
# These come after the steps.
LAST_FIELDS: Final[Mapping[str, str]] = {"/category": LINE, "/expires_in_seconds": NUMBER}
# What is sent beside the request, and the JSON for which there is no field.
IDEMPOTENCY_KEY, MORE = "idempotency_key", "more"
NAMES: Final = (*FIELDS, *LAST_FIELDS, IDEMPOTENCY_KEY, MORE)

WHATSAPP_FORMS: Final = ("text", "template", "image", "document")
EMAIL_FORMS: Final = {"words": ("subject", "text", "html"), "template": ("template",)}
BROADCAST: Final = "broadcast"

_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_KEY = re.compile(r"[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True)
class Step:
    """One step as typed. `key` names it however often it moves; `several` is a broadcast's."""

    key: int
    how: str = ""
    several: tuple[str, ...] = ()
    wait: str = ""
    success: str = ""
    more: str = ""

    @classmethod
    def posted(cls, data: FormData, key: int) -> Self:
        place = f"/steps/{key}"
        several = [one for one in data.getlist(f"{place}/broadcast") if one in CHANNELS]
        return cls(
            key,
            _posted(data, f"{place}/channel"),
            tuple(str(one) for one in several),
            _posted(data, f"{place}/wait_seconds"),
            _posted(data, f"{place}/success"),
            _posted(data, f"{place}/more"),
        )

    @classmethod
    def of(cls, given: Mapping[str, Any], key: int) -> Self:
        """The step of a request; what has no field of its own is in `more`."""
        step = cls(key, *_how(given), _number_typed(given.get("wait_seconds")), _success(given))
        return replace(step, more=_typed_json(_rest(given, step.plain())))

    def plain(self) -> dict[str, Any]:
        """The step of the request as far as the fields say it."""
        said: dict[str, Any] = {}
        if self.how == BROADCAST:
            said["broadcast"] = list(self.several)
        elif self.how:
            said["channel"] = self.how
        if self.wait:
            said["wait_seconds"] = _number(self.wait)
        if self.success:
            said["success"] = self.success
        return said

    @property
    def choices(self) -> tuple[str, ...]:
        """The channels in the order in which a broadcast names them, then the others."""
        return self.several + tuple(one for one in CHANNELS if one not in self.several)


@dataclass(frozen=True)
class Form:
    """All that was typed. It is all the state there is: the page hands it on from post to post."""

    values: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @classmethod
    def posted(cls, data: FormData) -> Self:
        """What a browser has sent, whatever it is."""
        keys = dict.fromkeys(one for one in data.getlist("step") if _KEY.fullmatch(str(one)))
        names, values = _column(data, "metadata_name"), _column(data, "metadata_value")
        return cls(
            {name: _posted(data, name) for name in NAMES},
            tuple(Step.posted(data, int(str(key))) for key in keys),
            tuple(zip(names, values, strict=False)),
        )

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Self:
        """The form that makes this request; what has no field is in the JSON beside the fields."""
        given = _without_defaults(request)
        form = cls(_values(given), _steps(given.get("steps")), _pairs(given.get("metadata")))
        said, _ = form.request()
        more = _rest(given, said)
        if _merged(said, more) != given:
            return cls({MORE: _typed_json(given)})
        return replace(form, values={**form.values, MORE: _typed_json(more)})

    def request(self) -> tuple[dict[str, Any], list[Problem]]:
        """The request that the form makes, and where it holds what cannot be part of one."""
        reader = _Reader()
        request = reader.request(self)
        return request, reader.problems

    def kept_beside(self) -> bool:
        """Whether parts of the request stand as JSON, since the form has no fields for them."""
        return bool(self[MORE] or any(step.more for step in self.steps))


class _Reader:
    """Reads the typed texts as JSON and collects what cannot be read."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def request(self, form: Form) -> dict[str, Any]:
        request: dict[str, Any] = {}
        for name, kind in FIELDS.items():
            self._put(request, form, name, kind)
        if form.steps:
            request["steps"] = [self._step(*one) for one in enumerate(form.steps)]
        for name, kind in LAST_FIELDS.items():
            self._put(request, form, name, kind)
        if pairs := [pair for pair in form.metadata if any(pair)]:
            request["metadata"] = self._metadata(pairs)
        more = self._object(form[MORE], MORE)
        return _merged(request, more)

    def _put(self, request: dict[str, Any], form: Form, name: str, kind: str) -> None:
        way = name[1:].split("/")
        if kind == CHOICE:
            self._choose(request, way, form[name])
        elif (form[name] or _must_be_said(form, way)) and _chosen(form, way):
            _holder(request, way)[way[-1]] = self._value(form[name], name, kind)

    def _choose(self, request: dict[str, Any], way: list[str], choice: str) -> None:
        """What is chosen is there before anything is typed in it: the API says what it lacks."""
        if choice in {"template", "image", "document"}:
            _holder(request, [*way, choice, ""])
        elif choice:
            _holder(request, [*way, ""])

    def _value(self, text: str, place: str, kind: str) -> Any:  # noqa: ANN401 - any JSON
        if kind == NUMBER:
            return _number(text)
        return self._json(text, place) if kind == JSON else text

    def _json(self, text: str, place: str) -> Any:  # noqa: ANN401 - any JSON
        try:
            return requests.read(text.encode())
        except InvalidRequest as error:
            self.problems += [Problem(place, problem.detail) for problem in error.problems]
            return text

    def _object(self, text: str, place: str) -> dict[str, Any]:
        if not text.strip():
            return {}
        found = self._json(text, place)
        if isinstance(found, dict):
            return found
        if not any(problem.pointer == place for problem in self.problems):
            self.problems.append(Problem(place, "must be an object"))
        return {}

    def _step(self, place: int, step: Step) -> dict[str, Any]:
        return _merged(step.plain(), self._object(step.more, f"/steps/{place}/{MORE}"))

    def _metadata(self, pairs: list[tuple[str, str]]) -> dict[str, str]:
        for name in sorted({name for name, _ in pairs}):
            if sum(one == name for one, _ in pairs) > 1:
                self.problems.append(
                    Problem(f"/metadata/{name}", "is there twice; each name may be there once")
                )
        return dict(pairs)


def _must_be_said(form: Form, way: list[str]) -> bool:
    """A text that was chosen is said even if it is empty, so that the API asks for it."""
    return way == ["content", "whatsapp", "text"] and form["/content/whatsapp"] == "text"


def _chosen(form: Form, way: list[str]) -> bool:
    """Whether the field belongs to what was chosen for its channel."""
    if way[:2] == ["content", "whatsapp"]:
        return way[2] == form["/content/whatsapp"]
    if way[:2] == ["content", "email"]:
        return way[2] in EMAIL_FORMS.get(form["/content/email"], ())
    return True


def _holder(request: dict[str, Any], way: list[str]) -> dict[str, Any]:
    """The object that holds the last part of the way; made where it is not there."""
    for part in way[:-1]:
        request = request.setdefault(part, {})
    return request


def _number(text: str) -> int | str:
    """What is no whole number stays text, so that the API says so."""
    return int(text) if _WHOLE.fullmatch(text) else text


# ---- from a post


def _posted(data: FormData, name: str) -> str:
    """A browser sends each line break as CR and LF."""
    value = data.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _column(data: FormData, name: str) -> list[str]:
    return [one.replace("\r\n", "\n") for one in data.getlist(name) if isinstance(one, str)]


# ---- from a request


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
    return str(value) if whole and _WHOLE.fullmatch(str(value)) else ""


def _typed_json(value: Any, empty: str = "") -> str:  # noqa: ANN401 - as above
    return json.dumps(value, ensure_ascii=False, indent=2) if value else empty


def _steps(given: Any) -> tuple[Step, ...]:  # noqa: ANN401 - as above
    if not isinstance(given, list) or not all(isinstance(step, dict) for step in given):
        return ()
    return tuple(Step.of(step, key) for key, step in enumerate(given, 1))


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


# ---- JSON beside the fields


def _merged(said: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both together: objects name by name, for the rest what stands in `more`."""
    together = dict(said)
    for name, value in more.items():
        own = together.get(name)
        if isinstance(own, dict) and isinstance(value, dict):
            together[name] = _merged(own, value)
        else:
            together[name] = value
    return together


def _rest(given: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be merged into `said` to get `given`."""
    rest: dict[str, Any] = {}
    for name, value in given.items():
        if name not in said:
            rest[name] = value
        elif isinstance(value, dict) and isinstance(said[name], dict):
            if deeper := _rest(value, said[name]):
                rest[name] = deeper
        elif value != said[name] or type(value) is not type(said[name]):
            rest[name] = value
    return rest
