"""Which field of the form a mistake belongs to."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.compose.form import IDEMPOTENCY_KEY, MORE, NAMES, Form, Step
from messaging.domain.errors import Problem

# Where what is missing is filled in; a choice is the field of all that depends on it.
_INSTEAD = {"/content/sms": "/content/sms/text"}
# What is no part of the request has no pointer, but a name on the page.
_NAMED = {IDEMPOTENCY_KEY: "Idempotency-Key", MORE: "More, as JSON", "": "the request"}
_OF_STEP = frozenset({"channel", "broadcast", "wait_seconds", "success"})
_ONCE = frozenset(NAMES)


@dataclass(frozen=True)
class Mistake:
    """What is wrong where, and the id of the element that is its field, None if there is none."""

    field: str | None
    place: str
    detail: str


def mistakes(form: Form, problems: Iterable[Problem]) -> tuple[Mistake, ...]:
    return tuple(
        Mistake(_field(form, one.pointer), _NAMED.get(one.pointer, one.pointer), one.detail)
        for one in problems
    )


def _field(form: Form, pointer: str) -> str | None:
    if pointer in {IDEMPOTENCY_KEY, MORE}:
        return pointer
    parts = pointer[1:].split("/")
    if parts[0] == "steps":
        return _field_of_steps(form, parts[1:])
    if parts[0] == "metadata":
        return _field_of_metadata(form, parts[1:])
    return _nearest(parts) or (MORE if form[MORE] and pointer else None)


def _nearest(parts: list[str]) -> str | None:
    """The field of the place itself, or of the nearest place above it."""
    for length in range(len(parts), 0, -1):
        above = "/" + "/".join(parts[:length])
        place = _INSTEAD.get(above, above)
        if place in _ONCE:
            return place
    return None


def _field_of_steps(form: Form, way: list[str]) -> str:
    if not way:
        return "steps"
    step = _step(form, way[0])
    if step is None:
        return MORE if form[MORE] else "steps"
    place = f"/steps/{step.key}"
    if len(way) == 1:
        return f"{place}/channel"
    return f"{place}/{way[1] if way[1] in _OF_STEP else MORE}"


def _step(form: Form, number: str) -> Step | None:
    """By its place in the request."""
    known = number.isdecimal() and int(number) < len(form.steps)
    return form.steps[int(number)] if known else None


def _field_of_metadata(form: Form, way: list[str]) -> str:
    name = "/".join(way).replace("~1", "/").replace("~0", "~")
    for number, (one, value) in enumerate(form.metadata):
        if way and one == name and (one or value):
            return f"/metadata/{number}/name"
    return MORE if form[MORE] else "metadata"
