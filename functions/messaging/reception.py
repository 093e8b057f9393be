"""Records a provider's receipt: which attempt it belongs to, and what it changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from messaging.domain.errors import Unmatched, Unreadable
from messaging.domain.messages import AttemptId, Receipt, SetupMessage, UnreadableReceipt
from messaging.domain.statuses import AttemptStatus, ReceiptKind, attempt_status
from messaging.metrics import Metric, count
from messaging.ports import Clock
from messaging.settlement import Settlement

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.channels.reading import EventItem
    from messaging.store import Store

# A send may take this long to record the provider's id.
YOUNG = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ReceiptRecorder:
    """Records receipts. `carrier_receipt`: what a carrier's acceptance of an SMS counts as."""

    store: "Store"
    settlement: Settlement
    carrier_receipt: AttemptStatus
    now: Clock
    log: "Logger"

    def record_all(self, items: Iterable["EventItem"]) -> None:
        """Records all of them, then raises `Unreadable` or `Unmatched` if the event must be kept
        or delivered again: one event may have receipts of many messages, and one of them must not
        delay the others.
        """
        failed = [error for item in items if (error := self._record_if_receipt(item))]
        # A later delivery can only help a receipt that was unmatched.
        if failed:
            raise min(failed, key=lambda error: isinstance(error, Unmatched))

    def _record_if_receipt(self, item: "EventItem") -> Unmatched | Unreadable | None:
        match item:
            case Receipt():
                return self._try_to_record(item)
            case UnreadableReceipt(reason):
                self.log.warning("unreadable receipt, the event is kept", reason=reason)
                return Unreadable(reason)
            case SetupMessage():
                self.log.info("message about the set-up of the topic, nothing to record")
                return None

    def _try_to_record(self, receipt: Receipt) -> Unmatched | None:
        about = {"channel": receipt.channel, "provider_id": receipt.provider_id}
        with self.log.append_context_keys(**about):
            try:
                self._record(receipt)
            except Unmatched as error:
                if receipt.echo and self.store.erasure.was_erased(receipt.echo.message_id):
                    self.log.info("receipt of an erased message")
                    return None
                count(Metric.UNMATCHED_RECEIPT, receipt.channel)
                return error
        return None

    def _record(self, receipt: Receipt) -> None:
        attempt_id = receipt.echo or self._found(receipt)
        if attempt_id is None:
            self._without_attempt(receipt)
            return
        try:
            self._apply(receipt, attempt_id)
        except Unmatched:
            if not self._has_wamid_of(receipt, attempt_id):
                raise
            self._apply(replace(receipt, provider_id=None), attempt_id)

    def _has_wamid_of(self, receipt: Receipt, attempt_id: AttemptId) -> bool:
        """Whether WhatsApp's own id is the attempt's: AWS documents the id of the send call for
        some of the status events only ("managing-event-destinations-status").
        """
        if not receipt.wamid:
            return False
        return self.store.receipts.find(receipt.wamid, receipt.channel) == attempt_id

    def _apply(self, receipt: Receipt, attempt_id: AttemptId) -> None:
        """Raises `Unmatched` if there is no such attempt, or if it was sent with another id: who
        knows a message's id can write its echo field, but the provider gives the id of a send.
        """
        status = attempt_status(receipt.kind, self.carrier_receipt)
        if status is None:
            if receipt.echo:
                self.store.attempts.require(attempt_id, receipt.channel, receipt.provider_id)
            self._keep(receipt, attempt_id)
        else:
            attempt = self.store.attempts.apply_receipt(receipt, attempt_id, status, self.now())
            self._keep(receipt, attempt_id)
            self.settlement.settle(attempt)

    def _found(self, receipt: Receipt) -> AttemptId | None:
        for provider_id in (receipt.provider_id, receipt.wamid):
            if provider_id and (found := self.store.receipts.find(provider_id, receipt.channel)):
                return found
        return None

    def _without_attempt(self, receipt: Receipt) -> None:
        """A receipt may arrive before its send is recorded; then it is retried. A WhatsApp account
        has a single event destination, so it may also belong to another application.
        """
        if receipt.kind is ReceiptKind.UNKNOWN:
            self.store.receipts.add(receipt, None, self.now())
            self.log.info("receipt without an attempt", word=receipt.word)
        elif self.now() - receipt.occurred_at < YOUNG:
            raise Unmatched(f"no attempt for this {receipt.channel} receipt yet")
        else:
            count(Metric.FOREIGN_RECEIPT, receipt.channel)
            self.log.info("foreign receipt", word=receipt.word)

    def _keep(self, receipt: Receipt, attempt_id: AttemptId) -> None:
        self.store.receipts.add(receipt, attempt_id, self.now())
        if receipt.wamid and _introduces_wamid(receipt):
            self.store.receipts.link(receipt.wamid, attempt_id, self.now(), receipt.channel)
        self.log.debug(
            "receipt recorded",
            message_id=attempt_id.message_id,
            attempt=attempt_id.number,
            kind=receipt.kind,
            word=receipt.word,
        )


def _introduces_wamid(receipt: Receipt) -> bool:
    """Whether a later event may have only the wamid: after AWS's own event, `accepted`, and after
    one of Meta's without our echo field, which Meta repeats in all events or in none.
    """
    alone = not receipt.echo or receipt.kind is ReceiptKind.PROGRESS
    return receipt.provider_id is not None and alone
