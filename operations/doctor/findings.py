"""What the command found: one sentence each, marked, with what to do about it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from textwrap import wrap

WIDTH = 100
INDENT = " " * 11
# From here on, digits behind the point say nothing.
WHOLE = 10


class Mark(StrEnum):
    """How a finding is marked; a word, so that it is readable without colour."""

    OK = "OK"
    NOTE = "NOTE"
    # It works, up to what the sentence says.
    LIMIT = "LIMIT"
    # Nothing is delivered, or no receipt arrives, until this is fixed.
    FIX = "FIX"
    # The account did not answer.
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """A sentence about the account; `remedy` is the command or the page that changes it."""

    mark: Mark
    text: str
    remedy: str = ""

    def lines(self) -> Iterator[str]:
        """The sentence, wrapped, after its mark; the remedy stays whole, as it may be a command."""
        text = wrap(self.text, WIDTH - len(INDENT)) or [""]
        yield f"  {self.mark:<8} {text[0]}"
        yield from (f"{INDENT}{line}" for line in text[1:])
        if self.remedy:
            yield f"{INDENT}-> {self.remedy}"


def ok(text: str) -> Finding:
    return Finding(Mark.OK, text)


def note(text: str, remedy: str = "") -> Finding:
    return Finding(Mark.NOTE, text, remedy)


def limit(text: str, remedy: str = "") -> Finding:
    return Finding(Mark.LIMIT, text, remedy)


def fix(text: str, remedy: str) -> Finding:
    return Finding(Mark.FIX, text, remedy)


def unknown(text: str) -> Finding:
    return Finding(Mark.UNKNOWN, text)


def number(value: float) -> str:
    """A number as a person writes it: 1,300, 2.5; two significant digits below 10."""
    return f"{value:,.0f}" if value >= WHOLE else f"{value:.2g}"


def about(value: float) -> str:
    """The same for an estimate: two significant digits."""
    return number(float(f"{value:.2g}"))


def count(findings: Iterable[Finding], mark: Mark) -> int:
    return sum(finding.mark == mark for finding in findings)
