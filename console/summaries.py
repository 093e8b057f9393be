"""One message with its attempts in the few fields that lists, searches and figures need."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from console.codes import CodeSummary
from console.plain import visible
from console.states import states_entered
from messaging.channels.catalog import channels
from messaging.domain.messages import Attempt, MessageHistory
from messaging.domain.statuses import FINAL, AttemptStatus, MessageStatus, Success
from messaging.pricing.sms_parts import parts

# How soon a message is read again: while it is in progress, after a twentieth of the time since its
# last change; once it has ended, after as long again, because a late receipt may still arrive.
OPEN_SHARE, LONGEST_OPEN, SHORTEST_ENDED = 0.05, 5.0, 5.0
# How long after the last wait of its plan a message can still be in progress.
GRACE: Final = timedelta(seconds=60)
REACHED: Final = frozenset({MessageStatus.DELIVERED, MessageStatus.SENT, MessageStatus.CONFIRMED})
ARRIVED: Final = frozenset({AttemptStatus.DELIVERED, AttemptStatus.READ})


@dataclass(frozen=True, slots=True)
class AttemptSummary:
    """One attempt. `fallback`: it belongs to a step after the first one of the plan. `billed`: the
    provider accepted it and charges for `parts`.
    """

    number: int
    channel: str
    status: AttemptStatus
    fallback: bool
    billed: bool
    late: bool
    parts: int

    @classmethod
    def of(cls, attempt: Attempt, history: MessageHistory, request: Mapping[str, Any]) -> Self:
        planned = history.message.plan.attempt(attempt.number)
        return cls(
            number=attempt.number,
            channel=attempt.channel,
            status=history.status_of(attempt),
            fallback=planned.step > history.message.plan.attempts[0].step,
            billed=attempt.provider_id is not None,
            late=history.late(attempt),
            parts=parts(request, planned),
        )


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """One message without its content. `delivered_in`, `delivered_by`: of the delivery that its
    plan requires; if the plan requires a confirmation, of the first delivery. `searched`: the text
    that a search looks into, in lower case. `open_until`: when it has ended at the latest; None
    once it has ended. `code` None: it is no verification.
    """

    message_id: str
    accepted_at: datetime
    status: MessageStatus
    recipients: tuple[str, ...]
    metadata: tuple[tuple[str, str], ...]
    attempts: tuple[AttemptSummary, ...]
    planned: int
    delivered_in: float | None
    delivered_by: str | None
    reached_by_fallback: bool
    states: int
    searched: str
    changed_at: datetime
    open_until: datetime | None
    code: CodeSummary | None = None

    @classmethod
    def of(cls, history: MessageHistory, request: Mapping[str, Any]) -> Self:
        message, (delivered, delivered_at) = history.message, _delivery(history)
        recipients, metadata = tuple(_recipients(request)), tuple(_metadata(request))
        made = (one for one in history.attempts if not one.waits_for_request)
        attempts = tuple(AttemptSummary.of(one, history, request) for one in made)
        words = (message.message_id, *recipients, *(f"{name}={value}" for name, value in metadata))
        return cls(
            message_id=message.message_id,
            accepted_at=message.accepted_at,
            status=history.status,
            recipients=recipients,
            metadata=metadata,
            attempts=attempts,
            planned=len(message.plan.attempts),
            delivered_in=_seconds(message.accepted_at, delivered_at),
            delivered_by=delivered.channel if delivered else None,
            reached_by_fallback=any(
                one.fallback for one in attempts if delivered and one.number == delivered.number
            ),
            states=states_entered(history),
            searched="\n".join(words).lower(),
            changed_at=max(_moments(history)),
            open_until=message.ends_by + GRACE if _open(history) else None,
            code=CodeSummary.of(history, request),
        )

    @property
    def reached(self) -> bool:
        """Whether it was delivered, sent or confirmed. A cancelled message may have been delivered
        before.
        """
        arrived = any(one.status in ARRIVED for one in self.attempts)
        return self.status in REACHED or (self.status is MessageStatus.CANCELLED and arrived)

    @property
    def place(self) -> tuple[datetime, str]:
        """The sort key: greater for newer messages, and unique."""
        return self.accepted_at, self.message_id

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(one.channel for one in self.attempts)

    def seconds_to_next_read(self, now: datetime) -> float:
        """How long after one read the message should be read again."""
        unchanged = max(0.0, (now - self.changed_at).total_seconds())
        if self.open_until is not None and now < self.open_until:
            return min(unchanged * OPEN_SHARE, LONGEST_OPEN)
        return max(unchanged, SHORTEST_ENDED)


def _open(history: MessageHistory) -> bool:
    return history.message.status not in FINAL or bool(history.open_attempts())


def _recipients(request: Mapping[str, Any]) -> Iterable[str]:
    """Each address once, those of the request before those of its steps."""
    holders = [request.get("to", {}), *(one.get("to", {}) for one in request.get("steps", []))]
    return dict.fromkeys(
        visible(str(holder[channel]))
        for holder in holders
        for channel in channels()
        if holder.get(channel)
    )


def _metadata(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    metadata = request.get("metadata", {})
    return ((visible(str(name)), visible(str(value))) for name, value in metadata.items())


def _delivery(history: MessageHistory) -> tuple[Attempt | None, datetime | None]:
    """The attempt that delivered the message, and when."""
    message, success = history.message, history.success()
    if any(one.success is Success.CONFIRMED for one in message.plan.attempts):
        return min(_deliveries(history), key=lambda one: one[1], default=(None, None))
    delivered = message.status is MessageStatus.DELIVERED
    return success, message.concluded_at if delivered else None


def _deliveries(history: MessageHistory) -> Iterator[tuple[Attempt, datetime]]:
    for attempt in history.attempts:
        times = [attempt.times[one] for one in ARRIVED if one in attempt.times]
        if times:
            yield attempt, min(times)


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else max(0.0, (end - start).total_seconds())


def _moments(history: MessageHistory) -> Iterator[datetime]:
    yield history.message.accepted_at
    if history.message.concluded_at is not None:
        yield history.message.concluded_at
    for attempt in history.attempts:
        yield attempt.claimed_at
        yield from attempt.times.values()
