"""The errors. The names of the first group are the workflow's error names.

Sent to a waiting state
├── Unavailable      the provider is busy; nothing was sent, so the state retries
├── Refused          the provider rejected the call; the next step begins at once
├── Failed           a receipt reported a failure, or nothing could be sent within the wait
├── Expired          the message expired before the attempt was sent
├── Cancelled        the caller cancelled the message: no further step begins
├── Advanced         the caller asked for the next step, which begins at once
├── Resend           the caller asked for an attempt that is only sent on request: the state retries
└── InvalidRoute     the execution's input is not the route of the message that it is named after
Raised
├── Ambiguous        the provider may have accepted the call; nothing is sent again
├── InvalidRequest   the request is invalid; has one problem per invalid field
├── UnknownMessage   the store has no such message
├── Unmatched        a receipt arrived before its attempt, or has no attempt
├── Unreadable       a part of a provider's event is not of its format
├── TooLate          the message's state no longer permits what its caller asks
├── Blocked          a limit or a fraud rule refuses to send a code; nothing was stored
├── Uncounted        the counters of codes cannot be read or written; the code is sent
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


class Cancelled(Exception):
    pass


class Advanced(Exception):
    pass


class Resend(Exception):
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


class Uncounted(Exception):
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


class TooLate(Exception):
    """`status`: the message's status, or the verification's."""

    def __init__(self, detail: str, status: str) -> None:
        super().__init__(detail)
        self.status = status


class Blocked(Exception):
    """`limit`: the limit or rule; `retry_after`: seconds, None if a retry is useless."""

    def __init__(self, detail: str, limit: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.limit = limit
        self.retry_after = retry_after


class InvalidRequest(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.pointer} {problem.detail}" for problem in problems))
        self.problems = problems
