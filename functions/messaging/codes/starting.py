"""Starts a verification, or sends the pending one of its purpose and recipient again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from messaging.codes.resending import COOL_DOWN, Resending, addresses
from messaging.domain.errors import Blocked, NotQueued, TooLate, UnknownMessage
from messaging.domain.messages import Message, MessageHistory
from messaging.domain.plan import RequestedStep, make_plan
from messaging.domain.statuses import FINAL
from messaging.domain.verifications import (
    Verification,
    VerificationStatus,
    verification_status,
)
from messaging.intake import NOT_QUEUED, Intake
from messaging.ports import Clock, RequestsQueue

if TYPE_CHECKING:
    from messaging.codes.guard import Guard
    from messaging.store import Store
    from messaging.store.verifications import PendingVerification

# Each round but the last is lost to another start of the same recipient at the same moment.
ROUNDS = 5
REPLACED = "a new verification took its place"


@dataclass(frozen=True, slots=True)
class RequestedVerification:
    """A valid request: `document` is stored as the message's request, `steps` are all that the plan
    has, `client_ip` is the address of the person who asks for the code.
    """

    document: Mapping[str, Any]
    steps: tuple[RequestedStep, ...]
    expires_in_seconds: int
    verification: Verification
    client_ip: str | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        return addresses(self.document)

    @property
    def key(self) -> str:
        """Only one verification with this key is pending. Another payment is another verification.
        A code of the caller's own is not in it: whoever knows the rest could try codes out.
        """
        policy = self.verification
        recipient = sorted({one.casefold() for one in self.addresses})
        values = [policy.purpose, recipient, policy.payee, policy.amount]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    @property
    def own_code(self) -> str | None:
        return self.document.get("code")

    def message(self, message_id: str, now: datetime, default_waits: Mapping[str, int]) -> Message:
        return Message(
            message_id=message_id,
            accepted_at=now,
            plan=make_plan(self.steps, default_waits, self.expires_in_seconds),
            expires_at=now + timedelta(seconds=self.expires_in_seconds),
            verification=self.verification,
        )


@dataclass(frozen=True, slots=True)
class StartedVerification:
    """A verification after a start; `new`: this start made it."""

    history: MessageHistory
    new: bool


@dataclass(frozen=True, slots=True)
class Starting:
    """Starts verifications."""

    store: "Store"
    intake: Intake
    resending: Resending
    guard: "Guard"
    queue: RequestsQueue
    now: Clock

    def start(self, request: RequestedVerification, message: Message) -> StartedVerification:
        """The new verification, or the pending one. `message`: the new one. Raises `Blocked`, and
        `NotQueued` if nothing will be sent.

        The message's id is written to the pending verification before the message, which is
        written before it is queued. A start that finds the work of another that ended in between
        continues it under the same id, after which the execution is named: it starts once.
        """
        counted: Verification | None = None
        for _ in range(ROUNDS):
            held = self.store.verifications.pending(request.key)
            before, own_code = self._history(held) if held else (None, None)
            try:
                if before and self._is_repeated(before, own_code, request):
                    return StartedVerification(self._again(before, request), new=False)
                counted = counted or self._admit(request)
                self._end(before)
            except TooLate:
                continue
            unfinished = held if before is None else None
            mine = replace(message, message_id=self._id(unfinished, message), verification=counted)
            if self._take(request.key, mine, held) and (found := self._accept(mine, request)):
                return StartedVerification(found, new=True)
        raise NotQueued("the same verification was started several times at the same moment")

    def _admit(self, request: RequestedVerification) -> Verification:
        client = self.guard.client_counter(request.client_ip)
        counted_as = self.guard.admit(request.addresses, client)
        return replace(request.verification, counted_as=counted_as, client=client)

    def _take(self, key: str, mine: Message, held: "PendingVerification | None") -> bool:
        until = mine.expires_at or mine.accepted_at
        before = held.message_id if held else None
        return self.store.verifications.take(key, mine.message_id, until, before)

    def _id(self, unfinished: "PendingVerification | None", message: Message) -> str:
        """The id of a start that ended, or has not come, between its two writes, as it was read;
        otherwise the new one.
        """
        if unfinished and self.now() < unfinished.until:
            return unfinished.message_id
        return message.message_id

    def _accept(self, mine: Message, request: RequestedVerification) -> MessageHistory | None:
        """None if the stored message has another code: a start that found this one unfinished was
        faster.
        """
        accepted = self.intake.accept(mine, request.document, self.queue)
        policy = accepted.verification
        if request.own_code or (policy and policy.own_code):
            _, stored = self.store.messages.history_and_request(accepted.message_id)
            if stored.get("code") != request.own_code:
                return None
        return MessageHistory(accepted, ())

    def _history(self, held: "PendingVerification") -> tuple[MessageHistory | None, str | None]:
        """With the caller's own code, if it is one."""
        try:
            history, request = self.store.messages.history_and_request(held.message_id)
        except UnknownMessage:
            return None, None
        return history, request.get("code")

    def _is_repeated(
        self, history: MessageHistory, own_code: str | None, request: RequestedVerification
    ) -> bool:
        """Whether the verification is pending with this code. Raises `Blocked` if it is with
        another one which was sent within the cool-down.
        """
        if not self._is_pending(history):
            return False
        if own_code == request.own_code:
            return True
        self.resending.require_cool(history.message)
        return False

    def _is_pending(self, history: MessageHistory) -> bool:
        """Whether its code can still be entered and sent; once it cannot, it never can again."""
        message = history.message
        if message.verification is None or message.status in FINAL:
            return False
        if any(one.reason == NOT_QUEUED for one in history.attempts):
            return False
        status = verification_status(message, message.verification, self.now())
        return status is VerificationStatus.PENDING

    def _end(self, before: MessageHistory | None) -> None:
        """Cancels a code that can still be entered, so that only the new one can be. Raises
        `TooLate` if it was approved meanwhile.
        """
        if before is None or before.message.verification is None:
            return
        message = before.message
        status = verification_status(message, before.message.verification, self.now())
        if status is VerificationStatus.PENDING:
            self.resending.control.cancel(message.message_id, REPLACED)

    def _again(self, history: MessageHistory, request: RequestedVerification) -> MessageHistory:
        """Nothing is sent within the cool-down. What has no attempt yet may not be queued yet."""
        if not history.attempts:
            self.intake.queue_again(history.message, self.queue)
            return history
        try:
            client = self.guard.client_counter(request.client_ip)
            return self.resending.resend(history, request.document, client)
        except Blocked as error:
            if error.limit == COOL_DOWN:
                return history
            raise
