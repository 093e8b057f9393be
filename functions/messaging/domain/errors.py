"""The errors. The names of the first group are the workflow's error names.

Sent to a waiting state
├── Unavailable      the provider is busy; nothing was sent, so the state retries
├── Refused          the provider rejected the call; the next step begins at once
├── Failed           a receipt reported a failure, or nothing could be sent within the wait
├── Expired          the message expired before the attempt was sent
└── InvalidRoute     the execution's input is not the route of the message that it is named after
Raised
├── Ambiguous        the provider may have accepted the call; nothing is sent again
├── InvalidRequest   the request is invalid; has one problem per invalid field
├── UnknownMessage   the store has no such message
├── Unmatched        a receipt arrived before its attempt, or has no attempt
├── Unreadable       a part of a provider's event is not of its format
├── NotQueued        a request could not be queued; names the error of the call
├── Throttled        Step Functions throttles starts: the request remains in the queue
├── Unstartable      Step Functions rejects the request; names the error of the call
└── MissingSetting   an environment variable of the function is not set
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


class InvalidRoute(Exception):
    pass


class Ambiguous(Exception):
    pass


class UnknownMessage(Exception):
    pass


class Unmatched(Exception):
    pass


class Unreadable(Exception):
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
    """An invalid field: its location (a JSON pointer) and what is invalid."""

    pointer: str
    detail: str

    @property
    def document(self) -> dict[str, str]:
        """The problem as a JSON object."""
        return {"pointer": self.pointer, "detail": self.detail}


class InvalidRequest(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.pointer} {problem.detail}" for problem in problems))
        self.problems = problems
