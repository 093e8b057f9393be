"""The rules of a start: one pending verification, nothing lost and nothing twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from messaging.codes.guard import Guard
from messaging.codes.resending import Resending
from messaging.codes.starting import (
    REPLACED,
    RequestedVerification,
    StartedVerification,
    Starting,
)
from messaging.control import Control
from messaging.domain.errors import Blocked, NotQueued, TooLate, UnknownMessage
from messaging.domain.limits import BreakerMode, CodeLimits
from messaging.domain.messages import NOT_CONFIRMED, REQUESTED, AttemptId, MessageHistory
from messaging.domain.plan import RequestedStep
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.domain.verifications import (
    Alphabet,
    Verification,
    code_steps,
    next_resend_at,
    sends_left,
)
from messaging.intake import NOT_QUEUED, Intake
from messaging.store import Store
from messaging.store.counters import Counters
from messaging.store.table import Table
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.faults import Died, dies
from tests.support.plans import CHANNELS
from tests.support.ports import RecordedQueue, RecordedStates

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SMS, EMAIL = RequestedStep(("sms",)), RequestedStep(("email",))
BOTH = RequestedStep(("sms", "email"), broadcast=True)
POLICY = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Acme", "en")
LIMITS = CodeLimits(5, 10, 100, 100, frozenset(), frozenset(), BreakerMode.BLOCK, 10)
WAITS = dict.fromkeys(CHANNELS, 45)


def requested(*steps: RequestedStep, **changes: Any) -> RequestedVerification:
    planned = code_steps(steps or (SMS,), 600)
    document = {
        "to": {"sms": "+14255550156", "email": "ana@example.com"},
        "category": "authentication",
        "steps": [
            {"broadcast": list(one.channels)} if one.broadcast else {"channel": one.channels[0]}
            for one in planned
        ],
        **changes,
    }
    return RequestedVerification(document, planned, 600, POLICY)


class World:
    """What a start and a resend use, at a time that a test sets."""

    def __init__(self) -> None:
        client: Any = MemoryDynamoDB()
        self.items = client.items
        self.store = Store(client, "Messages", timedelta(days=30))
        self.states, self.queue, self.now = RecordedStates(), RecordedQueue(), NOW
        self.log = Logger(service="codes")
        self.control = Control(self.store, self.states, lambda: self.now, self.log)
        counters = Counters(Table(client, "Messages"))
        self.guard = Guard(counters, LIMITS, lambda: self.now, self.log)
        self.ids = 0

    def resending(self) -> Resending:
        cool_down = timedelta(seconds=30)
        return Resending(self.store, self.control, self.guard, cool_down, lambda: self.now)

    def start(self, request: RequestedVerification | None = None) -> StartedVerification:
        request = request or requested()
        self.ids += 1
        intake = Intake(self.store, CHANNELS, lambda: self.now, self.log)
        starting = Starting(
            *(self.store, intake, self.resending(), self.guard, self.queue, lambda: self.now)
        )
        return starting.start(request, request.message(f"m{self.ids}", self.now, WAITS))

    def started(self, request: RequestedVerification | None = None) -> tuple[str, bool]:
        found = self.start(request)
        return found.history.message.message_id, found.new

    def resend(self, message_id: str = "m1") -> MessageHistory:
        return self.resending().resend(*self.store.messages.history_and_request(message_id))

    def send(self, attempt: int = 1, message_id: str = "m1", *, asked: bool = True) -> None:
        """The attempt as `send_message` leaves it: sent, or waiting to be asked for."""
        attempt_id = AttemptId(message_id, attempt)
        planned = self.history(message_id).message.plan.attempt(attempt)
        self.store.attempts.claim(attempt_id, planned.channel, f"token {attempt}", self.now)
        if asked:
            self.store.attempts.record_sent(attempt_id, f"provider-{attempt}", self.now, planned)
        else:
            self.store.attempts.release(attempt_id, "waits for a resend")

    def history(self, message_id: str = "m1") -> MessageHistory:
        return self.store.messages.history(message_id)

    @property
    def queued(self) -> list[str]:
        return [attributes["message_id"] for _, attributes in self.queue.requests]

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Throughline")


@pytest.fixture
def world() -> World:
    return World()


# ---- its plan


@pytest.mark.parametrize(
    ("steps", "planned"),
    [
        ((SMS,), ["sms 600", *["sms 600 on request"] * 4]),
        ((SMS, EMAIL), ["sms 45", "email 600", *["email 600 on request"] * 3]),
        ((SMS, BOTH), ["sms 45", "sms+email 600", "sms+email 600 on request"]),
        ((BOTH, EMAIL, EMAIL), ["sms+email 45", "email 45", "email 600", "email 600 on request"]),
        ((SMS,) * 5, [*["sms 45"] * 4, "sms 600"]),
        ((SMS, SMS, SMS, BOTH), [*["sms 45"] * 3, "sms+email 600"]),
    ],
)
def test_the_last_step_waits_until_the_expiry_and_repeats_on_request(
    world: World, steps: tuple[RequestedStep, ...], planned: list[str]
) -> None:
    world.start(requested(*steps))
    plan = world.history().message.plan

    assert [
        f"{'+'.join(one.channel for one in step.attempts)} {step.wait_seconds}"
        + (" on request" if step.on_request else "")
        for step in plan.steps
    ] == planned
    assert {one.success for one in plan.attempts} == {Success.CONFIRMED}
    assert len(plan.attempts) <= 5


def test_a_code_lives_as_long_as_it_was_started_for_and_no_longer(world: World) -> None:
    world.start()
    expiry = world.history().message.expires_at
    world.send()
    world.later(31)
    world.start()

    assert expiry == NOW + timedelta(seconds=600)
    assert world.history().message.expires_at == expiry


# ---- one is pending


def test_a_new_verification_is_stored_and_queued(world: World) -> None:
    assert world.started() == ("m1", True)
    assert world.queued == ["m1"]
    assert world.history().message.verification == replace(
        POLICY,
        counted_as=world.start().history.message.verification.counted_as,  # type: ignore[union-attr] # it has one
    )


def test_a_second_start_within_the_cool_down_is_the_same_and_sends_nothing(world: World) -> None:
    world.start()
    world.send()
    world.later(29)

    assert world.started() == ("m1", False)
    assert (world.queued, world.states.failed) == (["m1"], [])


def test_a_second_start_after_the_cool_down_is_a_resend(world: World) -> None:
    world.start(requested(SMS, EMAIL))
    world.send()
    world.later(30)

    assert world.started(requested(SMS, EMAIL)) == ("m1", False)
    assert [error for _, error, _ in world.states.failed] == ["Advanced"]
    assert world.history().message.advanced_to == 2
    assert world.queued == ["m1"]


@pytest.mark.parametrize(
    "change",
    [
        {"verification": replace(POLICY, purpose="payment")},
        {"verification": replace(POLICY, payee="Shop", amount="5 EUR")},
        {"document": {**requested().document, "to": {"sms": "+14255550157"}}},
    ],
    ids=["purpose", "payment", "recipient"],
)
def test_another_purpose_payment_or_recipient_is_another_verification(
    world: World, change: dict[str, Any]
) -> None:
    world.start()

    assert world.started(replace(requested(), **change)) == ("m2", True)


def with_own_code(code: str) -> RequestedVerification:
    return replace(requested(code=code), verification=replace(POLICY, own_code=True))


def test_the_same_own_code_is_the_same_verification(world: World) -> None:
    world.start(with_own_code("1234"))
    world.send()
    world.later(30)

    assert world.started(with_own_code("1234")) == ("m1", False)
    assert world.history().message.advanced_to == 2


def test_no_code_can_be_tried_out_on_the_stored_key() -> None:
    assert with_own_code("1234").key == with_own_code("5678").key == requested().key


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (with_own_code("1234"), with_own_code("5678")),
        (with_own_code("1234"), requested()),
        (requested(), with_own_code("1234")),
    ],
    ids=["own own", "own ours", "ours own"],
)
def test_another_code_takes_the_place_of_the_pending_one_after_the_cool_down(
    world: World, first: RequestedVerification, second: RequestedVerification
) -> None:
    world.start(first)
    world.send()
    world.later(29)
    with pytest.raises(Blocked) as raised:
        world.start(second)
    assert (raised.value.limit, raised.value.retry_after) == ("resend_cooldown", 1)
    assert world.history().message.cancelled_at is None
    world.later(1)

    assert world.started(second) == ("m3", True)
    assert world.history().message.cancelled_at == world.now
    assert world.states.failed == [("token 1", "Cancelled", REPLACED)]
    assert world.started(second) == ("m3", False)


def test_of_two_own_codes_at_the_same_moment_the_one_that_is_not_sent_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second start finds the first one between its two writes, and stores its code there."""
    add = world.store.messages.add
    other: list[tuple[str, bool]] = []

    def another_first(*args: Any) -> bool:
        monkeypatch.setattr(world.store.messages, "add", add)
        other.append(world.started(with_own_code("5678")))
        return add(*args)

    monkeypatch.setattr(world.store.messages, "add", another_first)
    with pytest.raises(Blocked) as raised:
        world.start(with_own_code("1234"))
    assert raised.value.limit == "resend_cooldown"
    assert other == [("m1", True)]
    assert world.store.messages.history_and_request("m1")[1]["code"] == "5678"


def test_the_addresses_of_a_recipient_have_no_order_and_no_case(world: World) -> None:
    world.start(requested(SMS, EMAIL))
    other = requested(EMAIL, SMS, to={"email": "Ana@Example.com", "sms": "+14255550156"})

    assert world.started(other) == ("m1", False)


def approve(world: World) -> None:
    world.control.confirm("m1", by_check="check")


def cancel(world: World) -> None:
    world.control.cancel("m1")


def use_up(world: World) -> None:
    for _ in range(5):
        world.store.verifications.count_check("m1", world.now, bound=False)


def expire(world: World) -> None:
    world.later(600)


def close(world: World) -> None:
    world.store.messages.update_status("m1", MessageStatus.UNDELIVERED, world.now)


def close_as_delivered(world: World) -> None:
    delivered = MessageStatus.DELIVERED
    world.store.messages.update_status("m1", delivered, world.now, reason=NOT_CONFIRMED)


@pytest.mark.parametrize("end", [approve, cancel, use_up, expire, close, close_as_delivered])
def test_what_is_not_pending_any_more_makes_room(
    world: World, end: Callable[[World], None]
) -> None:
    world.start()
    world.send()
    end(world)

    assert world.started() == ("m2", True)
    assert world.started() == ("m2", False)
    assert world.queued == ["m1", "m2", "m2"]


def not_queued(world: World) -> None:
    world.store.attempts.block(AttemptId("m1", 1), "sms", NOW, NOT_QUEUED)


@pytest.mark.parametrize("end", [close, close_as_delivered, not_queued])
def test_of_a_code_and_the_one_that_takes_its_place_only_the_new_one_may_be_entered(
    world: World, end: Callable[[World], None]
) -> None:
    world.start()
    end(world)
    status = world.history().message.status
    world.start()

    assert world.history().message.cancelled_at == NOW
    assert not world.store.verifications.count_check("m1", NOW, bound=False)[1]
    assert world.store.verifications.count_check("m2", NOW, bound=False)[1]
    if end is not not_queued:
        assert world.history().message.status is status


def test_a_code_that_is_approved_while_another_takes_its_place_remains_approved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start()
    close(world)
    admit = world.guard.admit

    def approved_meanwhile(*args: Any, **kwargs: Any) -> tuple[str, ...]:
        approve(world)
        return admit(*args, **kwargs)

    monkeypatch.setattr(world.guard, "admit", approved_meanwhile)
    assert world.started() == ("m2", True)
    assert world.history().message.cancelled_at is None


def test_a_blocked_start_does_not_cancel_what_it_would_replace(world: World) -> None:
    world.start()
    close(world)
    world.guard.limits = replace(LIMITS, denied=frozenset({"US"}))

    with pytest.raises(Blocked):
        world.start()
    assert world.history().message.cancelled_at is None


def test_a_code_that_is_approved_while_it_is_started_again_makes_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start()
    world.send()
    world.later(31)
    admit = world.guard.admit

    def approved_meanwhile(*args: Any, **kwargs: Any) -> tuple[str, ...]:
        if world.history().message.status is not MessageStatus.CONFIRMED:
            approve(world)
        return admit(*args, **kwargs)

    monkeypatch.setattr(world.guard, "admit", approved_meanwhile)
    assert world.started() == ("m2", True)


# ---- what is refused


def test_a_blocked_start_stores_and_queues_nothing(world: World) -> None:
    world.guard.limits = replace(LIMITS, denied=frozenset({"US"}))

    with pytest.raises(Blocked) as raised:
        world.start()
    assert raised.value.limit == "country"
    assert (world.items, world.queued) == ({}, [])


def test_a_start_that_sends_nothing_is_not_counted(world: World) -> None:
    for _ in range(20):
        world.start()
        world.later(1)

    # The first start and four that follow it may be sent in an hour.
    cancel(world)
    for number in range(4):
        assert world.started()[1]
        world.control.cancel(world.start().history.message.message_id)
        assert number < 4
    with pytest.raises(Blocked, match="recipient"):
        world.start()


def test_a_start_whose_sends_are_used_up_is_refused_until_the_expiry(world: World) -> None:
    world.start(requested(*[SMS] * 5))
    for attempt in range(1, 6):
        world.send(attempt)
    world.later(100)

    with pytest.raises(Blocked) as raised:
        world.start(requested(*[SMS] * 5))
    assert (raised.value.limit, raised.value.retry_after) == ("max_sends", 500)


# ---- a start that breaks off


def test_a_start_that_ends_before_it_stores_its_message_is_continued(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(type(world.store.messages), "add", dies)
        with pytest.raises(Died):
            world.start()

    assert world.started() == ("m1", True)
    assert world.started() == ("m1", False)
    assert set(world.queued) == {"m1"}


def test_what_ended_before_it_was_stored_is_not_continued_after_its_expiry(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its execution's name may have been used: the message may have existed and be deleted."""
    with monkeypatch.context() as broken:
        broken.setattr(type(world.store.messages), "add", dies)
        with pytest.raises(Died):
            world.start()
    world.later(600)

    assert world.started() == ("m2", True)


def test_a_start_that_ends_before_it_queues_its_message_is_queued_by_the_next(
    world: World,
) -> None:
    world.queue.before = dies
    with pytest.raises(Died):
        world.start()
    world.queue.before = lambda: None

    assert world.started() == ("m1", False)
    assert world.queued == ["m1"]


def test_a_start_that_cannot_be_queued_is_closed_and_the_next_is_new(world: World) -> None:
    world.queue.error = NotQueued("no")
    with pytest.raises(NotQueued):
        world.start()
    world.queue.error = None

    assert world.history().message.status is MessageStatus.UNDELIVERED
    assert world.started() == ("m2", True)


def test_a_start_that_ends_between_blocking_and_closing_is_not_pending(world: World) -> None:
    world.start()
    world.store.attempts.block(AttemptId("m1", 1), "sms", NOW, NOT_QUEUED)

    assert world.started() == ("m2", True)


def test_a_repetition_that_cannot_be_queued_leaves_the_first_one_alone(world: World) -> None:
    world.start()
    world.queue.error = NotQueued("no")

    with pytest.raises(NotQueued):
        world.start()
    assert world.history().message.status is MessageStatus.ACCEPTED
    assert world.history().attempts == ()


def test_another_start_at_the_same_moment_wins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the read and the write of the first one."""
    other: list[tuple[str, bool]] = []
    take = world.store.verifications.take

    def taken_by_another(*args: Any) -> bool:
        monkeypatch.setattr(world.store.verifications, "take", take)
        other.append(world.started())
        return take(*args)

    monkeypatch.setattr(world.store.verifications, "take", taken_by_another)

    assert world.started() == ("m2", False)
    assert other == [("m2", True)]
    assert set(world.queued) == {"m2"}


def test_a_message_that_is_stored_just_after_it_was_missed_keeps_its_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(type(world.store.messages), "add", dies)
        with pytest.raises(Died):
            world.start()
    history = world.store.messages.history_and_request
    other: list[tuple[str, bool]] = []

    def missed(message_id: str) -> MessageHistory:
        monkeypatch.setattr(world.store.messages, "history_and_request", history)
        other.append(world.started())
        raise UnknownMessage(message_id)

    monkeypatch.setattr(world.store.messages, "history_and_request", missed)

    assert world.started()[0] == "m1"
    assert other == [("m1", True)]
    assert set(world.queued) == {"m1"}


# ---- resends


def test_a_resend_goes_to_the_next_step_and_then_repeats_the_last(world: World) -> None:
    world.start(requested(SMS, EMAIL))
    reached = []
    for attempt in range(1, 6):
        world.send(attempt)
        world.later(30)
        history = world.history()
        reached.append(sends_left(history))
        if attempt < 5:
            world.resend()

    assert reached == [4, 3, 2, 1, 0]
    assert world.history().message.advanced_to == 5
    assert [error for _, error, _ in world.states.failed] == ["Advanced"] * 10
    with pytest.raises(Blocked) as raised:
        world.resend()
    assert (raised.value.limit, raised.value.retry_after) == ("max_sends", 450)


def test_a_step_that_waits_to_be_asked_for_is_what_a_resend_sends(world: World) -> None:
    world.start()
    world.send()
    world.store.attempts.update_status(AttemptId("m1", 1), AttemptStatus.FAILED, world.now)
    world.send(2, asked=False)
    world.later(30)
    assert sends_left(world.history()) == 4
    world.resend()

    assert world.history().message.advanced_to == 2
    assert world.states.failed == [("token 2", "Resend", REQUESTED)]


@pytest.mark.parametrize(("seconds", "left"), [(0, 30), (29.5, 1)])
def test_a_resend_within_the_cool_down_is_refused(world: World, seconds: float, left: int) -> None:
    world.start()
    world.send()
    world.later(seconds)

    with pytest.raises(Blocked) as raised:
        world.resend()
    assert (raised.value.limit, raised.value.retry_after) == ("resend_cooldown", left)
    assert world.history().message.last_send_requested_at is None


def test_the_cool_down_begins_with_the_last_resend(world: World) -> None:
    world.start()
    world.send()
    world.later(40)
    message = world.resend().message
    world.send(2)
    world.later(29)

    assert next_resend_at(message, timedelta(seconds=30)) == NOW + timedelta(seconds=70)
    with pytest.raises(Blocked, match="30 seconds"):
        world.resend()


def test_of_two_resends_at_once_one_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start()
    world.send()
    world.later(30)
    admit = world.guard.admit

    def another_first(*args: Any, **kwargs: Any) -> tuple[str, ...]:
        monkeypatch.setattr(world.guard, "admit", admit)
        world.later(0.001)
        world.resend()
        return admit(*args, **kwargs)

    monkeypatch.setattr(world.guard, "admit", another_first)
    with pytest.raises(Blocked) as raised:
        world.resend()
    assert raised.value.limit == "resend_cooldown"
    assert len(world.states.failed) == 1


def test_a_resend_counts_against_the_client_that_started_the_verification(world: World) -> None:
    world.start(replace(requested(), client_ip="2001:db8::1"))
    world.guard.limits = replace(LIMITS, per_client_hour=1)
    world.send()
    world.later(30)

    with pytest.raises(Blocked) as blocked:
        world.resend()
    assert blocked.value.limit == "client_ip"
    assert len(world.queued) == 1


def test_a_resend_counts_against_the_limits(world: World) -> None:
    world.guard.limits = replace(LIMITS, per_recipient_hour=2)
    world.start()
    for attempt in (1, 2):
        world.send(attempt)
        world.later(30)
        if attempt == 1:
            world.resend()

    with pytest.raises(Blocked) as raised:
        world.resend()
    assert raised.value.limit == "recipient"
    assert world.history().message.advanced_to == 2


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (approve, "approved"),
        (cancel, "cancelled"),
        (use_up, "max_checks_reached"),
        (expire, "expired"),
    ],
)
def test_what_is_not_pending_is_not_resent(
    world: World, end: Callable[[World], None], status: str
) -> None:
    world.start()
    world.send()
    end(world)
    world.later(30)

    with pytest.raises(TooLate) as raised:
        world.resend()
    assert raised.value.status == status


@pytest.mark.parametrize("end", [close, close_as_delivered])
def test_nothing_is_left_to_send_of_a_message_that_ended_before_its_code(
    world: World, end: Callable[[World], None]
) -> None:
    world.start()
    world.send()
    end(world)
    world.later(30)
    before = dict(world.items)

    with pytest.raises(TooLate, match="start a new one") as raised:
        world.resend()
    assert raised.value.status == "pending"
    assert world.items == before
    assert sends_left(world.history()) == 0


def test_a_message_that_ends_during_its_resend_is_told_as_one_that_ended_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start()
    world.send()
    world.later(30)
    admit = world.guard.admit

    def closed_meanwhile(*args: Any, **kwargs: Any) -> tuple[str, ...]:
        close(world)
        return admit(*args, **kwargs)

    monkeypatch.setattr(world.guard, "admit", closed_meanwhile)
    with pytest.raises(TooLate, match="start a new one") as raised:
        world.resend()
    assert raised.value.status == "pending"


def test_a_resend_before_the_first_send_waits_for_it(world: World) -> None:
    world.start()
    world.later(30)

    assert world.resend().attempts == ()
    assert world.history().message.advanced_to == 0


def test_a_resend_that_broke_off_is_repeated_after_the_cool_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start()
    world.send()
    world.later(30)
    with monkeypatch.context() as broken:
        broken.setattr(type(world.store.messages), "advance", dies)
        with pytest.raises(Died):
            world.resend()
    world.later(30)
    world.resend()

    assert world.history().message.advanced_to == 2
