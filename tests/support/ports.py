"""Stand-ins for what the rules need from outside: waiting states, a queue, a channel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from messaging.domain.content import Delivery
from messaging.domain.errors import NotQueued
from messaging.domain.messages import Outcome


@dataclass
class RecordedStates:
    """Records each answer. A state whose wait is `over` does not wait any more."""

    over: set[str] = field(default_factory=set)
    succeeded: list[tuple[str, Outcome]] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)

    def succeed(self, task_token: str, outcome: Outcome) -> bool:
        self.succeeded.append((task_token, outcome))
        return task_token not in self.over

    def fail(self, task_token: str, error: type[Exception], cause: str) -> bool:
        self.failed.append((task_token, error.__name__, cause))
        return task_token not in self.over


@dataclass
class RecordedQueue:
    """Records each request. With an `error` it confirms none; `before` happens first."""

    error: NotQueued | None = None
    before: Callable[[], object] = lambda: None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, body: str, attributes: Mapping[str, str]) -> None:
        self.before()
        if self.error:
            raise self.error
        self.requests.append((body, dict(attributes)))


@dataclass
class ScriptedProvider:
    """Records each delivery. With an `error` it accepts none; `before` happens first."""

    error: Exception | None = None
    before: Callable[[], object] = lambda: None
    sent: list[Delivery] = field(default_factory=list)

    def send(self, delivery: Delivery) -> str:
        self.sent.append(delivery)
        self.before()
        if self.error:
            raise self.error
        return f"provider-{delivery.attempt_id}"
