"""Text of others, shown so that nothing in it hides or turns what is beside it."""

import json

import pytest

from console.plain import pretty, visible


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\ufeff", "\ud800"]
)
def test_a_character_that_hides_or_turns_is_shown_by_its_number(hidden: str) -> None:
    assert visible(f"a{hidden}b") == f"a\\u{ord(hidden):04x}b"


@pytest.mark.parametrize("text", ["Grüße, 世界 👩‍👩‍👧", "می‌خواهم", "two\nlines\tand a tab", "שלום"])
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


def test_pretty_json_is_json_that_says_the_same() -> None:
    value = {"text": "</script>\u202e", "n": [1, 2]}

    assert json.loads(pretty(value)) == value
    assert "\u202e" not in pretty(value)
