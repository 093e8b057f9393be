"""What can go wrong, by name. The names of the first group are the workflow's error names.

Answered to a waiting state
├── Unavailable      the provider is busy; nothing was sent, so the state tries again
├── Refused          the provider said no; the next channel's turn at once
├── Failed           a receipt said no
└── Expired          too late for any channel
Raised
├── Ambiguous        the provider may or may not have taken it; nothing is sent again
├── InvalidRequest   the request cannot be planned; holds one problem per wrong field
├── UnknownMessage   the store holds no such message
├── Unmatched        a receipt came before its attempt, or belongs to nobody
├── NotQueued        a request could not be queued; says how the call ended
├── Throttled        Step Functions starts no more for the moment: the request waits in the queue
├── Unstartable      Step Functions will never start this request; says which rule it broke
└── MissingSetting   the function was deployed without one of its environment variables
"""

from dataclasses import dataclass


class Unavailable(Exception):
    pass


class Refused(Exception):
    pass


class Failed(Exception):
    pass


class Expired(Exception):
    pass


class Ambiguous(Exception):
    pass


class UnknownMessage(Exception):
    pass


class Unmatched(Exception):
    pass


class NotQueued(Exception):
    pass


class Throttled(Exception):
    pass


class Unstartable(Exception):
    pass


class MissingSetting(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong field: where it is (a JSON pointer) and what it is and may be."""

    pointer: str
    detail: str

    @property
    def document(self) -> dict[str, str]:
        """As JSON has it."""
        return {"pointer": self.pointer, "detail": self.detail}


class InvalidRequest(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.pointer} {problem.detail}" for problem in problems))
        self.problems = problems
