"""The plan of a message: the requested steps become planned steps with their attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from messaging.domain.statuses import Success

MIN_WAIT_SECONDS = 5
MAX_WAIT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class RequestedStep:
    """One entry of the request's `steps`. `wait_seconds` None: the channel's default."""

    channels: tuple[str, ...]
    broadcast: bool = False
    wait_seconds: int | None = None
    success: Success = Success.DELIVERED
    on_request: bool = False


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """One possible send. `step` is the number of its step."""

    number: int
    step: int
    channel: str
    wait_seconds: int
    success: Success


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step with its attempts, which are sent at the same time; only a broadcast has several.

    `on_request`: it is only sent if the caller asks for it (a resend).
    """

    number: int
    attempts: tuple[PlannedAttempt, ...]
    broadcast: bool = False
    on_request: bool = False

    @property
    def wait_seconds(self) -> int:
        """The longest wait of its attempts: the next step begins after it at the latest."""
        return max(attempt.wait_seconds for attempt in self.attempts)

    @property
    def success(self) -> Success:
        return self.attempts[0].success


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order. Attempts are numbered from 1 across all steps."""

    steps: tuple[PlannedStep, ...] = ()

    @property
    def attempts(self) -> tuple[PlannedAttempt, ...]:
        return tuple(attempt for step in self.steps for attempt in step.attempts)

    def attempt(self, number: int) -> PlannedAttempt:
        """Raises `KeyError` if the plan has no attempt with this number."""
        return {one.number: one for one in self.attempts}[number]

    def ends_with(self, attempt: PlannedAttempt) -> bool:
        """Whether no step follows the attempt's, or only steps for which the caller has to ask."""
        return all(step.on_request for step in self.steps[attempt.step :])

    @property
    def wait_seconds(self) -> int:
        """How long the plan takes if no wait ends early."""
        return sum(step.wait_seconds for step in self.steps)


def make_plan(
    steps: Sequence[RequestedStep],
    default_waits: Mapping[str, int],
    expires_in_seconds: int | None = None,
) -> Plan:
    """The plan of these steps; `default_waits` are seconds by channel. Steps are numbered from 1.

    With an expiry, no wait is longer than it. Every step is planned: the steps before it may fail
    at once. Whether it still has time is decided when it begins.
    """
    planned: list[PlannedStep] = []
    attempts = 0
    for number, step in enumerate(steps, 1):
        made = _planned(step, number, attempts, default_waits, expires_in_seconds)
        planned.append(made)
        attempts += len(made.attempts)
    return Plan(tuple(planned))


def _planned(
    step: RequestedStep,
    number: int,
    attempts_before: int,
    default_waits: Mapping[str, int],
    longest: int | None,
) -> PlannedStep:
    attempts = (
        PlannedAttempt(
            attempt, number, channel, _wait(step, default_waits[channel], longest), step.success
        )
        for attempt, channel in enumerate(step.channels, attempts_before + 1)
    )
    return PlannedStep(number, tuple(attempts), step.broadcast, step.on_request)


def _wait(step: RequestedStep, default: int, longest: int | None) -> int:
    wait = default if step.wait_seconds is None else step.wait_seconds
    return wait if longest is None else min(wait, longest)
