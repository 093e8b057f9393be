"""Checks a code: counts the check, compares the code, and confirms the message once."""

import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from messaging.codes.derivation import code_from, mac_message
from messaging.domain.errors import InvalidRequest, Problem, TooLate, UnknownMessage
from messaging.domain.statuses import FINAL
from messaging.domain.verifications import VerificationStatus, verification_status
from messaging.ports import Clock, Macs

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.control import Control
    from messaging.domain.messages import Message
    from messaging.domain.verifications import Verification
    from messaging.store import Store

EVERY_CHECK_USED = "every check was used"
_NOT_PENDING = {
    VerificationStatus.APPROVED: "the code was already approved",
    VerificationStatus.CANCELLED: "the verification was cancelled",
    VerificationStatus.EXPIRED: "the code expired",
    VerificationStatus.MAX_CHECKS_REACHED: EVERY_CHECK_USED,
}
_OWN_CODE = "the code is the caller's own, who compares it and confirms the message"


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """A code that somebody entered, and the payment that it is to approve. `key`: the hash of the
    request's idempotency key.
    """

    code: str
    payee: str | None = None
    amount: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verification's status after a check."""

    status: VerificationStatus
    checks_left: int


@dataclass(frozen=True, slots=True)
class Checking:
    """Checks codes. `approved` is called once with each message whose code was approved."""

    store: "Store"
    control: "Control"
    macs: Macs
    approved: Callable[["Message"], object]
    now: Clock
    log: "Logger"

    def check(self, message_id: str, given: CodeCheck) -> CheckResult:
        """Raises `UnknownMessage`, `TooLate` with the verification's status, and `InvalidRequest`
        if the check has a payment and the verification has none or vice versa.

        The check is counted before the code is compared, so that checks at the same time are not
        more than the policy allows. A check whose function ends in between remains counted.
        """
        message, counted = self._count(message_id, given)
        verification = message.verification
        if verification is None:
            raise UnknownMessage(message_id)
        if not counted:
            raise self._not_counted(message, verification)
        if self._is_right(message_id, verification, given):
            return self._approve(message_id, verification, given)
        if message.confirmed:
            raise self._too_late(message, verification)
        return self._wrong(message, verification)

    def _count(self, message_id: str, given: CodeCheck) -> tuple["Message", bool]:
        """The same key repeats its approval. That is no proof by itself, because a caller may use
        it for another code, so the repetition is a check as any other.
        """
        count_check, bound = self.store.verifications.count_check, given.payee is not None
        message, counted = count_check(message_id, self.now(), bound=bound)
        if counted or not (given.key and message.confirmed_by == given.key):
            return message, counted
        return count_check(message_id, self.now(), bound=bound, approved_by=given.key)

    def _is_right(self, message_id: str, verification: "Verification", given: CodeCheck) -> bool:
        """In a time that does not depend on the code."""
        message = mac_message(message_id, verification, given.payee, given.amount)
        mac = self.macs.generate(message)
        expected = code_from(mac, verification.length, verification.alphabet)
        return hmac.compare_digest(expected.encode(), given.code.encode(errors="surrogatepass"))

    def _approve(
        self, message_id: str, verification: "Verification", given: CodeCheck
    ) -> CheckResult:
        """Of two right checks one is approved. A code that was cancelled meanwhile is not."""
        by = given.key or uuid.uuid4().hex
        message, new = self.control.confirm(message_id, by_check=by)
        if message.confirmed_by != by:
            raise self._too_late(message, verification)
        # Without a key, no other check is this one: the SDK only repeated the call.
        if new or given.key is None:
            self.approved(message)
        self.log.info("code approved", message_id=message_id)
        return CheckResult(VerificationStatus.APPROVED, 0)

    def _wrong(self, message: "Message", verification: "Verification") -> CheckResult:
        left = verification.max_checks - message.checks
        self.log.info("wrong code", message_id=message.message_id, checks_left=left)
        if left > 0:
            return CheckResult(VerificationStatus.PENDING, left)
        self._end(message.message_id)
        return CheckResult(VerificationStatus.MAX_CHECKS_REACHED, 0)

    def _end(self, message_id: str) -> None:
        """Nothing more is sent, but a right check that was counted before is still approved."""
        self.control.use_up(message_id, EVERY_CHECK_USED)

    def _not_counted(self, message: "Message", verification: "Verification") -> Exception:
        status = verification_status(message, verification, self.now())
        if status is VerificationStatus.MAX_CHECKS_REACHED and message.status not in FINAL:
            # The function of the last check may have ended before it could do this.
            self._end(message.message_id)
        if status is VerificationStatus.PENDING and not verification.own_code:
            return InvalidRequest(_payment_problems(verification))
        return self._too_late(message, verification)

    def _too_late(self, message: "Message", verification: "Verification") -> TooLate:
        status = verification_status(message, verification, self.now())
        detail = _OWN_CODE if verification.own_code else _NOT_PENDING[status]
        return TooLate(detail, status)


def _payment_problems(verification: "Verification") -> list[Problem]:
    if verification.payee is None:
        detail = "is not a valid field: the verification has no payment"
    else:
        detail = "is required: the code approves one payment only"
    return [Problem("/payee", detail), Problem("/amount", detail)]
