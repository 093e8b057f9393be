"""The paths of a message that its caller confirms, advances or cancels, in either order with
everything else that happens to it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

import close_message
from messaging.domain.errors import Refused, Unavailable
from messaging.domain.messages import (
    ADVANCED_BEFORE,
    CANCELLED_BEFORE,
    CONFIRMED_BEFORE,
    NOT_CONFIRMED,
    NOT_REQUESTED,
)
from messaging.domain.route import route as route_of
from messaging.domain.statuses import MessageStatus, Success
from tests.support.aws import CONTEXT
from tests.support.plans import CHANNELS
from tests.workflow.conftest import SHORT, Flow, until

CLOSED = ["Close message", "How did it end?"]
FIRST = ["Choose channel", "Send WhatsApp"]
FALLS_BACK = [*FIRST, "Fall back", "Send SMS"]
CONFIRMED, CANCELLED = MessageStatus.CONFIRMED, MessageStatus.CANCELLED


@pytest.fixture(autouse=True)
def _retries_at_once(no_jitter: None) -> None:
    del no_jitter


def status(flow: Flow) -> MessageStatus:
    return flow.history().message.status


def reasons(flow: Flow) -> list[str | None]:
    return [attempt.reason for attempt in flow.history().attempts]


def sent(flow: Flow) -> list[str]:
    """The channels that were called, each as often as it was."""
    return [name for name, channel in flow.channels.items() for _ in channel.sent]


def confirmed(flow: Flow) -> None:
    assert flow.confirm()["http"] == 200


def cancelled(flow: Flow) -> None:
    assert flow.cancel()["http"] == 200


def advanced(flow: Flow) -> None:
    assert flow.advance(1)["http"] == 200


# ---- how each of them ends a wait


def test_a_confirmation_ends_the_wait(flow: Flow) -> None:
    flow.start("sms", "email", success=Success.CONFIRMED)
    flow.receive("sms_TEXT_DELIVERED")
    assert flow.describe()["status"] == "RUNNING"
    answer = flow.confirm()

    assert (answer["http"], answer["status"]) == (200, "confirmed")
    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])
    assert flow.output() == {
        "message_id": flow.message_id,
        "status": "confirmed",
        "channel": "sms",
        "attempt": 1,
        "provider_id": flow.history().attempts[0].provider_id,
    }
    assert status(flow) is CONFIRMED
    assert not flow.email.sent


def test_an_advance_begins_the_next_step_at_once(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    advanced(flow)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert flow.failures() == [("Advanced", ADVANCED_BEFORE)]
    assert flow.statuses() == ["timed_out", "delivered"]
    assert reasons(flow)[0] == ADVANCED_BEFORE


def test_a_cancellation_ends_the_execution_and_nothing_more_is_sent(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    answer = flow.cancel()

    assert (answer["http"], answer["status"]) == (200, "cancelled")
    assert flow.finish() == ("FAILED", [*FIRST, "Cancelled"])
    assert flow.describe()["error"] == "Cancelled"
    assert flow.statuses() == ["sent"]
    assert sent(flow) == ["whatsapp"]


# ---- before the first function has run


def before_the_start(flow: Flow, word: Callable[[Flow], None], *steps: str) -> None:
    plan = flow.add(*steps)
    word(flow)
    flow.execute(route_of(flow.message_id, plan, CHANNELS))


def test_a_message_that_was_confirmed_before_its_execution_is_not_sent(flow: Flow) -> None:
    before_the_start(flow, confirmed, "whatsapp", "sms")

    assert flow.finish() == ("SUCCEEDED", FIRST)
    assert flow.output()["status"] == "confirmed"
    assert (flow.statuses(), reasons(flow)) == (["skipped"], [CONFIRMED_BEFORE])
    assert sent(flow) == []


def test_a_message_that_was_cancelled_before_its_execution_is_not_sent(flow: Flow) -> None:
    before_the_start(flow, cancelled, "whatsapp", "sms")

    assert flow.finish() == ("FAILED", [*FIRST, "Cancelled"])
    assert (flow.statuses(), reasons(flow)) == (["skipped"], [CANCELLED_BEFORE])
    assert (status(flow), sent(flow)) == (CANCELLED, [])


def test_a_step_that_was_over_before_its_execution_is_not_sent(flow: Flow) -> None:
    before_the_start(flow, advanced, "whatsapp", "sms")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert (flow.statuses(), reasons(flow)[0]) == (["skipped", "delivered"], ADVANCED_BEFORE)
    assert sent(flow) == ["sms"]


# ---- in the retries of a busy provider, and while it is called


def when_it_is_tried_again(flow: Flow, word: Callable[[Flow], None]) -> None:
    """Between two tries no state waits, and the function of the next one finds what was said."""

    def busy(_: object) -> None:
        flow.before(1, lambda: word(flow))
        raise Unavailable("ThrottlingException")

    flow.whatsapp.script = [busy]
    flow.start("whatsapp", "sms")


def test_a_confirmation_in_the_retries_of_a_busy_provider_ends_them(flow: Flow) -> None:
    when_it_is_tried_again(flow, confirmed)

    assert flow.finish() == ("SUCCEEDED", FIRST)
    assert sent(flow) == ["whatsapp"]
    assert flow.statuses() == ["skipped"]


def test_a_cancellation_in_the_retries_of_a_busy_provider_ends_them(flow: Flow) -> None:
    when_it_is_tried_again(flow, cancelled)

    assert flow.finish() == ("FAILED", [*FIRST, "Cancelled"])
    assert sent(flow) == ["whatsapp"]
    assert (flow.statuses(), reasons(flow)) == (["skipped"], [CANCELLED_BEFORE])


def test_an_advance_in_the_retries_of_a_busy_provider_ends_them(flow: Flow) -> None:
    when_it_is_tried_again(flow, advanced)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert sent(flow) == ["whatsapp", "sms"]
    assert flow.statuses() == ["skipped", "delivered"]


@pytest.mark.parametrize(
    ("word", "path"),
    [(confirmed, FIRST), (cancelled, [*FIRST, "Cancelled"])],
)
def test_a_word_while_the_provider_is_called_ends_the_wait(
    flow: Flow, word: Callable[[Flow], None], path: list[str]
) -> None:
    flow.whatsapp.script = [lambda _: word(flow)]
    flow.start("whatsapp", "sms")

    assert flow.finish()[1] == path
    until(lambda: flow.sent(1))
    assert (flow.statuses(), sent(flow)) == (["sent"], ["whatsapp"])


def test_an_advance_while_the_provider_is_called_begins_the_next_step(flow: Flow) -> None:
    flow.whatsapp.script = [lambda _: advanced(flow)]
    flow.start("whatsapp", "sms")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert sent(flow) == ["whatsapp", "sms"]


# ---- against a receipt


def test_a_delivery_after_a_confirmation_does_not_lower_it(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    confirmed(flow)
    flow.receive("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", FIRST)
    assert flow.output()["status"] == "confirmed"
    assert (status(flow), flow.statuses()) == (CONFIRMED, ["delivered"])


def test_a_confirmation_after_a_delivery_raises_the_message(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    flow.receive("whatsapp_delivered")
    assert flow.finish() == ("SUCCEEDED", FIRST)
    confirmed(flow)

    assert status(flow) is CONFIRMED


def test_a_failure_after_a_confirmation_changes_nothing(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    confirmed(flow)
    flow.receive("whatsapp_failed_131026")

    assert flow.finish() == ("SUCCEEDED", FIRST)
    assert (status(flow), sent(flow)) == (CONFIRMED, ["whatsapp"])


def test_a_confirmation_after_a_failure_ends_the_next_step_unsent(flow: Flow) -> None:
    flow.before(2, lambda: confirmed(flow))
    flow.start("whatsapp", "sms")
    flow.receive("whatsapp_failed_131026")

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert flow.output()["status"] == "confirmed"
    assert (sent(flow), flow.statuses()) == (["whatsapp"], ["failed", "skipped"])


def test_a_cancellation_after_a_failure_ends_the_next_step_unsent(flow: Flow) -> None:
    flow.before(2, lambda: cancelled(flow))
    flow.whatsapp.script = [Refused("ValidationException")]
    flow.start("whatsapp", "sms")

    assert flow.finish() == ("FAILED", [*FALLS_BACK, "Cancelled"])
    assert (status(flow), sent(flow)) == (CANCELLED, ["whatsapp"])
    assert flow.statuses() == ["failed", "skipped"]


def test_what_had_been_sent_may_still_be_delivered_after_the_cancellation(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    cancelled(flow)
    assert flow.finish()[0] == "FAILED"
    flow.receive_now("whatsapp_delivered")

    assert status(flow) is MessageStatus.DELIVERED
    again = flow.cancel()
    told = [event["event"] for event in again["timeline"]]
    assert (again["http"], again["status"]) == (200, "delivered")
    assert told.index("cancelled") < len(told) - 1 - told[::-1].index("delivered")


def test_a_delivered_message_can_be_neither_cancelled_nor_advanced(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    flow.receive("whatsapp_delivered")
    flow.finish()

    for answer in (flow.cancel(), flow.advance(1)):
        assert (answer["http"], answer["state"]) == (409, "delivered")
    assert status(flow) is MessageStatus.DELIVERED


def test_a_failure_and_an_advance_of_the_same_step_begin_the_next_one_once(flow: Flow) -> None:
    flow.start("whatsapp", "sms", "email")
    flow.receive("whatsapp_failed_131026")
    for _ in range(2):
        advanced(flow)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert sent(flow) == ["whatsapp", "sms"]


def test_a_delivery_of_the_step_that_was_ended_ends_the_next_one(flow: Flow) -> None:
    flow.start("whatsapp", "sms", "email")
    until(lambda: flow.sent(1))
    advanced(flow)
    until(lambda: flow.sent(2))
    flow.receive_now("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert flow.output()["channel"] == "whatsapp"
    assert sent(flow) == ["whatsapp", "sms"]


# ---- against the end of a wait, and of the message


def test_a_confirmation_after_a_wait_ends_the_next_step_unsent(flow: Flow) -> None:
    flow.before(2, lambda: confirmed(flow))
    flow.start("whatsapp", "sms", first_wait=SHORT)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert (status(flow), sent(flow)) == (CONFIRMED, ["whatsapp"])


def test_a_cancellation_after_a_wait_ends_the_next_step_unsent(flow: Flow) -> None:
    flow.before(2, lambda: cancelled(flow))
    flow.start("whatsapp", "sms", first_wait=SHORT)

    assert flow.finish() == ("FAILED", [*FALLS_BACK, "Cancelled"])
    assert (status(flow), sent(flow)) == (CANCELLED, ["whatsapp"])


def test_an_advance_that_comes_after_its_step_has_no_effect(flow: Flow) -> None:
    flow.before(2, lambda: advanced(flow))
    flow.start("whatsapp", "sms", "email", first_wait=SHORT)
    until(lambda: flow.sent(2))
    advanced(flow)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)


def test_a_confirmation_before_the_close_is_the_outcome(flow: Flow) -> None:
    flow.before(None, lambda: confirmed(flow))
    flow.start("whatsapp")
    flow.receive("whatsapp_failed_131026")

    assert flow.finish() == ("SUCCEEDED", [*FIRST, "Fall back", *CLOSED, "Reached late"])
    assert (flow.output()["status"], status(flow)) == ("confirmed", CONFIRMED)


def test_a_cancellation_before_the_close_is_the_end(flow: Flow) -> None:
    flow.before(None, lambda: cancelled(flow))
    flow.start("whatsapp")
    flow.receive("whatsapp_failed_131026")

    assert flow.finish() == ("FAILED", [*FIRST, "Fall back", *CLOSED, "Cancelled"])
    assert (flow.describe()["error"], status(flow)) == ("Cancelled", CANCELLED)


def test_the_recipient_may_do_it_after_the_message_ended_undelivered(flow: Flow) -> None:
    flow.start("whatsapp")
    flow.receive("whatsapp_failed_131026")
    assert flow.finish()[1][-1] == "Undelivered"
    assert [flow.cancel()["state"], flow.cancel()["http"]] == ["undelivered", 409]
    confirmed(flow)

    assert status(flow) is CONFIRMED


@pytest.mark.parametrize(("word", "expected"), [(confirmed, CONFIRMED), (cancelled, CANCELLED)])
def test_a_stopped_execution_does_not_change_what_the_caller_said(
    flow: Flow, word: Callable[[Flow], None], expected: MessageStatus
) -> None:
    """EventBridge closes the message of an execution that was stopped."""
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    word(flow)
    started = int(datetime.now(UTC).timestamp() * 1000)
    ended = {"execution_status": "ABORTED", "started_at": started}
    close_message.handler({"message_id": flow.message_id, **ended}, CONTEXT)

    assert (status(flow), flow.statuses()) == (expected, ["sent"])


# ---- against each other, and repeated


@pytest.mark.parametrize("first", ["confirm", "cancel"])
def test_of_a_confirmation_and_a_cancellation_the_first_one_counts(flow: Flow, first: str) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    second = {"confirm": "cancel", "cancel": "confirm"}[first]
    taken, refused, late = flow.control(first), flow.control(second), flow.advance(1)

    assert taken["http"] == 200
    assert (refused["http"], refused["state"]) == (409, taken["status"])
    assert (late["http"], late["state"]) == (409, taken["status"])
    assert flow.finish()[0] == {"confirm": "SUCCEEDED", "cancel": "FAILED"}[first]
    assert sent(flow) == ["whatsapp"]


@pytest.mark.parametrize(
    ("word", "path", "statuses"),
    [
        (confirmed, FALLS_BACK, ["timed_out", "skipped"]),
        (cancelled, [*FALLS_BACK, "Cancelled"], ["sent", "skipped"]),
    ],
)
def test_after_an_advance_the_next_step_is_not_sent_in_vain(
    flow: Flow, word: Callable[[Flow], None], path: list[str], statuses: list[str]
) -> None:
    flow.before(2, lambda: word(flow))
    flow.start("whatsapp", "sms", "email")
    until(lambda: flow.sent(1))
    advanced(flow)

    assert flow.finish()[1] == path
    assert sent(flow) == ["whatsapp"]
    assert flow.statuses() == statuses


@pytest.mark.parametrize("action", ["confirm", "cancel"])
def test_a_repetition_answers_the_states_that_the_first_call_could_not(
    flow: Flow, action: str
) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    now = datetime.now(UTC)
    if action == "confirm":
        flow.store.messages.confirm(flow.message_id, now, None)
    else:
        flow.store.messages.cancel(flow.message_id, now, CANCELLED_BEFORE, by_caller=True)
    assert flow.describe()["status"] == "RUNNING"
    answers = [flow.control(action) for _ in range(2)]

    assert [one["http"] for one in answers] == [200, 200]
    assert flow.finish()[0] in {"SUCCEEDED", "FAILED"}
    assert sent(flow) == ["whatsapp"]


def test_a_repeated_advance_answers_the_state_that_the_first_call_could_not(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    flow.store.messages.advance(flow.message_id, 2, datetime.now(UTC))
    advanced(flow)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)


def test_an_advance_may_skip_several_steps(flow: Flow) -> None:
    flow.start("whatsapp", "sms", "email")
    until(lambda: flow.sent(1))
    assert flow.advance(2)["http"] == 200
    flow.receive("ses_Delivery", attempt=3)

    assert flow.finish() == ("SUCCEEDED", [*FALLS_BACK, "Fall back", "Send email"])
    assert flow.statuses() == ["timed_out", "skipped", "delivered"]
    assert sent(flow) == ["whatsapp", "email"]


def test_no_step_follows_the_last_one(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    last, beyond = flow.advance(2), flow.advance(3)

    assert (last["http"], last["state"]) == (409, "accepted")
    assert beyond["errors"] == [{"pointer": "/step", "detail": "is 3; it must be from 1 to 2"}]
    flow.receive("whatsapp_delivered")
    assert flow.finish() == ("SUCCEEDED", FIRST)


# ---- in a broadcast


@pytest.mark.parametrize("success", [Success.CONFIRMED, Success.DELIVERED])
def test_a_confirmation_ends_every_wait_of_a_broadcast(flow: Flow, success: Success) -> None:
    flow.start(("whatsapp", "sms"), "email", success=success)
    until(lambda: flow.sent(1) and flow.sent(2))
    confirmed(flow)

    ended, entered = flow.finish()
    assert (ended, entered[-2:]) == ("SUCCEEDED", ["Anyone reached?", "Confirmed"])
    output = flow.output()
    assert (output["status"], output["channel"]) == ("confirmed", "broadcast")
    outcomes = [output["outcomes"][name]["status"] for name in CHANNELS]
    assert outcomes == ["confirmed", "confirmed", "not_requested", "not_requested"]
    assert not flow.email.sent


def test_a_confirmation_ends_the_retries_of_one_channel_of_a_broadcast(flow: Flow) -> None:
    def busy(_: object) -> None:
        until(lambda: flow.sent(2))
        flow.before(1, lambda: confirmed(flow))
        raise Unavailable("ThrottlingException")

    flow.whatsapp.script = [busy]
    flow.start(("whatsapp", "sms"), "email", success=Success.CONFIRMED)

    assert flow.finish()[1][-1] == "Confirmed"
    assert flow.statuses() == ["skipped", "sent"]


def test_a_cancelled_broadcast_ends_the_message(flow: Flow) -> None:
    flow.start(("whatsapp", "sms"))
    until(lambda: flow.sent(1) and flow.sent(2))
    cancelled(flow)

    ended, entered = flow.finish()
    assert ended == "FAILED"
    assert entered[-5:] == ["Anyone reached?", "Fall back", *CLOSED, "Cancelled"]
    assert flow.statuses() == ["sent", "sent"]


def test_after_a_cancelled_broadcast_the_next_step_is_not_sent(flow: Flow) -> None:
    flow.start(("whatsapp", "sms"), "email")
    until(lambda: flow.sent(1) and flow.sent(2))
    cancelled(flow)

    assert flow.finish()[1][-3:] == ["Fall back", "Send email", "Cancelled"]
    assert flow.statuses() == ["sent", "sent", "skipped"]
    assert not flow.email.sent


def test_an_advance_ends_every_wait_of_a_broadcast(flow: Flow) -> None:
    flow.start(("whatsapp", "sms"), "email")
    until(lambda: flow.sent(1) and flow.sent(2))
    advanced(flow)
    flow.receive("ses_Delivery", attempt=3)

    assert flow.finish()[1][-3:] == ["Anyone reached?", "Fall back", "Send email"]
    assert flow.statuses() == ["timed_out", "timed_out", "delivered"]


# ---- a step that requires a confirmation


def test_a_delivered_message_that_nobody_confirms_ends_as_delivered(flow: Flow) -> None:
    flow.start("sms", wait=SHORT, success=Success.CONFIRMED)
    flow.receive("sms_TEXT_DELIVERED")

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send SMS", "Fall back", *CLOSED, "Unconfirmed"],
    )
    message = flow.history().message
    assert (message.status, message.reason) == (MessageStatus.DELIVERED, NOT_CONFIRMED)
    confirmed(flow)
    assert (status(flow), flow.history().message.reason) == (CONFIRMED, None)


def test_a_failure_of_an_unconfirmed_step_falls_back_at_once(flow: Flow) -> None:
    flow.start("whatsapp", "sms", success=Success.CONFIRMED)
    flow.receive("whatsapp_failed_131026")
    until(lambda: flow.sent(2))
    confirmed(flow)

    assert flow.finish() == ("SUCCEEDED", FALLS_BACK)
    assert flow.output()["channel"] == "sms"


@pytest.mark.parametrize("moment", ["before the close", "after the end"])
def test_a_delivery_after_the_last_wait_raises_an_unconfirmed_message(
    flow: Flow, moment: str
) -> None:
    before = moment == "before the close"
    if before:
        flow.before(None, lambda: flow.receive_now("sms_TEXT_DELIVERED"))
    flow.start("sms", wait=SHORT, success=Success.CONFIRMED)
    assert flow.finish()[1][-1] == ("Unconfirmed" if before else "Undelivered")
    flow.receive_now("sms_TEXT_DELIVERED")

    message = flow.history().message
    assert (message.status, message.reason) == (MessageStatus.DELIVERED, NOT_CONFIRMED)


# ---- steps on request


def waiting_for_a_request(flow: Flow, number: int) -> None:
    def waits() -> bool:
        attempt = flow.history().attempt(number)
        return attempt is not None and attempt.waits_for_request

    until(waits)


def test_a_step_on_request_is_sent_once_when_it_is_asked_for(flow: Flow) -> None:
    flow.start("sms", success=Success.CONFIRMED, on_request=2, first_wait=SHORT)
    waiting_for_a_request(flow, 2)
    assert sent(flow) == ["sms"]
    shown = flow.advance(1)
    assert [one["attempt"] for one in shown["attempts"]] == [1]
    until(lambda: flow.sent(2))
    advanced(flow)
    confirmed(flow)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send SMS", "Fall back", "Send SMS"],
    )
    assert [error for error, _ in flow.failures()] == ["States.Timeout", "Resend"]
    assert sent(flow) == ["sms"] * 2


def test_each_step_on_request_is_reached_by_an_advance_from_the_one_before(flow: Flow) -> None:
    flow.start("sms", success=Success.CONFIRMED, on_request=2)
    for step in (1, 2):
        until(partial(flow.sent, step))
        assert flow.advance(step)["http"] == 200
    until(lambda: flow.sent(3))
    confirmed(flow)

    assert flow.finish()[0] == "SUCCEEDED"
    assert [error for error, _ in flow.failures()] == ["Advanced"] * 2
    assert sent(flow) == ["sms"] * 3


def test_a_step_on_request_that_nobody_asks_for_is_never_sent(flow: Flow) -> None:
    flow.start("sms", wait=SHORT, success=Success.CONFIRMED, on_request=1)

    assert flow.finish()[1][-1] == "Undelivered"
    assert (flow.statuses(), reasons(flow)[1]) == (["timed_out", "skipped"], NOT_REQUESTED)
    assert sent(flow) == ["sms"]


@pytest.mark.parametrize(("word", "ended"), [(confirmed, "SUCCEEDED"), (cancelled, "FAILED")])
def test_a_step_that_waits_for_a_request_ends_with_its_message(
    flow: Flow, word: Callable[[Flow], None], ended: str
) -> None:
    flow.start("sms", success=Success.CONFIRMED, on_request=1, first_wait=SHORT)
    waiting_for_a_request(flow, 2)
    word(flow)

    assert flow.finish()[0] == ended
    assert sent(flow) == ["sms"]


def test_a_broadcast_on_request_is_sent_on_each_of_its_channels(flow: Flow) -> None:
    flow.start(("whatsapp", "sms"), success=Success.CONFIRMED, on_request=1, first_wait=SHORT)
    waiting_for_a_request(flow, 3)
    waiting_for_a_request(flow, 4)
    advanced(flow)
    until(lambda: flow.sent(3) and flow.sent(4))
    confirmed(flow)

    assert flow.finish()[1][-1] == "Confirmed"
    assert sent(flow) == ["whatsapp", "whatsapp", "sms", "sms"]
