"""Records a provider's receipt: which attempt it belongs to, and what it changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from messaging.domain.errors import Unmatched
from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.statuses import AttemptStatus, ReceiptKind, attempt_status
from messaging.metrics import Metric, count
from messaging.ports import Clock
from messaging.settlement import Settlement

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

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

    def record_all(self, receipts: Iterable[Receipt]) -> None:
        """Records all of them, then raises `Unmatched` if the event must be delivered again: one
        event may have receipts of many messages, and one of them must not delay the others.
        """
        unmatched = [error for receipt in receipts if (error := self._try_to_record(receipt))]
        if unmatched:
            raise unmatched[0]

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
        status = attempt_status(receipt.kind, self.carrier_receipt)
        if status is None:
            if receipt.echo:  # an echo may be wrong; an id that was found was recorded by the send
                self.store.attempts.require(attempt_id, receipt.channel)
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
        if receipt.wamid and not receipt.echo:
            self.store.receipts.link(receipt.wamid, attempt_id, self.now(), receipt.channel)
        self.log.debug(
            "receipt recorded",
            message_id=attempt_id.message_id,
            attempt=attempt_id.number,
            kind=receipt.kind,
            word=receipt.word,
        )
