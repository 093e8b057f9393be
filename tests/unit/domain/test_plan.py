"""How steps become attempts, attempts a route, and a request a delivery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.domain.content import Content, content, delivery
from messaging.domain.messages import Message
from messaging.domain.plan import PlannedAttempt, RequestedStep, make_plan
from messaging.domain.route import route as route_of
from messaging.domain.statuses import Success

WAITS = {"whatsapp": 45, "sms": 120, "email": 300}
CHANNELS = tuple(WAITS)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_attempts_are_numbered_over_the_whole_plan() -> None:
    steps = [
        RequestedStep(("whatsapp",), wait_seconds=30),
        RequestedStep(("sms", "email"), broadcast=True, success=Success.SENT),
        RequestedStep(("sms",)),
    ]

    assert make_plan(steps, WAITS).attempts == (
        PlannedAttempt(1, 1, "whatsapp", 30, Success.DELIVERED),
        PlannedAttempt(2, 2, "sms", 120, Success.SENT),
        PlannedAttempt(3, 2, "email", 300, Success.SENT),
        PlannedAttempt(4, 3, "sms", 120, Success.DELIVERED),
    )


@pytest.mark.parametrize(
    ("expires_in", "waits"),
    [
        (None, [45, 120, 300]),
        (600, [45, 120, 300]),
        (299, [45, 120, 299]),
        (60, [45, 60, 60]),
        (5, [5, 5, 5]),
    ],
)
def test_every_step_is_planned_and_no_wait_is_longer_than_the_expiry(
    expires_in: int | None, waits: list[int]
) -> None:
    steps = [RequestedStep((channel,)) for channel in WAITS]
    plan = make_plan(steps, WAITS, expires_in)

    assert [attempt.wait_seconds for attempt in plan.attempts] == waits


def test_an_attempt_outside_the_plan_is_not_found() -> None:
    plan = make_plan([RequestedStep(("sms",)), RequestedStep(("email",))], WAITS)

    assert plan.attempt(2).channel == "email"
    for number in (-1, 0, 3):
        with pytest.raises(KeyError):
            plan.attempt(number)


def test_the_last_step_is_the_one_that_no_other_follows() -> None:
    plan = make_plan([RequestedStep(("sms",)), RequestedStep(("sms", "email"), True)], WAITS)

    assert [plan.ends_with(attempt) for attempt in plan.attempts] == [False, True, True]


def test_each_node_of_the_route_names_the_next() -> None:
    steps = [RequestedStep(("whatsapp",)), RequestedStep(("sms", "email"), broadcast=True)]
    route = route_of("m1", make_plan(steps, WAITS), CHANNELS)

    assert route == {
        "message_id": "m1",
        "attempt": 1,
        "channel": "whatsapp",
        "wait_seconds": 45,
        "otherwise": {
            "message_id": "m1",
            "channel": "broadcast",
            "reaches": "delivered",
            "whatsapp": {"requested": False},
            "sms": {
                "requested": True,
                "message_id": "m1",
                "attempt": 2,
                "channel": "sms",
                "wait_seconds": 120,
            },
            "email": {
                "requested": True,
                "message_id": "m1",
                "attempt": 3,
                "channel": "email",
                "wait_seconds": 300,
            },
            "otherwise": {"message_id": "m1", "channel": "none"},
        },
    }


def test_a_broadcast_over_one_channel_stays_a_broadcast() -> None:
    plan = make_plan([RequestedStep(("sms",), broadcast=True)], WAITS)

    assert route_of("m1", plan, CHANNELS)["channel"] == "broadcast"


TEMPLATE = {"name": "login_code", "language": "en_US", "components": []}


@pytest.mark.parametrize(
    ("request_", "step", "channel", "said"),
    [
        ({"text": "hi"}, {}, "sms", Content(text="hi")),
        ({"text": "hi", "sms": {"text": "short"}}, {}, "sms", Content(text="short")),
        ({"text": "hi", "sms": {"text": "short"}}, {}, "whatsapp", Content(text="hi")),
        (
            {"text": "hi", "whatsapp": {"template": TEMPLATE}},
            {},
            "whatsapp",
            Content(template=TEMPLATE),
        ),
        (
            {"text": "hi", "whatsapp": {"template": TEMPLATE}},
            {"text": "again"},
            "whatsapp",
            Content(text="again"),
        ),
        (
            {"text": "hi", "subject": "Hi", "html": "<b>hi</b>"},
            {"email": {"subject": "Again"}},
            "email",
            Content(text="hi", subject="Again", html="<b>hi</b>"),
        ),
        (
            {"text": "hi", "subject": "Hi"},
            {"email": {"template": {"name": "t"}}},
            "email",
            Content(template={"name": "t"}),
        ),
    ],
)
def test_the_nearest_layer_of_content_wins(
    request_: dict[str, Any], step: dict[str, Any], channel: str, said: Content
) -> None:
    assert content({"content": request_}, {"content": step}, channel) == said


def message(
    steps: list[dict[str, Any]], expires_in: int | None = None
) -> tuple[Message, dict[str, Any]]:
    plan = make_plan([RequestedStep(("sms",)) for _ in steps], WAITS)
    request = {
        "to": {"sms": "+14255550156"},
        "from": {"sms": "+12065550107"},
        "content": {"text": "hi"},
        "steps": steps,
        "category": "marketing",
    }
    expires_at = NOW + timedelta(seconds=expires_in) if expires_in else None
    return Message("m1", NOW, plan, expires_at=expires_at), request


def test_a_step_may_have_its_own_recipient_sender_and_content() -> None:
    own = {
        "to": {"sms": "+14255550157"},
        "from": {"sms": "+12065550108"},
        "content": {"text": "again"},
    }
    whole, request = message([{}, own])
    first, second = (
        delivery(whole, request, attempt, "+12065550100", NOW) for attempt in whole.plan.attempts
    )

    assert (first.to, first.sender, first.content.text) == ("+14255550156", "+12065550107", "hi")
    assert (second.to, second.sender) == ("+14255550157", "+12065550108")
    assert (second.content.text, second.category) == ("again", "marketing")


def test_the_stacks_sender_is_used_where_none_is_named() -> None:
    whole, request = message([{}])
    unnamed = {**request, "from": {}}

    assert delivery(whole, unnamed, whole.plan.attempt(1), "+12065550100", NOW).sender == (
        "+12065550100"
    )


@pytest.mark.parametrize(
    ("expires_in", "later", "valid"),
    [(None, 0, 120), (600, 0, 120), (100, 0, 100), (100, 90, 10), (100, 98, 5)],
)
def test_what_is_given_up_does_not_arrive_later(
    expires_in: int | None, later: int, valid: int
) -> None:
    whole, request = message([{}], expires_in)
    now = NOW + timedelta(seconds=later)

    assert delivery(whole, request, whole.plan.attempt(1), "", now).valid_seconds == valid


def test_a_channel_without_recipient_is_given_an_empty_address() -> None:
    whole, request = message([{}])

    assert delivery(whole, {**request, "to": {}}, whole.plan.attempt(1), "", NOW).to == ""


def test_a_delivery_says_what_its_own_channel_says() -> None:
    whole, request = message([{}])
    own = {**request, "content": {"text": "hi", "sms": {"text": "short"}}}

    said = delivery(whole, own, whole.plan.attempt(1), "", NOW).content
    assert said == Content(text="short")


def test_steps_are_numbered_from_one() -> None:
    steps = [RequestedStep(("whatsapp",)), RequestedStep(("sms",))]

    assert [step.number for step in make_plan(steps, WAITS).steps] == [1, 2]


@pytest.mark.parametrize(
    ("success", "reaches"),
    [(Success.SENT, "sent"), (Success.DELIVERED, "delivered"), (Success.READ, "delivered")],
)
def test_a_broadcast_names_what_it_reaches(success: Success, reaches: str) -> None:
    plan = make_plan([RequestedStep(("sms",), broadcast=True, success=success)], WAITS)

    assert route_of("m1", plan, CHANNELS)["reaches"] == reaches
