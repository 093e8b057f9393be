"""Which field of the form a problem belongs to."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.compose.form import IDEMPOTENCY_KEY, MORE, NAMES, MessageForm
from console.compose.request_fields import CHOICES, CONTENT
from messaging.domain.errors import Problem

# What is not part of the request has no pointer, but a name on the page.
_NAMES_ON_PAGE = {IDEMPOTENCY_KEY: "Idempotency-Key", MORE: "More, as JSON", "": "the request"}
_STEP_FIELDS = frozenset({"channel", "broadcast", "wait_seconds", "success"})
# Missing content is entered in the channel's first field where there are no alternatives.
_FIRST_FIELDS = {
    f"/content/{channel}": next(iter(alternatives.values()))[0].pointer
    for channel, alternatives in CONTENT.items()
    if f"/content/{channel}" not in CHOICES
}


@dataclass(frozen=True)
class FieldProblem:
    """A problem, the place it names, and the id of its field's element, None if it has none."""

    field: str | None
    place: str
    detail: str


def field_problems(form: MessageForm, problems: Iterable[Problem]) -> tuple[FieldProblem, ...]:
    return tuple(
        FieldProblem(
            _field(form, one.pointer), _NAMES_ON_PAGE.get(one.pointer, one.pointer), one.detail
        )
        for one in problems
    )


def _field(form: MessageForm, pointer: str) -> str | None:
    if pointer in {IDEMPOTENCY_KEY, MORE}:
        return pointer
    root, *path = pointer[1:].split("/")
    if root == "steps":
        return _step_field(form, path)
    if root == "metadata":
        return _metadata_field(form, path)
    return _nearest_field([root, *path]) or (MORE if form[MORE] and pointer else None)


def _nearest_field(path: list[str]) -> str | None:
    """The field of the place itself, or of the nearest object that contains it."""
    for length in range(len(path), 0, -1):
        pointer = "/" + "/".join(path[:length])
        field = _FIRST_FIELDS.get(pointer, pointer)
        if field in NAMES:
            return field
    return None


def _step_field(form: MessageForm, path: list[str]) -> str:
    if not path:
        return "steps"
    index, *rest = path
    if not index.isdecimal() or int(index) >= len(form.steps):
        return MORE if form[MORE] else "steps"
    name = rest[0] if rest else "channel"
    return f"/steps/{form.steps[int(index)].key}/{name if name in _STEP_FIELDS else MORE}"


def _metadata_field(form: MessageForm, path: list[str]) -> str:
    name = "/".join(path).replace("~1", "/").replace("~0", "~")
    for index, (one, value) in enumerate(form.metadata):
        if path and one == name and (one or value):
            return f"/metadata/{index}/name"
    return MORE if form[MORE] else "metadata"
