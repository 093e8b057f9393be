"""The rules of a check: counted before it is compared, approved once, every end told apart."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from messaging.codes.checking import EVERY_CHECK_USED, Checking, CheckResult, CodeCheck
from messaging.codes.derivation import code_from, mac_message
from messaging.control import Control
from messaging.domain.errors import InvalidRequest, TooLate, UnknownMessage
from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import MessageStatus, Success
from messaging.domain.verifications import Alphabet, Verification, VerificationStatus
from messaging.store import Store
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.faults import Died
from tests.support.plans import plan_of
from tests.support.ports import RecordedStates

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POLICY = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Acme", "en", counted_as=("limit#a",))
PAID = replace(POLICY, payee="Shop", amount="5 EUR")
PLAN = plan_of(PlannedAttempt(1, 1, "sms", 600, Success.CONFIRMED))
MESSAGE = Message("m1", NOW, PLAN, expires_at=NOW + timedelta(minutes=10), verification=POLICY)
APPROVED, PENDING = VerificationStatus.APPROVED, VerificationStatus.PENDING
CANCELLED, EXPIRED = VerificationStatus.CANCELLED, VerificationStatus.EXPIRED
USED_UP = VerificationStatus.MAX_CHECKS_REACHED


class CountedMacs:
    """MACs of which each is counted; `before` happens first."""

    def __init__(self) -> None:
        self.made = 0
        self.before: Callable[[], object] = lambda: None

    def generate(self, message: bytes) -> bytes:
        before, self.before = self.before, lambda: None
        before()
        self.made += 1
        return message[::-1]


class OneAtATime(MemoryDynamoDB):
    """A table for threads: each call is atomic, as DynamoDB's are."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def update_item(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            return super().update_item(**request)


class World:
    """A verification, and all that a check uses."""

    def __init__(self, verification: Verification = POLICY) -> None:
        client: Any = OneAtATime()
        self.store = Store(client, "Messages", timedelta(days=30))
        self.states, self.macs, self.now = RecordedStates(), CountedMacs(), NOW
        self.approved: list[str] = []
        self.verification = verification
        self.store.messages.add(replace(MESSAGE, verification=verification))
        self.store.attempts.claim(AttemptId("m1", 1), "sms", "token", NOW)

    def checking(self) -> Checking:
        log = Logger(service="codes")
        control = Control(self.store, self.states, lambda: self.now, log)
        return Checking(
            self.store,
            control,
            self.macs,
            lambda message: self.approved.append(message.message_id),
            lambda: self.now,
            log,
        )

    def check(self, code: str, key: str | None = None, **payment: str) -> CheckResult:
        return self.checking().check("m1", CodeCheck(code, key=key, **payment))

    def status(self, code: str, key: str | None = None, **payment: str) -> str:
        """The status, also of a check that came too late."""
        try:
            return self.check(code, key, **payment).status
        except TooLate as error:
            return f"too late: {error.status}"

    def right(self, payee: str | None = None, amount: str | None = None) -> str:
        mac = mac_message("m1", self.verification, payee, amount)[::-1]
        return code_from(mac, self.verification.length, self.verification.alphabet)

    def wrong(self) -> str:
        right = self.right()
        return ("1" if right[0] == "0" else "0") + right[1:]

    @property
    def message(self) -> Message:
        return self.store.messages.history("m1").message


@pytest.fixture(autouse=True)
def _namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Throughline")


@pytest.fixture
def world() -> World:
    return World()


def test_a_wrong_code_leaves_one_check_less(world: World) -> None:
    results = [world.check(world.wrong()) for _ in range(2)]

    assert [(one.status, one.checks_left) for one in results] == [(PENDING, 4), (PENDING, 3)]
    assert (world.message.status, world.states.failed) == (MessageStatus.ACCEPTED, [])


def test_a_right_code_is_approved_and_ends_the_wait(world: World) -> None:
    assert world.check(world.right()) == CheckResult(APPROVED, 0)

    assert world.message.status is MessageStatus.CONFIRMED
    [(token, outcome)] = world.states.succeeded
    assert (token, outcome.status) == ("token", MessageStatus.CONFIRMED)
    assert world.approved == ["m1"]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "x" * 64, "\ud800", "١٢٣٤٥٦"])
def test_what_cannot_be_the_code_is_a_wrong_code(world: World, code: str) -> None:
    assert world.check(code).status is PENDING
    assert world.message.checks == 1


def test_the_last_wrong_check_ends_the_verification(world: World) -> None:
    results = [world.status(world.wrong()) for _ in range(5)]

    assert results == [PENDING] * 4 + [USED_UP]
    message = world.message
    assert (message.status, message.reason) == (MessageStatus.CANCELLED, EVERY_CHECK_USED)
    assert message.cancelled_at is None
    assert [error for _, error, _ in world.states.failed] == ["Cancelled"]


def test_after_the_last_check_the_right_code_is_not_even_compared(world: World) -> None:
    for _ in range(5):
        world.check(world.wrong())
    compared = world.macs.made

    assert world.status(world.right()) == f"too late: {USED_UP}"
    assert (world.macs.made, world.message.checks) == (compared, 5)


def test_the_policy_says_how_many_checks_there_are() -> None:
    world = World(replace(POLICY, max_checks=1))

    assert world.check(world.wrong()) == CheckResult(USED_UP, 0)


def test_a_second_right_check_comes_too_late(world: World) -> None:
    assert [world.status(world.right()) for _ in range(2)] == [APPROVED, f"too late: {APPROVED}"]
    assert world.approved == ["m1"]


def test_the_same_key_gets_its_approval_again(world: World) -> None:
    answers = [world.status(world.right(), key) for key in ("key 1", "key 1", "key 2")]

    assert answers == [APPROVED, APPROVED, f"too late: {APPROVED}"]
    assert world.approved == ["m1"]
    assert world.message.checks == 2


def test_the_key_of_the_approval_compares_no_more_codes_than_the_policy_allows(
    world: World,
) -> None:
    answers = [world.status(world.right(), "key")]
    answers += [world.status(world.wrong(), "key") for _ in range(20)]
    answers.append(world.status(world.right(), "key"))

    assert answers == [APPROVED, *[f"too late: {APPROVED}"] * 21]
    assert (world.macs.made, world.message.checks) == (5, 5)


def test_the_same_key_is_no_code(world: World) -> None:
    """A caller that uses one key for every check must not let a second person in."""
    world.check(world.right(), "key")

    assert world.status(world.wrong(), "key") == f"too late: {APPROVED}"


def test_a_key_of_a_wrong_check_is_not_that_of_the_approval(world: World) -> None:
    world.check(world.wrong(), "key 1")
    world.check(world.right(), "key 2")

    assert world.status(world.right(), "key 1") == f"too late: {APPROVED}"


def test_after_the_expiry_nothing_is_compared_not_even_for_the_same_key(world: World) -> None:
    world.check(world.right(), "key")
    compared = world.macs.made
    world.now = NOW + timedelta(minutes=10)

    assert world.status(world.right(), "key") == f"too late: {APPROVED}"
    assert world.macs.made == compared


def test_an_expired_code_is_told_from_a_wrong_one(world: World) -> None:
    world.now = NOW + timedelta(minutes=10)

    assert world.status(world.right()) == f"too late: {EXPIRED}"
    assert world.message.checks == 0


def test_a_cancelled_code_is_told_from_a_wrong_one(world: World) -> None:
    Control(world.store, world.states, lambda: NOW, Logger(service="codes")).cancel("m1")

    assert world.status(world.right()) == f"too late: {CANCELLED}"
    assert world.message.checks == 0


def test_an_unknown_verification_and_a_message_without_a_code_are_unknown(world: World) -> None:
    world.store.messages.add(replace(MESSAGE, message_id="m2", verification=None))

    for message_id in ("m2", "m3"):
        with pytest.raises(UnknownMessage):
            world.checking().check(message_id, CodeCheck("123456"))


def test_a_code_of_the_caller_is_not_checked_here() -> None:
    world = World(replace(POLICY, own_code=True))

    with pytest.raises(TooLate, match="caller's own") as raised:
        world.check("123456")
    assert raised.value.status is PENDING
    assert world.message.checks == 0


def test_a_code_may_be_entered_after_its_message_was_given_up(world: World) -> None:
    world.store.messages.update_status("m1", MessageStatus.UNDELIVERED, NOW)

    assert world.check(world.right()).status is APPROVED


# ---- the payment that a code approves


def test_a_code_approves_its_payment_and_no_other() -> None:
    world = World(PAID)
    right = world.right("Shop", "5 EUR")

    others = [("Shop", "50 EUR"), ("Thief", "5 EUR"), ("Shop5", " EUR")]
    assert {world.status(right, payee=payee, amount=amount) for payee, amount in others} == {
        PENDING
    }
    assert world.status(right, payee="Shop", amount="5 EUR") == APPROVED


def test_a_check_without_its_payment_is_invalid_and_not_counted() -> None:
    world = World(PAID)

    with pytest.raises(InvalidRequest) as raised:
        world.check(world.right("Shop", "5 EUR"))
    assert [one.pointer for one in raised.value.problems] == ["/payee", "/amount"]
    assert world.message.checks == 0


def test_a_payment_of_a_code_without_one_is_invalid_and_not_counted(world: World) -> None:
    with pytest.raises(InvalidRequest):
        world.check(world.right(), payee="Shop", amount="5 EUR")
    assert world.message.checks == 0


def test_who_comes_too_late_is_told_so_whatever_the_payment(world: World) -> None:
    world.check(world.right())

    assert world.status("1", payee="Shop", amount="5 EUR") == f"too late: {APPROVED}"


# ---- what comes in between


def test_a_check_that_was_counted_before_the_last_one_is_approved_after_it(world: World) -> None:
    def use_up_the_others() -> None:
        assert [world.status(world.wrong()) for _ in range(4)][-1] == USED_UP

    world.macs.before = use_up_the_others

    assert world.check(world.right()).status is APPROVED
    assert world.message.status is MessageStatus.CONFIRMED
    assert world.message.reason is None


def test_a_check_that_was_counted_before_the_cancellation_is_not_approved_after_it(
    world: World,
) -> None:
    control = Control(world.store, world.states, lambda: NOW, Logger(service="codes"))
    world.macs.before = lambda: control.cancel("m1")

    assert world.status(world.right()) == f"too late: {CANCELLED}"
    assert world.approved == []


def test_of_two_right_checks_the_later_one_is_too_late(world: World) -> None:
    world.macs.before = lambda: world.check(world.right(), "key 2")

    assert world.status(world.right(), "key 1") == f"too late: {APPROVED}"
    assert world.approved == ["m1"]


def test_of_two_right_checks_with_the_same_key_both_are_approved(world: World) -> None:
    world.macs.before = lambda: world.check(world.right(), "key")

    assert world.status(world.right(), "key") == APPROVED
    assert world.approved == ["m1"]


def test_a_wrong_last_check_does_not_end_what_was_approved_meanwhile(world: World) -> None:
    control = Control(world.store, world.states, lambda: NOW, Logger(service="codes"))
    for _ in range(4):
        world.check(world.wrong())
    world.macs.before = lambda: control.confirm("m1", by_check="a check that was counted before")

    assert world.check(world.wrong()).status is USED_UP
    assert world.message.status is MessageStatus.CONFIRMED


def test_a_function_that_dies_before_it_compares_has_used_its_check(world: World) -> None:
    def die() -> None:
        raise Died

    world.macs.before = die
    with pytest.raises(Died):
        world.check(world.right())

    assert world.check(world.wrong()).checks_left == 3


def test_a_last_check_that_died_is_ended_by_the_next_one(world: World) -> None:
    for _ in range(4):
        world.check(world.wrong())

    def die() -> None:
        raise Died

    world.macs.before = die
    with pytest.raises(Died):
        world.check(world.wrong())
    assert world.states.failed == []

    assert world.status(world.right()) == f"too late: {USED_UP}"
    assert world.message.status is MessageStatus.CANCELLED
    assert [error for _, error, _ in world.states.failed] == ["Cancelled"]


def test_an_approval_that_died_before_it_answered_the_state_is_answered_by_its_repetition(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as broken:
        broken.setattr(RecordedStates, "succeed", die)
        with pytest.raises(Died):
            world.check(world.right(), "key")
    assert world.message.status is MessageStatus.CONFIRMED

    assert world.status(world.right(), "key") == APPROVED
    assert [token for token, _ in world.states.succeeded] == ["token"]


@pytest.mark.parametrize("right_ones", [0, 1, 200])
def test_of_200_checks_at_once_five_are_compared_and_one_is_approved(right_ones: int) -> None:
    world = World()
    codes = [world.right()] * right_ones + [world.wrong()] * (200 - right_ones)
    start = threading.Barrier(50)

    def check(number: int) -> str:
        if number < 50:
            start.wait()
        return world.status(codes[number * 7 % 200])

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(check, range(200)))

    assert world.macs.made <= 5
    assert world.message.checks == min(5, world.macs.made)
    assert answers.count(APPROVED) <= 1
    assert answers.count(APPROVED) == len(world.approved)
    if right_ones == 200:
        assert answers.count(APPROVED) == 1
    assert answers.count(PENDING) + answers.count(USED_UP) <= 5


# ---- answers of AWS that are lost


class AskedAgain(OneAtATime):
    """Each write is done twice, and only the second answer arrives: the SDK repeats it."""

    def update_item(self, **request: Any) -> dict[str, Any]:
        super().update_item(**request)
        return super().update_item(**request)


def test_a_check_whose_answer_was_lost_is_counted_once_and_compared_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.unit.codes.test_checking.OneAtATime", AskedAgain)
    world = World()

    assert [world.check(world.wrong()).checks_left for _ in range(4)] == [4, 3, 2, 1]
    assert world.macs.made == 4
    assert world.check(world.right()).status is APPROVED
    assert world.approved == ["m1"]


def test_nobody_else_is_approved_by_a_lost_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.codes.test_checking.OneAtATime", AskedAgain)
    world = World()

    assert [world.status(world.right()) for _ in range(2)] == [APPROVED, f"too late: {APPROVED}"]
