"""The DynamoDB units of a message: what makes one more expensive fails here, not on the bill.

On a table in memory that counts, with providers' events and task tokens as long as those of AWS.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from bench.scenarios import SCENARIOS
from bench.usage import INDEXED, read_units, write_units
from messaging.channels import receipts
from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, Success
from messaging.reception import ReceiptRecorder
from messaging.settlement import Settlement
from messaging.store import Store
from tests.support.aws import event_text
from tests.support.dynamodb import Item, MemoryDynamoDB
from tests.support.plans import plan_of
from tests.support.ports import RecordedStates

FIRST = AttemptId("01JEXAMPLE0000000000000001", 1)
SECOND = AttemptId(FIRST.message_id, 2)
# The id that AWS gives the message in the events.
PROVIDER_ID = "6d69f07a-0000-4000-8000-6a84078419ec"
NOW = datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC)
TOKEN = "x" * 700
PLAN = plan_of(
    PlannedAttempt(1, 1, "whatsapp", 600, Success.DELIVERED),
    PlannedAttempt(2, 2, "sms", 600, Success.DELIVERED),
)
REQUEST = SCENARIOS[0].request | {"category": "utility"}
LARGE = REQUEST | {"content": {"text": "x" * 5_000}}


class CountingDynamoDB(MemoryDynamoDB):
    """Counts the units that AWS bills. The index `Recent` takes a write where an item enters it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.writes = 0.0

    def put_item(self, **request: Any) -> dict[str, Any]:
        with_index = INDEXED[2] in request["Item"]
        return self._counted(super().put_item, request, request["Item"], with_index)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._counted(super().update_item, request, request["Key"], False)

    def get_item(self, **request: Any) -> dict[str, Any]:
        response = super().get_item(**request)
        items = [response["Item"]] if response else []
        self.reads += read_units(items, consistent=request["ConsistentRead"])
        return response

    def _query(self, **request: Any) -> Iterator[dict[str, Any]]:
        for page in super()._query(**request):
            self.reads += read_units(page["Items"], consistent=request["ConsistentRead"])
            yield page

    def _counted(
        self, write: Any, request: dict[str, Any], item: Item, with_index: bool
    ) -> dict[str, Any]:
        key = item["pk"]["S"], item["sk"]["S"]
        before = self.items.get(key, {})
        try:
            response: dict[str, Any] = write(**request)
        finally:
            after = self.items.get(key, {})
            self.writes += write_units(before, after)
        self.writes += with_index
        return response


class Flow:
    """One message: what its functions ask of the store."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.table = CountingDynamoDB()
        self.store = Store(self.table, "Messages", timedelta(days=90))  # type: ignore[arg-type] # the stand-in
        settlement = Settlement(self.store, RecordedStates(), lambda: NOW)
        log = Logger(service="units")
        self.recorder = ReceiptRecorder(
            self.store, settlement, AttemptStatus.DELIVERED, lambda: NOW, log
        )
        self.store.messages.add(Message(FIRST.message_id, NOW, PLAN), request)

    def send(self, attempt_id: AttemptId, provider_id: str) -> None:
        planned = PLAN.attempt(attempt_id.number)
        self.store.attempts.claim(attempt_id, planned.channel, TOKEN, NOW)
        self.store.messages.history(attempt_id.message_id)
        self.store.attempts.record_sent(attempt_id, provider_id, NOW, planned)

    def receive(self, *events: str) -> None:
        for event in events:
            text = event_text(event).replace('"attempt": "1"', '"attempt": "2"')
            self.recorder.record_all(receipts.parse(text))

    @property
    def units(self) -> tuple[float, float]:
        return self.table.reads, self.table.writes


def delivered_first(request: dict[str, Any]) -> Flow:
    flow = Flow(request)
    flow.send(FIRST, PROVIDER_ID)
    flow.receive("whatsapp_accepted", "whatsapp_sent", "whatsapp_delivered")
    return flow


def test_a_message_delivered_first_takes_eleven_writes() -> None:
    """Message and its entry in the index; claim, link, sent; `accepted` and the link of WhatsApp's
    id, `sent`, `delivered`; the attempt and the message delivered.
    """
    assert delivered_first(REQUEST).units == (2.5, 11)


def test_a_large_request_is_written_once() -> None:
    """Six units for its own item, not for each change of a status."""
    reads, writes = delivered_first(LARGE).units

    assert (reads, writes) == (2.5, 11 + 6)


def test_a_fallback_takes_six_writes_more() -> None:
    flow = Flow(REQUEST)
    flow.send(FIRST, PROVIDER_ID)
    flow.receive("whatsapp_accepted", "whatsapp_failed_131026")
    failed = flow.table.writes
    flow.send(SECOND, "862a8790-60c0-4430-9b2b-658bd0000001")
    flow.receive("sms_TEXT_DELIVERED")

    assert failed == 5 + 2 + 2
    assert flow.table.writes == failed + 3 + 3


def test_a_repeated_receipt_costs_a_failed_condition_and_its_item() -> None:
    flow = delivered_first(REQUEST)
    _, before = flow.units
    flow.receive("whatsapp_delivered")

    assert flow.table.writes <= before + 3


@pytest.mark.parametrize(("event", "writes"), [("whatsapp_sent", 1), ("whatsapp_accepted", 2)])
def test_a_receipt_that_changes_no_status_writes_no_attempt(event: str, writes: int) -> None:
    flow = Flow(REQUEST)
    flow.send(FIRST, PROVIDER_ID)
    attempt = flow.table.items[FIRST.message_id, "attempt#01"]
    before = flow.table.writes
    flow.receive(event)

    assert flow.table.items[FIRST.message_id, "attempt#01"] is attempt
    assert flow.table.writes == before + writes


def test_a_sent_receipt_that_comes_before_the_send_is_recorded_raises_the_status() -> None:
    flow = Flow(REQUEST)
    flow.store.attempts.claim(FIRST, "whatsapp", TOKEN, NOW)
    flow.receive("whatsapp_sent")

    [attempt] = flow.store.messages.history(FIRST.message_id).attempts
    assert (attempt.status, attempt.provider_id) == (AttemptStatus.SENT, PROVIDER_ID)
