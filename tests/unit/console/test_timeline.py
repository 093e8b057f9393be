"""The timeline: why each step ran, and what ended or skipped it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.execution import THROTTLED, Execution
from console.facts import MessageFacts, MessageSource
from console.timeline.entries import TimelineEntry
from console.timeline.summary import summary
from console.timeline.timeline import elapsed, timeline
from messaging.domain.messages import CAME_TOO_LATE, Message, MessageHistory
from messaging.domain.plan import Plan
from messaging.domain.statuses import AttemptStatus, MessageStatus
from tests.support.recorded import NAMES, events, facts


def said(name: str, until: str = "", of: str = "") -> list[str]:
    return [entry.text for entry in timeline(facts(name, until, of))]


def one(name: str, text: str) -> TimelineEntry:
    (found,) = (entry for entry in timeline(facts(name)) if entry.text == text)
    return found


def test_a_fallback_is_described_from_its_source_to_its_end() -> None:
    assert said("fallback") == [
        "Accepted by the API",
        "Planned",
        "The execution started",
        "Step 1 (WhatsApp) started as the first step of the plan",
        "Attempt 1 sent to WhatsApp",
        "WhatsApp accepted the message",
        "WhatsApp reported accepted: in progress",
        "WhatsApp reported failed: 131026 Message undeliverable",
        "The wait for WhatsApp ended after 0.67 s: the attempt failed",
        "Step 2 (SMS) started because WhatsApp failed: 131026 Message undeliverable",
        "Attempt 2 sent to SMS",
        "SMS accepted the message",
        "SMS reported TEXT_PENDING: in progress",
        "SMS reported TEXT_DELIVERED: delivered",
        "Delivered by SMS",
        "SMS succeeded after 0.66 s: delivered",
        "The execution succeeded",
    ]
    assert summary(facts("fallback")) == (
        "Delivered by SMS, 1.31 s after it was accepted, in step 2 of 2."
    )


def test_the_plan_names_channels_and_waits() -> None:
    assert (
        one("fallback", "Planned").detail
        == "step 1: WhatsApp, waits 45 s; step 2: SMS, waits 120 s"
    )


def test_silence_is_the_reason_for_the_next_step() -> None:
    words = said("silent")

    assert (
        "Step 2 (SMS) started because no delivery receipt from WhatsApp arrived within 5 s" in words
    )
    assert "No delivery receipt from SMS arrived within 5 s" in words
    assert "Undelivered: no channel succeeded" in words
    assert words[-1] == "The execution failed: Undelivered"
    assert summary(facts("silent")) == "Undelivered: no channel succeeded."


def test_a_refusal_is_described_in_the_providers_words() -> None:
    words = said("refused")

    assert (
        "Step 2 (email) started because WhatsApp refused the message: ResourceNotFoundException"
    ) in words
    assert not any(text.startswith("WhatsApp reported") for text in words)


def test_a_busy_provider_is_described_try_by_try() -> None:
    again = "WhatsApp was unavailable and nothing was sent; the state retries"
    tries = [entry for entry in timeline(facts("busy")) if entry.text == again]

    assert [entry.detail for entry in tries] == [
        "try 1: ThrottledRequestException",
        "try 2: ThrottledRequestException",
    ]
    assert "Step 2 (SMS) did not run: WhatsApp had already succeeded" in said("busy")


def test_a_function_that_broke_is_not_said_to_have_sent_nothing() -> None:
    broken = [
        {**event, "taskFailedEventDetails": {"error": "Lambda.Unknown", "cause": "it died"}}
        if event["type"] == "TaskFailed"
        else event
        for event in events("busy")
    ]
    known = replace(facts("busy"), execution=Execution.read(broken))
    first = next(one for one in timeline(known) if one.tone == "warn")

    assert first.text == "The function failed while sending by WhatsApp; the state retries"
    assert first.detail == "try 1: Lambda.Unknown it died"


def test_a_throttled_function_is_said_to_have_sent_nothing() -> None:
    cause = "Rate Exceeded. (Service: AWSLambda; Status Code: 429)"
    throttled = [
        {**event, "taskFailedEventDetails": {"error": THROTTLED, "cause": cause}}
        if event["type"] == "TaskFailed"
        else event
        for event in events("busy_to_the_end")
    ]
    known = replace(facts("busy_to_the_end"), execution=Execution.read(throttled))
    words = [entry.text for entry in timeline(known)]

    assert (
        "Lambda throttled the function and nothing was sent by WhatsApp; the state retries"
    ) in words
    assert (
        f"Step 2 (email) started because WhatsApp was throttled by Lambda 4 times: {cause}" in words
    )


def test_an_attempt_that_was_busy_until_its_wait_ended_was_not_sent() -> None:
    known = facts("busy_to_the_end")
    assert known.history
    reason = f"{CAME_TOO_LATE} (the provider was busy: ThrottlingException)"
    first, *others = known.history.attempts
    attempts = (replace(first, status=AttemptStatus.FAILED, reason=reason), *others)
    busy = replace(known, history=replace(known.history, attempts=attempts))
    words = [entry.text for entry in timeline(busy)]

    assert f"Not sent by WhatsApp: {reason}" in words
    assert "Attempt 1 sent to WhatsApp" not in words


def test_a_provider_that_stays_busy_is_the_reason_for_the_next_step() -> None:
    expected = (
        "Step 2 (email) started because WhatsApp was unavailable 4 times: ThrottledRequestException"
    )
    assert expected in said("busy_to_the_end")


def test_a_try_that_will_be_repeated_is_described_before_it_is() -> None:
    words = said("busy", until="TaskFailed")
    assert "WhatsApp was unavailable and nothing was sent; the state retries" in words


def test_a_call_whose_outcome_nobody_knows_says_so() -> None:
    handed = one("in_doubt", "Attempt 1 sent to SMS")
    assert handed.detail == (
        "the provider may have accepted it, only a receipt can confirm it: InternalServerException"
    )


def test_a_broadcast_tells_each_channel_and_why_the_next_step_ran() -> None:
    words = said("broadcast")

    assert "Step 1 (broadcast to WhatsApp and SMS) started as the first step of the plan" in words
    (second,) = (text for text in words if text.startswith("Step 2 (broadcast"))
    assert second == (
        "Step 2 (broadcast to WhatsApp, SMS and email) started because WhatsApp failed: 131026 "
        "Message undeliverable and SMS failed: TEXT_UNREACHABLE Phone is currently "
        "unreachable/unavailable"
    )
    assert "Email succeeded after 0.92 s: delivered" in words
    assert "Delivered by email" in words


def test_a_late_success_is_described_and_ends_the_wait_that_was_on() -> None:
    words = said("late")

    assert "WhatsApp reported delivered, after the wait had ended" in words
    assert "Delivered by WhatsApp, late" in words
    assert (
        "The wait for SMS ended after 3.05 s because a late receipt from WhatsApp arrived" in words
    )
    assert words[-1] == "SMS reported TEXT_DELIVERED: delivered, after the wait had ended"


def test_an_attempt_that_another_one_overtook_was_not_sent() -> None:
    words = said("overtaken")

    assert "Not sent by SMS: attempt 1 on whatsapp succeeded" in words
    assert not any(text.startswith("Handed to SMS") for text in words)


def test_an_advance_is_the_reason_for_the_next_step() -> None:
    words = said("advanced")

    assert words[8:11] == [
        "The caller requested the next step: step 2 (SMS)",
        "The wait for WhatsApp ended after 0.86 s because the next step was requested",
        "Step 2 (SMS) started because the next step was requested",
    ]
    assert words[-3:] == [
        "Confirmed by the caller",
        "The wait for SMS ended after 3.14 s because the message was confirmed",
        "The execution succeeded",
    ]
    assert summary(facts("advanced")) == "Confirmed by the caller, 4.02 s after it was accepted."


def test_a_cancellation_ends_the_wait_and_the_steps_to_come() -> None:
    words = said("cancelled")

    at = words.index("Cancelled by the caller")
    assert words[at + 1 :] == [
        "The wait for WhatsApp ended after 0.22 s because the caller cancelled the message",
        "The execution failed: Cancelled",
        "Step 2 (SMS) did not run: the message was cancelled",
        "WhatsApp reported sent, after the wait had ended",
    ]
    assert summary(facts("cancelled")) == "Cancelled by the caller."


def test_a_cancelled_message_that_arrived_all_the_same_tells_both() -> None:
    known = facts("cancelled")
    assert known.history
    raised = replace(known.history.message, status=MessageStatus.DELIVERED, reason=None)
    words = [
        entry.text
        for entry in timeline(replace(known, history=replace(known.history, message=raised)))
    ]

    assert words.count("Cancelled by the caller") == 1
    assert words.count("Delivered") == 1


def test_a_code_tells_each_check_and_its_approval() -> None:
    words = said("approved")

    assert words[9:13] == [
        "A code was entered: check 1 of 5",
        "Approved: the code that was entered is right",
        "The wait for WhatsApp ended after 4.60 s because the message was confirmed",
        "The execution succeeded",
    ]
    assert words[-2:] == [
        "Step 2 (SMS) did not run: the message was confirmed",
        "Steps 3 to 5 (SMS) did not run: no resend was requested",
    ]
    assert one("approved", "Planned").detail == (
        "step 1: WhatsApp, waits 45 s to be confirmed; step 2: SMS, waits 600 s to be confirmed; "
        "steps 3 to 5 (SMS), only if requested; nothing is sent after 600 s"
    )


def test_the_check_that_uses_up_the_last_one_is_the_reason_of_the_end() -> None:
    words = said("used_up")

    at = words.index("A code was entered: check 5 of 5")
    assert words[at + 1 : at + 3] == [
        "Cancelled",
        "The wait for SMS ended after 4.86 s because every check was used",
    ]
    assert one("used_up", "Cancelled").detail == "every check was used"
    assert summary(facts("used_up")) == "Cancelled (every check was used)."


def test_a_held_resend_is_sent_because_it_was_requested() -> None:
    words = said("resend")

    assert [text for text in words if "request" in text] == [
        "The caller requested another send of the code: step 2 (SMS)",
        "The state of SMS ran again because a resend was requested",
        "Steps 4 and 5 (SMS) did not run: no resend was requested",
    ]
    assert "Not sent by SMS: waits for a resend" in words


def test_a_held_resend_is_what_the_message_waits_for() -> None:
    known = facts("resend")
    held = [event for event in events("resend") if event["id"] <= _last_hold()]
    waits = replace(known, execution=Execution.read(held))

    assert timeline(waits)[-1].text == "Waiting for a resend by SMS,"
    assert summary(replace(waits, history=_in_progress(waits))) == "Waiting for a resend by SMS."


def _last_hold() -> int:
    """The last event before the verification of `resend` was cancelled: its third step waits."""
    submitted = (event for event in events("resend") if event["type"] == "TaskSubmitted")
    return max(int(event["id"]) for event in submitted)


def _in_progress(known: MessageFacts) -> MessageHistory:
    assert known.history
    message = replace(
        known.history.message, status=MessageStatus.IN_PROGRESS, cancelled_at=None, reason=None
    )
    return replace(known.history, message=message)


def test_a_resend_that_nobody_requested_is_why_the_wait_ended() -> None:
    known = facts("resend")
    timed_out = [
        {
            **{name: value for name, value in event.items() if name != "taskFailedEventDetails"},
            "type": "TaskTimedOut",
            "taskTimedOutEventDetails": {"error": "States.Timeout"},
        }
        if event.get("taskFailedEventDetails", {}).get("error") == "Cancelled"
        else event
        for event in events("resend")
    ]
    words = [entry.text for entry in timeline(replace(known, execution=Execution.read(timed_out)))]

    assert "No resend by SMS was requested within 600 s" in words


def test_a_delivery_without_the_confirmation_is_told_as_such() -> None:
    assert "The message sent by SMS was not confirmed within 5 s" in said("unconfirmed")
    assert one("unconfirmed", "Delivered").detail == "not confirmed"
    assert one("unconfirmed", "Delivered").tone == "warn"
    assert summary(facts("unconfirmed")) == "Delivered (not confirmed)."


def test_each_branch_of_a_broadcast_ends_with_the_confirmation() -> None:
    ended = [text for text in said("confirmed_broadcast") if "was confirmed" in text]

    assert ended == [
        "The wait for WhatsApp ended after 4.04 s because the message was confirmed",
        "The wait for SMS ended after 4.04 s because the message was confirmed",
    ]


def test_expiry_ends_the_message_and_says_what_was_not_sent() -> None:
    words = said("expired")

    assert "Not sent by WhatsApp: the message expired" in words
    assert "Expired before any channel succeeded" in words
    assert words[-1] == "The execution failed: Expired"


def test_a_stopped_execution_is_described_with_the_steps_that_did_not_run() -> None:
    words = said("stopped")

    assert "The execution was stopped" in words
    assert summary(facts("stopped")) == (
        "Undelivered: no channel succeeded (the execution was stopped)."
    )


def test_a_direct_start_is_described_as_such_and_planned_by_its_execution() -> None:
    words = said("direct")

    assert words[:2] == ["Started directly with StartExecution", "Planned"]
    assert one("direct", "Planned").after > 0
    assert words[2:] == [
        text.replace("0.67 s", "0.63 s").replace("0.66 s", "0.63 s")
        for text in said("fallback")[3:]
    ]


def test_a_generated_name_leaves_two_possible_sources() -> None:
    named = replace(facts("direct"), message_id="0b7c6f0e-0f5e-4d4c-9d59-2f0c8a1f3b11")

    assert named.source is MessageSource.QUEUE_OR_DIRECT
    assert timeline(named)[0].text.startswith("Received from the requests queue, or started")


def test_an_invalid_request_is_described_field_by_field() -> None:
    rejected = one("invalid", "Rejected: the request is invalid")

    assert rejected.detail is not None
    assert "/to/sms must be a phone number" in rejected.detail
    assert "/steps is required" in rejected.detail
    assert facts("invalid").status == "rejected"


def test_what_is_waited_for_stands_last_with_its_end() -> None:
    entry = timeline(facts("silent", until="TaskSubmitted", of="Send SMS"))[-1]

    assert entry.text == "Waiting for a receipt from SMS,"
    assert entry.until == entry.at + timedelta(seconds=5)


def test_a_message_that_is_not_started_yet_is_planned_and_on_its_way() -> None:
    known = facts("fallback")
    assert known.history is not None
    accepted = replace(
        known.history.message, status=MessageStatus.ACCEPTED, concluded_at=None, reason=None
    )
    early = MessageFacts(
        known.message_id, MessageHistory(accepted, ()), known.stored_request, [], None
    )

    assert [entry.text for entry in timeline(early)] == ["Accepted by the API", "Planned"]
    assert summary(early) == "In progress."
    assert early.ahead == {"whatsapp", "sms"}


def test_an_execution_of_which_nothing_is_stored_is_described_too() -> None:
    unknown = replace(facts("direct", until="TaskStarted"), history=None, receipts=())

    assert unknown.status == "accepted"
    assert [entry.text for entry in timeline(unknown)] == ["Started directly with StartExecution"]


def test_an_erased_message_says_so_and_keeps_how_its_execution_ended() -> None:
    erased = replace(facts("fallback"), history=None, receipts=(), erased=True)

    assert erased.status == "delivered"
    assert summary(erased).startswith("This message was erased")
    assert "SMS succeeded after 0.66 s: delivered" in [one.text for one in timeline(erased)]


def test_a_route_that_nobody_stored_is_not_said_to_come_by_the_api() -> None:
    assert replace(facts("fallback"), history=None, receipts=()).source is MessageSource.UNKNOWN


def test_an_invented_route_is_described_with_its_error() -> None:
    """Its execution failed, so the name is stored as a message without a plan."""
    known = facts("refused")
    assert known.execution
    cause = f"no message has the id {known.message_id}, the execution's name"
    failed = [
        {**event, "taskFailedEventDetails": {"error": "InvalidRoute", "cause": cause}}
        if event["type"] == "TaskFailed"
        else event
        for event in events("refused", until="TaskStateExited")
    ]
    message = Message(
        known.message_id,
        known.since,
        Plan(),
        status=MessageStatus.UNDELIVERED,
        reason="the execution failed",
    )
    invented = replace(
        known,
        history=MessageHistory(message, ()),
        receipts=(),
        execution=Execution.read(failed),
    )
    words = [entry.text for entry in timeline(invented)]

    assert invented.source is MessageSource.UNKNOWN
    assert any(
        text.endswith(f"WhatsApp was not used, because the route is invalid: {cause}")
        for text in words
    )


def test_a_request_that_also_looks_like_a_route_came_by_no_api() -> None:
    known = facts("direct")
    assert known.execution is not None
    received = {**known.execution.input, "message_id": "mine", "channel": "sms"}
    odd = replace(known, execution=replace(known.execution, input=received))

    assert odd.source is MessageSource.DIRECT


def test_what_an_older_history_had_is_described_by_the_store() -> None:
    gone = replace(facts("fallback"), execution=None)
    words = [entry.text for entry in timeline(gone)]

    assert words[0] == "Accepted"
    assert "WhatsApp reported failed: 131026 Message undeliverable" in words
    assert "Delivered by SMS" in words


@pytest.mark.parametrize("name", NAMES)
def test_moments_come_in_their_order_and_none_twice(name: str) -> None:
    entries = timeline(facts(name))

    assert entries == sorted(entries, key=lambda entry: entry.at)
    assert len(set(entries)) == len(entries)
    assert entries[0].after == 0


def test_words_of_others_cannot_turn_what_stands_beside_them() -> None:
    known = facts("fallback")
    hostile = [{**one, "reason": "\u202eevil\u2066"} for one in known.receipts]
    words = [entry.text for entry in timeline(replace(known, receipts=hostile))]

    assert any(text.endswith("\\u202eevil\\u2066") for text in words)


def test_the_first_minute_is_described_to_the_millisecond() -> None:
    assert elapsed(1.3456) == "+1.346 s"
    assert elapsed(185) == "+3 min 5 s"
