"""Everything that is known about one message: its items in the store and its execution."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from console.execution import Execution, Visit
from messaging.api import http
from messaging.domain.messages import Attempt, MessageHistory
from messaging.domain.plan import Plan, PlannedAttempt
from messaging.domain.statuses import FINAL, MessageStatus
from messaging.domain.verifications import Verification, VerificationStatus, verification_status

# The form of an SQS message id, and of the name that Step Functions gives an execution without one.
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_PLAN: Final = Plan()
# The status by the execution's error, if the store has no message.
_STATUS_OF_ERROR: Final = {
    "InvalidRequest": "rejected",
    "Expired": "expired",
    "Cancelled": "cancelled",
}


class MessageSource(StrEnum):
    """Where a message came from, as far as that is known."""

    API = "api"
    DIRECT = "direct"
    QUEUE_OR_DIRECT = "queue or direct"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class MessageFacts:
    """`history` None: nothing is stored yet or, if `erased`, any more. `execution` None: not
    started yet, or no longer kept. At least one of the two exists.
    """

    message_id: str
    history: MessageHistory | None
    stored_request: Mapping[str, Any]
    receipts: Sequence[Mapping[str, Any]]
    execution: Execution | None
    erased: bool = False

    @cached_property
    def since(self) -> datetime:
        """When the message was accepted; elapsed times are measured from here."""
        if self.history:
            return self.history.message.accepted_at
        assert self.execution  # noqa: S101 - one of the two exists
        return self.execution.started_at

    @cached_property
    def answer(self) -> Mapping[str, Any]:
        """What `GET /v1/messages/{id}` returns; empty if nothing is stored."""
        return (
            http.message_document(self.history, self.stored_request, self.receipts)
            if self.history
            else {}
        )

    @property
    def status(self) -> str:
        if self.answer:
            return str(self.answer["status"])
        if self.execution is None or self.execution.status is None:
            return "accepted"
        if self.execution.status == "SUCCEEDED":
            status = self.execution.visits[-1].output.get("status")
            return status if status in set(MessageStatus) else MessageStatus.DELIVERED
        return _STATUS_OF_ERROR.get(self.execution.error or "", "undelivered")

    @property
    def ended(self) -> bool:
        """Whether only late receipts can still arrive."""
        if self.execution:
            return self.execution.status is not None
        return self.status not in {"accepted", "in_progress"}

    @property
    def settled(self) -> bool:
        """Whether the store has the final status, which may be written just after the execution."""
        return self.ended and (self.history is None or self.status in FINAL)

    @property
    def source(self) -> MessageSource:
        if self.execution is None:
            return MessageSource.UNKNOWN if self.ended else MessageSource.API
        if self.execution.started_with_route:
            # The API stores a message with its plan before its route is queued. A route without a
            # stored plan may have been made up.
            known = self.plan.steps or self.erased
            return MessageSource.API if known else MessageSource.UNKNOWN
        return (
            MessageSource.QUEUE_OR_DIRECT
            if _UUID.fullmatch(self.message_id)
            else MessageSource.DIRECT
        )

    @property
    def plan(self) -> Plan:
        return self.history.message.plan if self.history else _NO_PLAN

    @property
    def verification(self) -> Verification | None:
        return self.history.message.verification if self.history else None

    @property
    def checked_here(self) -> bool:
        """Whether it has a code of this service, which a check confirms and not its caller."""
        return self.verification is not None and not self.verification.own_code

    def code_status(self, now: datetime) -> VerificationStatus | None:
        """None if it is no verification."""
        if self.history is None or self.verification is None:
            return None
        return verification_status(self.history.message, self.verification, now)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return self.history.attempts if self.history else ()

    @property
    def request(self) -> Mapping[str, Any]:
        """As validated and stored, but for a code; an invalid one as the execution received it."""
        if self.stored_request:
            return without_code(self.stored_request, self.verification)
        received = self.execution.input if self.execution else {}
        return received if self.source is not MessageSource.API else {}

    def attempt(self, number: int) -> Attempt | None:
        return self.history.attempt(number) if self.history else None

    def planned(self, number: int) -> PlannedAttempt | None:
        return next((one for one in self.plan.attempts if one.number == number), None)

    @cached_property
    def sending(self) -> Mapping[int, Visit]:
        """The visit of a sending state for each attempt that was started."""
        visits = self.execution.visits if self.execution else ()
        return {one.attempt: one for one in visits if one.attempt is not None}

    @property
    def ahead(self) -> frozenset[str]:
        """The values of `channel` in the route that the message may still reach."""
        return frozenset(
            "broadcast" if step.broadcast else step.attempts[0].channel
            for step in self.plan.steps
            if not any(one.number in self.sending for one in step.attempts)
        )

    @property
    def shows_branches(self) -> bool:
        """Whether the message has a broadcast step, which runs in a Parallel state."""
        # Of the validated request: an invalid one may have any form.
        return any("broadcast" in step for step in self.stored_request.get("steps", []))


def without_code(
    request: Mapping[str, Any], verification: Verification | None
) -> Mapping[str, Any]:
    """The request of a verification as it may be shown: a code of the caller's own is in it."""
    own = verification is not None and verification.own_code
    return {**request, "code": "(not shown)"} if own else request
