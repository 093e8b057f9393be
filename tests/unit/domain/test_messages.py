"""What a message's history says: what is open, what succeeded, and whether in time."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.messages import Attempt, AttemptId, Message, MessageHistory, Outcome
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import CLOSED, AttemptStatus, MessageStatus, Success
from tests.support.plans import plan_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
# One step, then two channels at the same time, of which being sent is enough, then one more.
PLAN = plan_of(
    PlannedAttempt(1, 1, "whatsapp", 45, Success.DELIVERED),
    PlannedAttempt(2, 2, "sms", 60, Success.SENT),
    PlannedAttempt(3, 2, "email", 90, Success.SENT),
    PlannedAttempt(4, 3, "sms", 120, Success.DELIVERED),
)


def attempt(
    number: int,
    status: AttemptStatus = AttemptStatus.SENDING,
    *,
    claimed: int = 0,
    **times: int,
) -> Attempt:
    """`claimed` and `times` are seconds from now."""
    return Attempt(
        AttemptId("m1", number),
        PLAN.attempt(number).channel,
        status,
        f"token {number}",
        NOW + timedelta(seconds=claimed),
        times={name: NOW + timedelta(seconds=after) for name, after in times.items()},
    )


def history(*attempts: Attempt, status: MessageStatus = MessageStatus.ACCEPTED) -> MessageHistory:
    return MessageHistory(Message("m1", NOW, PLAN, status), attempts)


def numbers(attempts: list[Attempt]) -> list[int]:
    return [one.number for one in attempts]


def test_an_attempts_id_is_read_as_it_is_written() -> None:
    assert AttemptId.parse("m-1_A.12") == AttemptId("m-1_A", 12)
    assert str(AttemptId("m-1_A", 12)) == "m-1_A.12"


@pytest.mark.parametrize(
    "text", ["m1", "m1.", ".1", "m1.0", "m1.100", "m#1.1", "m1.1 ", f"{'m' * 81}.1"]
)
def test_what_is_no_attempts_id_is_none(text: str) -> None:
    assert AttemptId.parse(text) is None


def test_a_plan_ends_when_each_step_took_the_longest_of_its_waits() -> None:
    assert history().message.ends_by == NOW + timedelta(seconds=45 + 90 + 120)


def test_a_message_expires_at_the_second_it_names() -> None:
    message = Message("m1", NOW, PLAN, expires_at=NOW)

    assert not message.expired(NOW - timedelta(microseconds=1))
    assert message.expired(NOW)
    assert not Message("m1", NOW, PLAN).expired(NOW)


def test_the_outcome_is_the_attempts() -> None:
    sent = Attempt(AttemptId("m1", 2), "sms", AttemptStatus.SENT, "token", NOW, "provider-2")

    assert sent.outcome == Outcome("m1", MessageStatus.SENT, "sms", 2, "provider-2")


def test_a_message_is_in_progress_from_its_first_attempt_until_it_ends() -> None:
    assert history().status is MessageStatus.ACCEPTED
    assert history(attempt(1)).status is MessageStatus.IN_PROGRESS
    ended = history(attempt(1), status=MessageStatus.UNDELIVERED)
    assert ended.status is MessageStatus.UNDELIVERED


def test_an_attempt_without_which_the_workflow_has_gone_on_has_timed_out() -> None:
    first, sent = attempt(1), attempt(1, AttemptStatus.SENT)

    assert history(first).status_of(first) is AttemptStatus.SENDING
    assert history(first, attempt(2)).status_of(first) is AttemptStatus.TIMED_OUT
    assert history(sent, attempt(2)).status_of(sent) is AttemptStatus.SENT


def test_the_workflow_goes_on_with_a_later_step_or_the_end() -> None:
    broadcast = history(attempt(1), attempt(2), attempt(3))

    assert broadcast.went_on_without(attempt(1))
    assert not broadcast.went_on_without(attempt(2))
    for status in MessageStatus:
        closed = status in CLOSED
        assert history(attempt(1), status=status).went_on_without(attempt(1)) == closed


def test_an_attempt_is_found_by_its_number() -> None:
    second = attempt(2)

    assert history(attempt(1), second).attempt(2) is second
    assert history(attempt(1)).attempt(2) is None


def test_a_success_beside_an_attempt_is_another_steps() -> None:
    first, second, third = attempt(1), attempt(2, AttemptStatus.SENT), attempt(3)
    whole = history(first, second, third)

    assert whole.success_beside(first) is second
    assert whole.success_beside(third) is None
    assert whole.success() is second
    assert history(first, third).success() is None
    assert history(first, third).success_beside(first) is None


def test_what_only_had_to_be_sent_is_not_open_once_it_is() -> None:
    whole = history(
        attempt(1, AttemptStatus.SENT),
        attempt(2, AttemptStatus.SENT),
        attempt(3),
        attempt(4, AttemptStatus.FAILED),
    )

    assert numbers(whole.open_attempts()) == [1, 3]
    assert numbers(whole.open_before(1)) == []
    assert numbers(whole.open_before(2)) == [1]
    assert numbers(whole.open_before(3)) == [1, 3]


@pytest.mark.parametrize(
    ("status", "waits"),
    [
        (AttemptStatus.SENDING, True),
        (AttemptStatus.SENT, True),
        (AttemptStatus.UNCONFIRMED, True),
        (AttemptStatus.SKIPPED, False),
        (AttemptStatus.TIMED_OUT, False),
        (AttemptStatus.FAILED, False),
        (AttemptStatus.DELIVERED, False),
        (AttemptStatus.READ, False),
    ],
)
def test_a_later_attempt_waits_until_it_is_over_or_through(
    status: AttemptStatus, waits: bool
) -> None:
    last = attempt(4, status)

    assert history(attempt(1), last).waiting_after(attempt(1)) == ([last] if waits else [])


def test_no_attempt_of_the_same_or_an_earlier_step_waits_after_one() -> None:
    whole = history(attempt(1), attempt(2), attempt(3))

    assert numbers(whole.waiting_after(attempt(1))) == [2, 3]
    assert whole.waiting_after(attempt(2)) == []


@pytest.mark.parametrize("by", ["delivered", "read"])
@pytest.mark.parametrize(("after", "late"), [(44, False), (45, False), (46, True)])
def test_a_delivery_is_late_after_its_wait(by: str, after: int, late: bool) -> None:
    first = attempt(1, AttemptStatus.READ, **{by: after})

    assert history(first).late(first) is late


def test_a_delivery_that_was_read_later_is_as_early_as_the_delivery() -> None:
    first = attempt(1, AttemptStatus.READ, delivered=44, read=300)

    assert not history(first).late(first)


@pytest.mark.parametrize(("after", "late"), [(30, False), (31, True)])
def test_a_delivery_is_late_once_the_next_step_has_begun(after: int, late: bool) -> None:
    first = attempt(1, AttemptStatus.DELIVERED, delivered=after)

    assert history(first, attempt(2, claimed=30)).late(first) is late


def test_a_wait_is_counted_from_the_claim_and_not_ended_by_the_same_step() -> None:
    third = attempt(3, AttemptStatus.DELIVERED, claimed=100, delivered=150)
    whole = history(attempt(1), attempt(2, claimed=100), third)

    assert not whole.late(third)


def test_what_was_not_delivered_is_not_late() -> None:
    sent = attempt(1, AttemptStatus.SENT, sent=300)

    assert not history(sent).late(sent)


def test_an_invalid_request_lists_its_problems() -> None:
    error = InvalidRequest([Problem("/to", "is missing"), Problem("/steps", "is empty")])

    assert str(error) == "/to is missing; /steps is empty"
