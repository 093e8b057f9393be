"""Sends a pending code again, on the next step, unless a limit refuses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from messaging.domain.content import address
from messaging.domain.errors import Blocked, TooLate, UnknownMessage
from messaging.domain.messages import Message, MessageHistory
from messaging.domain.statuses import FINAL
from messaging.domain.verifications import (
    Verification,
    VerificationStatus,
    next_resend_at,
    step_of_resend,
    verification_status,
)
from messaging.ports import Clock

if TYPE_CHECKING:
    from datetime import datetime

    from messaging.codes.guard import Guard
    from messaging.control import Control
    from messaging.store import Store

COOL_DOWN, MAX_SENDS = "resend_cooldown", "max_sends"
NOTHING_MORE = "nothing more is sent of this verification, so start a new one"


@dataclass(frozen=True, slots=True)
class Resending:
    """Resends codes. `cool_down`: the least time between two requested sends."""

    store: "Store"
    control: "Control"
    guard: "Guard"
    cool_down: timedelta
    now: Clock

    def resend(
        self,
        history: MessageHistory,
        request: Mapping[str, Any],
        client: str | None = None,
    ) -> MessageHistory:
        """The history afterwards. Raises `TooLate` with the verification's status, and `Blocked`.
        `client`: the counter of who requests it, by default of who started the verification.

        What would be refused is found before it is counted as a send.
        """
        message, now = history.message, self.now()
        verification = self._require_pending(history, now)
        step = step_of_resend(history)
        if step is None:
            left = message.expires_at and message.expires_at - now
            raise Blocked("every send was used", MAX_SENDS, _seconds(left or timedelta(0)))
        self.require_cool(message)
        if not history.attempts:
            # Its first send is still to come.
            return history
        self.guard.admit(addresses(request), client or verification.client, resend=True)
        if not self.store.verifications.request_send(message.message_id, now, self.cool_down):
            self._require_over(self.cool_down)
        return self._advance(message.message_id, step)

    def _advance(self, message_id: str, step: int) -> MessageHistory:
        try:
            self.control.advance(message_id, step - 1, resend=True)
        except TooLate:
            # It ended since it was read.
            self._require_pending(self.store.messages.history(message_id), self.now())
            raise
        return self.store.messages.history(message_id)

    def _require_pending(self, history: MessageHistory, now: "datetime") -> Verification:
        """The verification, whose code can be entered and sent."""
        message, verification = history.message, history.message.verification
        if verification is None:
            raise UnknownMessage(message.message_id)
        status = verification_status(message, verification, now)
        if status is not VerificationStatus.PENDING:
            raise TooLate(f"the verification is {status}", status)
        if message.status in FINAL:
            raise TooLate(f"{NOTHING_MORE}: the message is {message.status}", status)
        return verification

    def require_cool(self, message: Message) -> None:
        """Raises `Blocked` within the cool-down after the start or the last request of a send."""
        self._require_over(next_resend_at(message, self.cool_down) - self.now())

    def _require_over(self, left: timedelta) -> None:
        if left > timedelta(0):
            detail = f"at least {self.cool_down.seconds} seconds must be between two sends"
            raise Blocked(detail, COOL_DOWN, _seconds(left))


def addresses(request: Mapping[str, Any]) -> tuple[str, ...]:
    """The recipient's addresses that the steps use, each once."""
    found = (
        address(request, step, channel, "to")
        for step in request["steps"]
        for channel in step.get("broadcast") or [step["channel"]]
    )
    return tuple(dict.fromkeys(one for one in found if one))


def _seconds(left: timedelta) -> int:
    return max(ceil(left.total_seconds()), 1)
