"""Which status replaces which, and what a status means for a step and its message."""

import pytest

from messaging.domain.statuses import (
    ATTEMPT_RANK,
    CLOSED,
    FINAL,
    MESSAGE_RANK,
    OPEN,
    OVER,
    AttemptStatus,
    MessageStatus,
    ReceiptKind,
    Success,
    attempt_status,
    fulfils,
    message_status,
)


def test_an_attempts_status_rises_to_a_failure_and_from_there_to_a_delivery() -> None:
    assert sorted(ATTEMPT_RANK, key=ATTEMPT_RANK.__getitem__) == [
        AttemptStatus.SENDING,
        AttemptStatus.SENT,
        AttemptStatus.SKIPPED,
        AttemptStatus.TIMED_OUT,
        AttemptStatus.UNCONFIRMED,
        AttemptStatus.FAILED,
        AttemptStatus.DELIVERED,
        AttemptStatus.READ,
    ]


def test_of_two_endings_without_a_receipt_the_first_remains() -> None:
    assert ATTEMPT_RANK[AttemptStatus.SKIPPED] == ATTEMPT_RANK[AttemptStatus.TIMED_OUT]
    assert len(set(ATTEMPT_RANK.values())) == len(AttemptStatus) - 1


def test_every_attempt_begins_at_the_rank_at_which_it_may_be_claimed_again() -> None:
    assert ATTEMPT_RANK[AttemptStatus.SENDING] == 0


def test_a_message_that_ended_is_raised_by_a_success_only() -> None:
    ended = {
        *(MessageStatus.REJECTED, MessageStatus.UNDELIVERED, MessageStatus.EXPIRED),
        MessageStatus.CANCELLED,
    }
    [rank] = {MESSAGE_RANK[status] for status in ended}

    assert [status for status in MessageStatus if MESSAGE_RANK[status] > rank] == [
        MessageStatus.SENT,
        MessageStatus.DELIVERED,
        MessageStatus.CONFIRMED,
    ]
    assert MESSAGE_RANK[MessageStatus.ACCEPTED] < MESSAGE_RANK[MessageStatus.IN_PROGRESS] < rank
    assert MESSAGE_RANK[MessageStatus.SENT] < MESSAGE_RANK[MessageStatus.DELIVERED]
    assert MESSAGE_RANK[MessageStatus.DELIVERED] < MESSAGE_RANK[MessageStatus.CONFIRMED]
    assert {
        *ended,
        *(MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.CONFIRMED),
    } == FINAL


def test_a_closed_message_reached_nobody() -> None:
    ended = {MessageStatus.UNDELIVERED, MessageStatus.EXPIRED, MessageStatus.CANCELLED}

    assert ended == CLOSED


def test_nobody_waits_for_an_attempt_that_is_over() -> None:
    assert {AttemptStatus.SENDING, AttemptStatus.SENT} == OPEN
    assert {AttemptStatus.SKIPPED, AttemptStatus.TIMED_OUT, AttemptStatus.FAILED} == OVER


@pytest.mark.parametrize(
    ("success", "statuses"),
    [
        (Success.SENT, {AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.READ}),
        (Success.DELIVERED, {AttemptStatus.DELIVERED, AttemptStatus.READ}),
        (Success.READ, {AttemptStatus.READ}),
        (Success.CONFIRMED, set()),
    ],
)
def test_a_step_is_fulfilled_by_what_it_asks_for_and_by_more_but_no_receipt_confirms(
    success: Success, statuses: set[AttemptStatus]
) -> None:
    assert {status for status in AttemptStatus if fulfils(status, success)} == statuses


def test_a_message_whose_step_asked_for_less_is_sent() -> None:
    assert message_status(AttemptStatus.SENT) is MessageStatus.SENT
    assert message_status(AttemptStatus.DELIVERED) is MessageStatus.DELIVERED
    assert message_status(AttemptStatus.READ) is MessageStatus.DELIVERED


def test_a_receipt_raises_its_attempt_to_the_status_of_its_kind() -> None:
    decided = {kind: attempt_status(kind, AttemptStatus.UNCONFIRMED) for kind in ReceiptKind}

    assert {kind: status for kind, status in decided.items() if status} == {
        ReceiptKind.SENT: AttemptStatus.SENT,
        ReceiptKind.CARRIER_ACCEPTED: AttemptStatus.UNCONFIRMED,
        ReceiptKind.DELIVERED: AttemptStatus.DELIVERED,
        ReceiptKind.READ: AttemptStatus.READ,
        ReceiptKind.FAILED: AttemptStatus.FAILED,
        ReceiptKind.UNCONFIRMED: AttemptStatus.UNCONFIRMED,
    }
