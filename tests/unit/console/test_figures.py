"""The figures of the overview, from messages of which everything is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.figures import Percentiles, Share, figures, minutes
from console.summaries import AttemptSummary, MessageSummary
from messaging.domain.statuses import AttemptStatus, MessageStatus
from messaging.pricing import prices

NOW = datetime(2026, 1, 2, 12, 30, 45, tzinfo=UTC)
PRICES = prices.load()


def attempt(channel: str, status: str, *, fallback: bool = False, parts: int = 1) -> AttemptSummary:
    billed = status != "sending"
    return AttemptSummary(1, channel, AttemptStatus(status), fallback, billed, False, parts)


ROW = MessageSummary(
    message_id="m1",
    accepted_at=NOW,
    status=MessageStatus.DELIVERED,
    recipients=(),
    metadata=(),
    attempts=(attempt("whatsapp", "delivered"),),
    planned=2,
    delivered_in=2.0,
    delivered_by="whatsapp",
    reached_by_fallback=False,
    states=2,
    searched="",
    changed_at=NOW,
    open_until=None,
)
FALLEN_BACK = replace(
    ROW,
    attempts=(attempt("whatsapp", "failed"), attempt("sms", "delivered", fallback=True, parts=2)),
    delivered_in=8.0,
    delivered_by="sms",
    reached_by_fallback=True,
    states=4,
)
WAITING = replace(
    ROW,
    status=MessageStatus.IN_PROGRESS,
    attempts=(attempt("whatsapp", "sending"),),
    delivered_in=None,
    delivered_by=None,
)
LOST = replace(
    WAITING,
    status=MessageStatus.UNDELIVERED,
    attempts=(attempt("whatsapp", "timed_out"), attempt("sms", "failed", fallback=True)),
    states=8,
)


def test_shares_are_of_what_is_over() -> None:
    told = figures([ROW, FALLEN_BACK, WAITING, LOST], PRICES)
    assert told.reached == Share(2, 3)
    assert told.by_fallback == Share(1, 2)
    assert told.statuses == {"in_progress": 1, "undelivered": 1, "delivered": 2}


def test_each_channel_has_its_attempts_and_its_times() -> None:
    whatsapp, sms = figures([ROW, FALLEN_BACK, WAITING, LOST], PRICES).channels
    assert (whatsapp.name, whatsapp.attempts, whatsapp.waiting) == ("whatsapp", 4, 1)
    assert (whatsapp.delivered, whatsapp.failed, whatsapp.timed_out) == (Share(1, 3), 1, 1)
    assert whatsapp.fallback == Share(0, 4)
    assert whatsapp.times == Percentiles(2.0, 2.0)
    assert (sms.delivered, sms.failed, sms.fallback) == (Share(1, 2), 1, Share(2, 2))
    assert sms.times == Percentiles(8.0, 8.0)


def test_a_channel_that_was_not_tried_is_left_out() -> None:
    assert [one.name for one in figures([ROW], PRICES).channels] == ["whatsapp"]


def test_the_cost_is_states_and_what_the_providers_took() -> None:
    cost = figures([ROW, FALLEN_BACK], PRICES).cost
    assert cost is not None
    assert cost.states == pytest.approx(1000 * 3 * PRICES.aws["states"])
    assert cost.fees == {
        "whatsapp": pytest.approx(1000 * PRICES.channels["whatsapp"]),
        "sms": pytest.approx(1000 * PRICES.channels["sms"]),
    }
    assert cost.dollars == pytest.approx(cost.states + sum(cost.fees.values()))


def test_a_channel_without_a_list_price_is_named() -> None:
    unpriced = replace(PRICES, channels={"whatsapp": PRICES.channels["whatsapp"]})
    cost = figures([FALLEN_BACK], unpriced).cost
    assert cost is not None
    assert (list(cost.fees), cost.unpriced) == (["whatsapp"], ("sms",))


def test_of_nothing_nothing_is_said() -> None:
    told = figures([], PRICES)
    assert (told.messages, told.cost, told.channels) == (0, None, ())
    assert told.reached.percent is None
    assert told.times == Percentiles(None, None)


def test_percentiles_are_times_that_were_measured() -> None:
    assert Percentiles.of(float(one) for one in range(1, 101)) == Percentiles(50.0, 95.0)
    assert Percentiles.of([3.0, 1.0]) == Percentiles(1.0, 3.0)


def test_minutes_end_with_the_one_that_runs() -> None:
    earlier = replace(FALLEN_BACK, accepted_at=NOW - timedelta(minutes=2))
    told = minutes([ROW, WAITING, LOST, earlier], NOW, 3)
    assert [one.at.minute for one in told] == [28, 29, 30]
    assert [(one.delivered, one.failed, one.waiting) for one in told] == [
        (1, 0, 0),
        (0, 0, 0),
        (1, 1, 1),
    ]
    assert told[-1].total == 3


def test_a_confirmation_is_a_delivery_and_a_cancellation_is_none() -> None:
    confirmed = replace(WAITING, status=MessageStatus.CONFIRMED)
    cancelled = replace(WAITING, status=MessageStatus.CANCELLED)
    told = figures([confirmed, cancelled], PRICES)

    assert told.reached == Share(1, 2)
    assert [(one.delivered, one.failed) for one in minutes([confirmed, cancelled], NOW, 1)] == [
        (1, 1)
    ]
