"""What the rules need from outside, as protocols: a clock, waiting states, a queue."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from messaging.domain.messages import Outcome

Clock = Callable[[], datetime]


class WaitingStates(Protocol):
    """The workflow's states that wait with a task token."""

    def succeed(self, task_token: str, outcome: Outcome) -> bool:
        """Whether the state still waited."""

    def fail(self, task_token: str, error: type[Exception], cause: str) -> bool:
        """Whether the state still waited."""


class RequestsQueue(Protocol):
    """The queue that planned messages wait in until their execution starts."""

    def put(self, body: str, attributes: Mapping[str, str]) -> None:
        """Raises `NotQueued` where the queue did not confirm it."""
