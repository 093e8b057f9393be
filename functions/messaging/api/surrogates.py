r"""Finds unpaired surrogates, which JSON can escape (`"\ud800"`) and UTF-8 cannot encode."""

import re
from collections.abc import Iterable, Iterator

from messaging.api.validation import escaped
from messaging.domain.errors import Problem

# Python's parser joins a pair to one character, so any that is left is unpaired.
_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


def surrogate_problems(body: object) -> list[Problem]:
    """One for each string and name with an unpaired surrogate, which is U+FFFD in the pointer."""
    left, found = [("", body)], []
    while left:
        pointer, value = left.pop()
        if isinstance(value, str) and (surrogate := _SURROGATE.search(value)):
            found.append(_problem(pointer, surrogate[0]))
        for name, inner in _members(value):
            place = f"{pointer}/{escaped(_SURROGATE.sub(_REPLACEMENT, name))}"
            if surrogate := _SURROGATE.search(name):
                found.append(_problem(place, surrogate[0]))
            left.append((place, inner))
    return sorted(found, key=lambda problem: problem.pointer)


def _members(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        return value.items()
    return _numbered(value) if isinstance(value, list) else ()


def _numbered(items: list[object]) -> Iterator[tuple[str, object]]:
    return ((str(number), item) for number, item in enumerate(items))


def _problem(pointer: str, surrogate: str) -> Problem:
    detail = f"contains an unpaired surrogate (U+{ord(surrogate):04X}), which is not a character"
    return Problem(pointer, detail)
