"""The protocols that the rules depend on: a clock, waiting states, a queue, MACs."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from messaging.domain.messages import Outcome

Clock = Callable[[], datetime]


class WaitingStates(Protocol):
    """The workflow's states that wait with a task token."""

    def succeed(self, task_token: str, outcome: Outcome) -> bool:
        """Whether the state was still waiting."""

    def fail(self, task_token: str, error: type[Exception], cause: str) -> bool:
        """Whether the state was still waiting."""


class RequestsQueue(Protocol):
    """The queue in which planned messages wait until their executions start."""

    def put(self, body: str, attributes: Mapping[str, str]) -> None:
        """Raises `NotQueued` if the queue did not confirm the request."""


class Macs(Protocol):
    """Message authentication codes by one key."""

    def generate(self, message: bytes) -> bytes:
        """The MAC of the message, 256 bits; the same for the same message."""
