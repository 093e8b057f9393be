"""A message, its attempts and its receipts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from messaging.domain.plan import Plan
from messaging.domain.statuses import (
    CLOSED,
    FINAL,
    OPEN,
    OVER,
    AttemptStatus,
    MessageStatus,
    ReceiptKind,
    Success,
    fulfils,
    message_status,
)
from messaging.domain.verifications import Verification

MESSAGE_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")
_ATTEMPT_ID = re.compile(rf"({MESSAGE_ID.pattern})\.([1-9][0-9]?)")
# Why an attempt timed out before anything was sent.
CAME_TOO_LATE = "the wait ended before the attempt could be sent"
# Of an attempt whose function ended, or has not ended yet, after it had claimed the attempt.
RESPONSE_UNKNOWN = "the provider's response was not recorded; it may have been sent"
# Why an attempt was not sent, or was not waited for any longer.
CONFIRMED_BEFORE = "the message was confirmed"
CANCELLED_BEFORE = "the message was cancelled"
ADVANCED_BEFORE = "the caller asked for the next step"
# Of an attempt that is only sent if the caller asks for it: as long as it may, and afterwards.
WAITS_FOR_REQUEST = "waits for a resend"
NOT_REQUESTED = "no resend was requested"
REQUESTED = "a resend was requested"
# Why a message ended as delivered although its step required a confirmation.
NOT_CONFIRMED = "not confirmed"


@dataclass(frozen=True, slots=True)
class AttemptId:
    """Which attempt of which message; written `<message id>.<number>`."""

    message_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.message_id}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        found = _ATTEMPT_ID.fullmatch(text)
        return cls(found[1], int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient. Its content is in its request, which is stored separately.

    `reason`: why it ended, if its attempts do not show it. `advanced_to`: the step that the caller
    asked for; the steps before it are over. `advances`: when the caller asked for each such step.
    `confirmed_by`: the check that confirmed it, if one did. The fields from `verification` on are
    those of a one-time code: its policy, how many codes were checked and when, and when another
    send was last requested.
    """

    message_id: str
    accepted_at: datetime
    plan: Plan
    status: MessageStatus = MessageStatus.ACCEPTED
    expires_at: datetime | None = None
    concluded_at: datetime | None = None
    reason: str | None = None
    problems: tuple[Mapping[str, str], ...] = ()
    cancelled_at: datetime | None = None
    advanced_to: int = 0
    advances: Mapping[int, datetime] = field(default_factory=dict)
    confirmed_by: str | None = None
    verification: Verification | None = None
    checks: int = 0
    check_times: tuple[datetime, ...] = ()
    last_send_requested_at: datetime | None = None

    @property
    def ends_by(self) -> datetime:
        """When the last wait of the plan is over if no wait ends early."""
        return self.accepted_at + timedelta(seconds=self.plan.wait_seconds)

    @property
    def confirmed(self) -> bool:
        return self.status is MessageStatus.CONFIRMED

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled; a receipt of what had been sent may have raised its status."""
        return self.cancelled_at is not None or self.status is MessageStatus.CANCELLED

    @property
    def closed(self) -> bool:
        """Whether it ended without the success that its steps required: nothing more is sent."""
        return self.cancelled or self.status in CLOSED or self.reason == NOT_CONFIRMED

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message was delivered: the output of the waiting state and of the execution."""

    message_id: str
    status: MessageStatus
    channel: str
    attempt: int
    provider_id: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One send, as it is stored. `released`: the provider was busy, so it may be sent again.

    `success` is what its step requires, once the send has recorded it; the plan always has it.
    """

    attempt_id: AttemptId
    channel: str
    status: AttemptStatus
    task_token: str
    claimed_at: datetime
    provider_id: str | None = None
    reason: str | None = None
    released: bool = False
    success: Success | None = None
    times: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.attempt_id.number

    @property
    def outcome(self) -> Outcome:
        """The message's outcome if this attempt succeeded."""
        return self._outcome(message_status(self.status))

    @property
    def confirmed_outcome(self) -> Outcome:
        """The outcome of a confirmed message, for the state of this attempt."""
        return self._outcome(MessageStatus.CONFIRMED)

    @property
    def reached(self) -> bool:
        return self.status in (AttemptStatus.DELIVERED, AttemptStatus.READ)

    @property
    def waits_for_request(self) -> bool:
        """Whether its state waits for the caller to ask for it; nothing has been sent."""
        return self.released and self.reason == WAITS_FOR_REQUEST

    def _outcome(self, status: MessageStatus) -> Outcome:
        message_id, number = self.attempt_id.message_id, self.attempt_id.number
        return Outcome(message_id, status, self.channel, number, self.provider_id)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider reported about one attempt.

    `word` is the provider's own term, `reason` its code and title for a failure; neither contains
    an address. `provider_id` is the id that the send call returned, `wamid` WhatsApp's own, `echo`
    the attempt id that the call passed on. `key` distinguishes receipts with the same word.
    """

    channel: str
    kind: ReceiptKind
    word: str
    occurred_at: datetime
    provider_id: str | None = None
    wamid: str | None = None
    echo: AttemptId | None = None
    reason: str | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableReceipt:
    """An item of a provider's event that is not of its format. `reason` contains no value of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class SetupMessage:
    """What a service publishes when a topic becomes the destination of its events."""


@dataclass(frozen=True, slots=True)
class MessageHistory:
    """A message with the attempts made so far."""

    message: Message
    attempts: tuple[Attempt, ...]

    @property
    def status(self) -> MessageStatus:
        """The message's status: in progress from its first attempt."""
        status = self.message.status
        return MessageStatus.IN_PROGRESS if self.attempts and status not in FINAL else status

    def status_of(self, attempt: Attempt) -> AttemptStatus:
        """The attempt's status: timed out if the workflow has continued without it, and skipped if
        the caller ended its message before it was sent, even if no function recorded that.
        """
        if attempt.status is not AttemptStatus.SENDING:
            return attempt.status
        if attempt.released and (self.message.confirmed or self.message.cancelled):
            return AttemptStatus.SKIPPED
        return AttemptStatus.TIMED_OUT if self.went_on_without(attempt) else attempt.status

    def attempt(self, number: int) -> Attempt | None:
        return next((one for one in self.attempts if one.number == number), None)

    def requested(self) -> list[Attempt]:
        """The attempts without those that are only sent if the caller asks for them, who has not
        yet.
        """
        return [one for one in self.attempts if not one.waits_for_request]

    def step(self, attempt: Attempt) -> int:
        return self.message.plan.attempt(attempt.number).step

    def in_last_step(self, attempt: Attempt) -> bool:
        plan = self.message.plan
        return plan.ends_with(plan.attempt(attempt.number))

    def advanced_beyond(self, attempt: Attempt) -> bool:
        """Whether the caller asked for a later step; a result of the attempt still counts."""
        known = attempt.status is AttemptStatus.FAILED or self.fulfilled(attempt)
        return self.step(attempt) < self.message.advanced_to and not known

    def not_requested(self, attempt: Attempt) -> bool:
        """Whether it may only be sent if the caller asks for it, who has not."""
        step = self.message.plan.steps[self.step(attempt) - 1]
        return step.on_request and self.message.advanced_to < step.number

    def waiting(self) -> list[Attempt]:
        """Attempts whose states may be waiting."""
        return [one for one in self.attempts if one.status not in OVER and not self.fulfilled(one)]

    def unconfirmed(self) -> Attempt | None:
        """A delivered attempt whose step requires the caller's confirmation, which is missing."""
        reached = (one for one in self.attempts if one.reached)
        return next((one for one in reached if self.required(one) is Success.CONFIRMED), None)

    def required(self, attempt: Attempt) -> Success:
        """What the attempt's step requires to succeed."""
        return self.message.plan.attempt(attempt.number).success

    def fulfilled(self, attempt: Attempt) -> bool:
        """Whether the attempt has what its step requires; one outside the plan never has."""
        planned = (one for one in self.message.plan.attempts if one.number == attempt.number)
        return any(fulfils(attempt.status, one.success) for one in planned)

    def success_beside(self, attempt: Attempt) -> Attempt | None:
        """A successful attempt of another step: of an earlier one after its wait was over, or of a
        later one before this attempt's function ran.
        """
        beside = (one for one in self.attempts if self.step(one) != self.step(attempt))
        return next((one for one in beside if self.fulfilled(one)), None)

    def went_on_without(self, attempt: Attempt) -> bool:
        """Whether a later step has begun, or the message was closed."""
        later = any(self.step(one) > self.step(attempt) for one in self.attempts)
        return later or self.message.closed

    def success(self) -> Attempt | None:
        return next((one for one in self.attempts if self.fulfilled(one)), None)

    def open_before(self, step: int) -> list[Attempt]:
        """Attempts of earlier steps whose wait ended without a result."""
        return [one for one in self.open_attempts() if self.step(one) < step]

    def open_attempts(self) -> list[Attempt]:
        """Attempts without a result. An attempt that only had to be sent has one once sent."""
        return [one for one in self.attempts if one.status in OPEN and not self.fulfilled(one)]

    def waiting_after(self, attempt: Attempt) -> list[Attempt]:
        """Attempts of later steps that may be waiting: none unless this attempt's wait is over."""
        return [one for one in self.waiting() if self.step(one) > self.step(attempt)]

    def late(self, attempt: Attempt) -> bool:
        """Whether the attempt was delivered after its wait ended."""
        times = attempt.times
        delivered = min((times[one] for one in ("delivered", "read") if one in times), default=None)
        if delivered is None:
            return False
        step, wait = self.step(attempt), self.message.plan.attempt(attempt.number).wait_seconds
        ends = [one.claimed_at for one in self.attempts if self.step(one) > step]
        return delivered > min([attempt.claimed_at + timedelta(seconds=wait), *ends])
