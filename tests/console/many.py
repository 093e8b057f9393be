"""Thousands of messages, written straight into a running stack's table."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.domain.verifications import Alphabet, Verification
from messaging.store import Store
from tests.e2e.conftest import Throughline
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.plans import plan_of

STEPS = ("whatsapp", "sms", "email")
WAIT_SECONDS = 45
ITEMS_AT_ONCE = 25


def store_many(throughline: Throughline, count: int, over: timedelta, name: str = "many") -> None:
    """So many messages that ended in one way or another, the newest a minute old; their ids are the
    name and their number, beginning with the newest.
    """
    memory: Any = MemoryDynamoDB()
    store, chance = Store(memory, "", timedelta(days=30)), random.Random(count)  # noqa: S311 - the same every time
    newest = datetime.now(UTC) - timedelta(minutes=1)
    for number in range(count):
        _tell(store, f"{name}-{number:05}", newest - over * (number / count), number, chance)
    _write(throughline, memory)


def store_codes(throughline: Throughline, count: int, over: timedelta) -> None:
    """So many verifications that are over, of three countries; two in three were approved, every
    other one of them after its second send.
    """
    memory: Any = MemoryDynamoDB()
    store = Store(memory, "", timedelta(days=30))
    newest = datetime.now(UTC) - timedelta(minutes=11)
    for number in range(count):
        _verify(store, f"code-{number:04}", newest - over * (number / count), number)
    _write(throughline, memory)


def _write(throughline: Throughline, memory: MemoryDynamoDB) -> None:
    items = list(memory.items.values())
    for start in range(0, len(items), ITEMS_AT_ONCE):
        puts: Any = [{"PutRequest": {"Item": one}} for one in items[start : start + ITEMS_AT_ONCE]]
        table = throughline.environment["MESSAGES_TABLE"]
        throughline.table.batch_write_item(RequestItems={table: puts})


def _verify(store: Store, name: str, at: datetime, number: int) -> None:
    plan = plan_of(
        *(
            PlannedAttempt(step, step, channel, WAIT_SECONDS, Success.CONFIRMED)
            for step, channel in enumerate(("whatsapp", "sms"), 1)
        )
    )
    phone = ("+14255550100", "+447700900100", "+4915112345678")[number % 7 % 3]
    request = {
        "to": {"whatsapp": phone, "sms": phone},
        "steps": [{"channel": "whatsapp"}, {"channel": "sms"}],
        "category": "authentication",
    }
    policy = Verification(
        ("sign-in", "payment")[number % 2], 6, Alphabet.DIGITS, 5, "Example", "en"
    )
    expires_at, checks = at + timedelta(minutes=10), 1 + number % 4
    store.messages.add(
        Message(name, at, plan, expires_at=expires_at, verification=policy, checks=checks), request
    )
    for planned in plan.attempts[: 1 + number % 2]:
        attempt, sent = AttemptId(name, planned.number), at + timedelta(seconds=planned.number)
        store.attempts.claim(attempt, planned.channel, "token", sent)
        store.attempts.record_sent(attempt, f"provider-{attempt}", sent, planned)
        store.attempts.update_status(attempt, AttemptStatus.DELIVERED, sent + timedelta(seconds=2))
    if number % 3:
        store.messages.update_status(name, MessageStatus.CONFIRMED, at + timedelta(seconds=30))


def _tell(store: Store, name: str, at: datetime, number: int, chance: random.Random) -> None:
    plan = plan_of(
        *(
            PlannedAttempt(step, step, channel, WAIT_SECONDS, Success.DELIVERED)
            for step, channel in enumerate(STEPS, 1)
        )
    )
    phone = f"+1206555{100 + number % 100:04}"
    request = {
        "to": {"whatsapp": phone, "sms": phone, "email": f"person{number % 100}@example.com"},
        "content": {"text": "Your order is on its way."},
        "steps": [{"channel": channel} for channel in STEPS],
        "category": "utility",
        "metadata": {"order": f"A{number:05}", "team": ("shop", "billing")[number % 2]},
    }
    store.messages.add(Message(name, at, plan), request)
    status, ended = MessageStatus.UNDELIVERED, at
    for attempt, channel in enumerate(STEPS, 1):
        status, ended = _try(store, AttemptId(name, attempt), channel, ended, chance)
        if status is MessageStatus.DELIVERED:
            break
    store.messages.update_status(name, status, ended, channel=channel)


def _try(
    store: Store, attempt: AttemptId, channel: str, at: datetime, chance: random.Random
) -> tuple[MessageStatus, datetime]:
    """One attempt in four fails, one in twelve is not heard of again."""
    began = at + timedelta(milliseconds=chance.randint(40, 90))
    store.attempts.claim(attempt, channel, "token", began)
    sent = began + timedelta(milliseconds=chance.randint(60, 200))
    planned = store.messages.history(attempt.message_id).message.plan.attempt(attempt.number)
    store.attempts.record_sent(attempt, f"provider-{attempt}", sent, planned)
    outcome = chance.random()
    if outcome < 1 / 12:
        over = began + timedelta(seconds=WAIT_SECONDS)
        store.attempts.update_status(attempt, AttemptStatus.TIMED_OUT, over)
        return MessageStatus.UNDELIVERED, over
    heard = sent + timedelta(milliseconds=chance.randint(300, 4_000))
    if outcome < 1 / 3:
        store.attempts.update_status(
            attempt, AttemptStatus.FAILED, heard, "131026 Message undeliverable"
        )
        return MessageStatus.UNDELIVERED, heard
    store.attempts.update_status(attempt, AttemptStatus.DELIVERED, heard)
    return MessageStatus.DELIVERED, heard
