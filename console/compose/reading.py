"""The request that a form makes."""

from typing import Any

from console.compose.beside import merged
from console.compose.form import (
    CHOICE,
    EMAIL_FORMS,
    FIELDS,
    JSON,
    LAST_FIELDS,
    MORE,
    NUMBER,
    Form,
    Step,
    number,
)
from messaging.api import requests
from messaging.domain.errors import InvalidRequest, Problem


def request_of(form: Form) -> tuple[dict[str, Any], list[Problem]]:
    """The request, and where the form holds what cannot be part of one."""
    reader = _Reader()
    request = reader.request(form)
    return request, reader.problems


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
        return merged(request, more)

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
            return number(text)
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
        return merged(step.plain(), self._object(step.more, f"/steps/{place}/{MORE}"))

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
