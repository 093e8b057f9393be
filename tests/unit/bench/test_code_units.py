"""The DynamoDB units of a verification: a more expensive one fails here, not on the bill."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from bench.meter_cloud import batch_units
from messaging.channels import receipts
from messaging.codes.checking import Checking, CodeCheck
from messaging.codes.derivation import code_from, mac_message
from messaging.codes.guard import Guard, record_approval
from messaging.codes.resending import Resending
from messaging.codes.starting import RequestedVerification, Starting
from messaging.control import Control
from messaging.domain.errors import TooLate
from messaging.domain.limits import BreakerMode, CodeLimits
from messaging.domain.messages import AttemptId
from messaging.domain.plan import RequestedStep
from messaging.domain.statuses import AttemptStatus
from messaging.domain.verifications import (
    Alphabet,
    Verification,
    VerificationStatus,
    code_steps,
)
from messaging.intake import Intake
from messaging.reception import ReceiptRecorder
from messaging.settlement import Settlement
from messaging.store import Store
from messaging.store.counters import Counters
from messaging.store.table import Table
from tests.support.aws import event_text
from tests.support.plans import CHANNELS
from tests.support.ports import RecordedQueue, RecordedStates
from tests.unit.bench.test_units import FIRST, NOW, PROVIDER_ID, TOKEN, CountingDynamoDB

NUMBER = "+14255550104"
LIMITS = CodeLimits(5, 10, 20, 20, frozenset(), frozenset(), BreakerMode.BLOCK, 20)
POLICY = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Example", "en")
CLIENT = "203.0.113.7"


class CountingWithBatches(CountingDynamoDB):
    def batch_get_item(self, **request: Any) -> dict[str, dict[str, Any]]:
        response = super().batch_get_item(**request)
        self.reads += batch_units(request, response)
        return response


class ReversedMacs:
    """MACs without KMS: any function of the message will do."""

    def generate(self, message: bytes) -> bytes:
        return message[::-1]


class CodeFlow:
    """One verification: what its functions ask of the store."""

    def __init__(self) -> None:
        self.table = CountingWithBatches()
        client: Any = self.table
        self.store = Store(client, "Messages", timedelta(days=90))
        self.counters = Counters(Table(client, "Messages"))
        self.log = Logger(service="units")
        self.control = Control(self.store, RecordedStates(), self.now, self.log)
        self.policy = POLICY

    def now(self) -> datetime:
        return NOW

    def start(self, *channels: str) -> None:
        planned = code_steps(tuple(RequestedStep((channel,)) for channel in channels), 600)
        steps = [{"channel": one.channels[0]} for one in planned]
        document = {"to": dict.fromkeys(channels, NUMBER), "category": "authentication"}
        request = RequestedVerification({**document, "steps": steps}, planned, 600, POLICY, CLIENT)
        guard = Guard(self.counters, LIMITS, self.now, self.log)
        cool_down = timedelta(seconds=30)
        resending = Resending(self.store, self.control, guard, cool_down, self.now)
        intake = Intake(self.store, CHANNELS, self.now, self.log)
        starting = Starting(self.store, intake, resending, guard, RecordedQueue(), self.now)
        waits = dict.fromkeys(CHANNELS, 45)
        message = request.message(FIRST.message_id, NOW, waits)
        started = starting.start(request, message)
        assert started.new
        self.policy = started.history.message.verification or POLICY

    def send(self, attempt_id: AttemptId = FIRST) -> None:
        plan = self.store.messages.history(attempt_id.message_id).message.plan
        planned = plan.attempt(attempt_id.number)
        self.store.attempts.claim(attempt_id, planned.channel, TOKEN, NOW)
        self.store.messages.history(attempt_id.message_id)
        self.store.attempts.record_sent(attempt_id, PROVIDER_ID, NOW, planned)

    def receive(self, *events: str) -> None:
        settlement = Settlement(self.store, RecordedStates(), self.now)
        recorder = ReceiptRecorder(
            self.store, settlement, AttemptStatus.DELIVERED, self.now, self.log
        )
        for event in events:
            recorder.record_all(receipts.parse(event_text(event)))

    def check(self, code: str | None = None) -> VerificationStatus:
        def approved(*_: object) -> None:
            record_approval(self.counters, self.policy.counted_as, NOW, self.log)

        macs = ReversedMacs()
        checking = Checking(self.store, self.control, macs, approved, self.now, self.log)
        mac = macs.generate(mac_message(FIRST.message_id, self.policy, None, None))
        right = code_from(mac, self.policy.length, self.policy.alphabet)
        return checking.check(FIRST.message_id, CodeCheck(code or right)).status

    def check_late(self) -> None:
        with pytest.raises(TooLate):
            self.check()

    def units_of(self, step: Callable[[], object]) -> tuple[float, float]:
        """The read and the write units of this step."""
        before = self.table.reads, self.table.writes
        step()
        return self.table.reads - before[0], self.table.writes - before[1]


@pytest.fixture(autouse=True)
def _namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Throughline")


def test_the_units_of_a_verification() -> None:
    """The item of the message has less than 1 KB, so that each of its changes takes one."""
    flow = CodeFlow()

    # The counters of client, recipient, prefix and country; the place of the pending
    # one; the request, and the message with its entry in the index.
    assert flow.units_of(lambda: flow.start("whatsapp", "sms")) == (3, 8)
    # As of every message.
    assert flow.units_of(flow.send) == (2, 3)
    # `accepted` and the link of WhatsApp's id, `sent`, `delivered`; the attempt, and the message if
    # it had been closed.
    receipts_of = ("whatsapp_accepted", "whatsapp_sent", "whatsapp_delivered")
    assert flow.units_of(lambda: flow.receive(*receipts_of)) == (1.5, 6)
    # A check is counted; a right one confirms the message, and is counted for recipient, prefix
    # and country.
    assert flow.units_of(lambda: flow.check("000001")) == (0, 1)
    assert flow.units_of(flow.check) == (1, 5)


def test_a_check_that_comes_too_late_costs_what_its_item_takes() -> None:
    flow = CodeFlow()
    flow.start("sms")
    flow.check()

    assert flow.units_of(flow.check_late) == (0, 1)
