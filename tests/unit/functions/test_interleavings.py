"""Nothing lost, nothing twice: whatever happens between any two calls of the functions.

Hypothesis chooses a plan, what the providers answer, and what happens: which invocation goes on by
one call, dies there, has it fail, comes twice or is given up on; which receipts come, in which
order and how often; which waits end; whether the caller confirms, advances or cancels the message.
The same choices each time; with CHAOS=long many more and always new ones, by a seed that is printed
where one fails (SEED=<seed> repeats them).
"""

import json
import logging
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import close_message
import control_message
import plan_message
import record_receipt
import send_message
import start_delivery
from messaging import metrics
from messaging.domain.errors import Unmatched
from messaging.domain.messages import Message, MessageHistory
from messaging.domain.plan import RequestedStep, make_plan
from messaging.domain.route import route as route_of
from messaging.domain.statuses import (
    ATTEMPT_RANK,
    FINAL,
    MESSAGE_RANK,
    AttemptStatus,
    MessageStatus,
    Success,
)
from messaging.workflow import Workflow
from tests.support.aws import ENVIRONMENT, event_of, sns
from tests.support.plans import CHANNELS
from tests.support.world import THROUGH, Crash, Invocation, Provider, World

LONG = os.environ.get("CHAOS") == "long"
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
EXAMPLES = 4000 if LONG else 250
FAST_EXAMPLES = 25
MESSAGE_ID = "m1"
STARTED = datetime(2026, 1, 2, tzinfo=UTC)
TO = {
    **dict.fromkeys(("whatsapp", "sms", "voice"), "+14255550156"),
    "email": "ana@example.com",
}
REQUEST = {"to": TO, "content": {"text": "hi", "subject": "hi"}}
EVENTS = {
    "whatsapp": [
        "whatsapp_sent",
        "whatsapp_delivered",
        "whatsapp_read",
        "whatsapp_failed_131026",
    ],
    "sms": ["sms_TEXT_QUEUED", "sms_TEXT_DELIVERED", "sms_TEXT_UNKNOWN", "sms_TEXT_UNREACHABLE"],
    "voice": ["voice_VOICE_RINGING", "voice_VOICE_COMPLETED", "voice_VOICE_BUSY"],
    "email": ["ses_Send", "ses_Delivery", "ses_Bounce_Permanent_General", "ses_Complaint"],
}
DELIVERIES = {
    "whatsapp": "whatsapp_delivered",
    "sms": "sms_TEXT_DELIVERED",
    "voice": "voice_VOICE_COMPLETED",
    "email": "ses_Delivery",
}
HANDLERS = {
    "start": start_delivery.handler,
    "plan": plan_message.handler,
    "send": send_message.handler,
    "receipt": record_receipt.handler,
    "close": close_message.handler,
    "control": control_message.handler,
}
WORLD: list[World] = []


def world() -> World:
    return WORLD[-1]


@cache
def event(name: str, number: int) -> dict[str, Any]:
    """A provider's event about the attempt of this number."""
    return sns(event_of(name, MESSAGE_ID, number, f"provider-{number}"))


channels = st.sampled_from(CHANNELS)
successes = st.sampled_from([Success.DELIVERED, Success.DELIVERED, Success.SENT, Success.CONFIRMED])
single = st.builds(
    lambda channel, wait, success: RequestedStep((channel,), wait_seconds=wait, success=success),
    channels,
    st.sampled_from([5, 45]),
    successes,
)
read = st.just(RequestedStep(("whatsapp",), wait_seconds=45, success=Success.READ))
broadcast = st.builds(
    lambda asked, success: RequestedStep(
        tuple(asked), broadcast=True, wait_seconds=45, success=success
    ),
    st.lists(channels, min_size=1, max_size=3, unique=True),
    successes,
)
plans = st.builds(
    lambda steps, repeats: [*steps, *[replace(steps[-1], on_request=True)] * repeats],
    st.lists(single | single | broadcast | read, min_size=1, max_size=3),
    st.integers(0, 2),
)
answers = st.lists(st.sampled_from(["taken", "refused", "busy", "busy", "perhaps"]), max_size=5)
which = st.integers(min_value=0, max_value=7)


def control_event(action: str, **body: int) -> dict[str, Any]:
    """What the API passes on of its caller's request."""
    return {
        "resource": f"/messages/{{id}}/{action}",
        "pathParameters": {"id": MESSAGE_ID},
        "body": json.dumps(body),
    }


class Interleavings(RuleBasedStateMachine):
    """One message in a world where anything may come between."""

    def __init__(self) -> None:
        super().__init__()
        self.undelivered: list[dict[str, Any]] = []
        self.started = False
        self.unheard = False
        self.was_through = False
        self.must_succeed = False
        self.ranks: dict[str, int] = {}
        self.advances: set[int] = set()
        self.unanswered: list[dict[str, Any]] = []
        self.answered: list[tuple[str, int]] = []

    # ---- how it begins

    @initialize(
        steps=plans,
        scripts=st.fixed_dictionaries({}, optional=dict.fromkeys(range(1, 5), answers)),
        expires=st.sampled_from([None, None, None, 0, 30]),
        direct=st.booleans(),
        newest_first=st.booleans(),
    )
    def begin(
        self,
        steps: list[RequestedStep],
        scripts: dict[int, list[str]],
        expires: int | None,
        *,
        direct: bool,
        newest_first: bool,
    ) -> None:
        self.newest_first = newest_first
        provider = Provider({number: [*script] for number, script in scripts.items()})
        WORLD[:] = [World(MESSAGE_ID, STARTED, HANDLERS, provider)]
        self.world = world()
        requested = [step for step in steps if not step.on_request]
        self.record = _by_a_service(requested) if direct else self._by_the_api(steps, expires)
        self.the_queue_delivers()

    def _by_the_api(self, steps: list[RequestedStep], expires: int | None) -> dict[str, Any]:
        plan = make_plan(steps, dict.fromkeys(CHANNELS, 45))
        request = {**REQUEST, "steps": [{} for _ in steps], "category": "utility"}
        ends = None if expires is None else STARTED + timedelta(seconds=expires)
        self.world.store.messages.add(Message(MESSAGE_ID, STARTED, plan, expires_at=ends), request)
        route = route_of(MESSAGE_ID, plan, CHANNELS)
        named = {"message_id": {"stringValue": MESSAGE_ID, "dataType": "String"}}
        return {"messageId": "q1", "body": json.dumps(route), "messageAttributes": named}

    # ---- what happens

    @precondition(lambda self: all(one.name != "start" for one in self.world.running))
    @rule()
    def the_queue_delivers(self) -> None:
        self.world.invoke("start", {"Records": [self.record]}, self._start_ended)

    def _start_ended(self, invocation: Invocation) -> None:
        self.started |= not invocation.error and not invocation.answer["batchItemFailures"]

    @precondition(lambda self: self.world.running)
    @rule(which=which)
    def an_invocation_goes_on(self, which: int) -> None:
        self._one(which).step()

    @precondition(lambda self: self.world.running)
    @rule(which=which)
    def an_invocation_goes_on_to_its_end(self, which: int) -> None:
        self._to_its_end(self._one(which))

    @precondition(lambda self: self.world.running)
    @rule(which=which)
    def an_invocation_dies(self, which: int) -> None:
        invocation = self._one(which)
        if invocation.calls:
            self.unheard |= not invocation.heard
            invocation.step(die=True)

    @precondition(lambda self: any(one.calls for one in self.world.running))
    @rule(which=which)
    def a_call_fails(self, which: int) -> None:
        calling = [one for one in self.world.running if one.calls]
        failing = calling[which % len(calling)]
        self.unheard |= not failing.heard
        failing.step(fail=True)

    @precondition(lambda self: any(one.name == "send" for one in self._all()))
    @rule(which=which)
    def an_invocation_comes_twice(self, which: int) -> None:
        sends = [one for one in self._all() if one.name == "send"]
        again = sends[which % len(sends)].event
        self.world.invoke("send", again, lambda _: None, heard=False)

    @precondition(lambda self: any(one.name == "send" for one in self.world.running))
    @rule(which=which)
    def an_invocation_is_given_up_on(self, which: int) -> None:
        """It goes on, but the state has heard that it failed."""
        sends = [one for one in self.world.running if one.name == "send"]
        given_up = sends[which % len(sends)]
        given_up.heard = False
        self.world.workflow.invocation_failed(given_up.event["task_token"])

    @precondition(lambda self: self.world.provider.calls)
    @rule(attempt=which, word=which)
    def a_receipt_comes(self, attempt: int, word: int) -> None:
        numbers = sorted(self.world.provider.calls)
        number = numbers[attempt % len(numbers)]
        story = self.world.history()
        assert story
        names = EVENTS[story.message.plan.attempt(number).channel]
        self._receive(event(names[word % len(names)], number))

    def _receive(self, receipt: dict[str, Any]) -> None:
        self.world.invoke("receipt", receipt, self._receipt_ended)

    def _receipt_ended(self, invocation: Invocation) -> None:
        if invocation.error:
            self.undelivered.append(dict(invocation.event))

    @precondition(lambda self: self.undelivered)
    @rule(which=which)
    def a_receipt_comes_again(self, which: int) -> None:
        self._receive(self.undelivered.pop(which % len(self.undelivered)))

    @rule(action=st.sampled_from(["confirm", "cancel"]))
    def the_caller_ends_the_message(self, action: str) -> None:
        self._control(control_event(action))

    @rule(further=st.sampled_from([0, 0, 0, 1, -1]))
    def the_caller_asks_for_the_next_step(self, further: int) -> None:
        """From the current step, or from another one."""
        story = self.world.history()
        begun = [1, *map(story.step, story.attempts)] if story else [1]
        self._advance(max(begun) + further)

    @precondition(lambda self: self._waits_for_a_request())
    @rule()
    def the_caller_asks_for_a_step_on_request(self) -> None:
        self._advance(self._waits_for_a_request() - 1)

    def _waits_for_a_request(self) -> int:
        """The step that waits to be asked for, 0 if none does."""
        story = self.world.history()
        waiting = (one for one in story.attempts if one.waits_for_request) if story else ()
        return max((story.step(one) for one in waiting if story), default=0)

    def _advance(self, step: int) -> None:
        self.advances.add(step + 1)
        self._control(control_event("advance", step=step))

    def _control(self, event: dict[str, Any]) -> None:
        self.world.invoke("control", event, self._control_ended)

    def _control_ended(self, invocation: Invocation) -> None:
        if invocation.error:
            self.unanswered.append(dict(invocation.event))
            return
        action = invocation.event["resource"].rpartition("/")[2]
        self.answered.append((action, invocation.answer["statusCode"]))
        if self.answered[-1] == ("advance", 200):
            step = json.loads(invocation.event["body"])["step"]
            story = self.world.history()
            assert story
            assert story.message.advanced_to > step

    @precondition(lambda self: self.unanswered)
    @rule(which=which)
    def the_caller_repeats(self, which: int) -> None:
        self._control(self.unanswered.pop(which % len(self.unanswered)))

    @rule(seconds=st.sampled_from([1, 5, 45]))
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @precondition(lambda self: self.world.workflow.live())
    @rule()
    def a_wait_ends(self) -> None:
        first = min(wait.ends_at for wait in self.world.workflow.live())
        self.world.pass_time(max((first - self.world.now).total_seconds(), 0))

    @precondition(lambda self: self.world.workflow.status == "RUNNING")
    @rule(really=st.integers(0, 9))
    def somebody_stops_the_execution(self, really: int) -> None:
        if really == 9:
            self.must_succeed = False
            self.world.workflow.stop()

    # ---- what is so after each of them

    @invariant()
    def the_promises_hold(self) -> None:
        story = self.world.history()
        self.nothing_is_raised_but_what_has_a_name()
        self.an_attempt_is_handed_over_once()
        self.nothing_is_sent_in_vain()
        self.the_content_is_stored_once()
        if story:
            self.a_status_only_rises(story)
            self.what_the_caller_was_answered_remains(story)
            self.nobody_waits_for_what_is_known(story)

    def nothing_is_raised_but_what_has_a_name(self) -> None:
        for one in self.world.ended[-3:]:
            named = Crash | EndpointConnectionError | Unmatched
            assert one.error is None or isinstance(one.error, named), one.error
            assert not isinstance(one.error, Unmatched) or one.name == "receipt"

    def an_attempt_is_handed_over_once(self) -> None:
        for number, calls in self.world.provider.calls.items():
            assert set(calls[:-1]) <= {"busy"}, f"attempt {number}: {calls}"

    def nothing_is_sent_in_vain(self) -> None:
        assert not self.world.provider.forbidden

    def a_status_only_rises(self, story: MessageHistory) -> None:
        ranks = {"message": MESSAGE_RANK[story.message.status]}
        ranks |= {str(one.attempt_id): ATTEMPT_RANK[one.status] for one in story.attempts}
        for name, rank in ranks.items():
            assert rank >= self.ranks.get(name, 0), name
        self.ranks = ranks

    def what_the_caller_was_answered_remains(self, story: MessageHistory) -> None:
        message = story.message
        assert message.advanced_to in {0, *self.advances}
        assert message.confirmed == (message.status is MessageStatus.CONFIRMED)
        assert not (message.confirmed and message.cancelled_at)
        if ("confirm", 200) in self.answered:
            assert message.confirmed
        if ("cancel", 200) in self.answered:
            assert message.cancelled_at
        codes = {code for _, code in self.answered}
        assert codes <= {200, 400, 404, 409}

    def the_content_is_stored_once(self) -> None:
        holders = [key for key, item in self.world.table.items.items() if "request" in item]
        assert holders in ([], [(MESSAGE_ID, "message")], [(MESSAGE_ID, "message#request")])

    def nobody_waits_for_what_is_known(self, story: MessageHistory) -> None:
        workflow, message = self.world.workflow, story.message
        running = workflow.status == "RUNNING" and not workflow.closing
        self.was_through |= message.confirmed or story.unconfirmed() is not None
        self.must_succeed |= message.confirmed and running
        if success := story.success():
            self.was_through = True
            # What was only taken may still fail, and then the workflow goes on.
            lasts = success.status is not AttemptStatus.SENT
            self.must_succeed |= running and lasts
        if message.cancelled_at:
            self.must_succeed = False
        if self.world.running or self.undelivered or self.unanswered or self.unheard:
            return
        self.nobody_waits_for_what_the_caller_decided(story)
        for wait in workflow.live():
            attempt = story.attempt(wait.node["attempt"])
            if attempt and attempt.task_token == wait.token:
                assert attempt.status is not AttemptStatus.FAILED
                assert not story.fulfilled(attempt)
                assert not story.success_beside(attempt)

    def nobody_waits_for_what_the_caller_decided(self, story: MessageHistory) -> None:
        for wait in self.world.workflow.live():
            attempt = story.attempt(wait.node["attempt"])
            if attempt and attempt.task_token == wait.token:
                assert not story.message.confirmed
                assert not story.message.cancelled
                assert not story.advanced_beyond(attempt)
                assert not attempt.waits_for_request or story.not_requested(attempt)

    # ---- how it ends

    def teardown(self) -> None:
        if not WORLD:
            return
        try:
            self._let_it_end()
            self._check_the_end()
            self._everything_is_delivered_after_all()
        finally:
            self.world.kill_all()
            WORLD.clear()

    def _everything_is_delivered_after_all(self) -> None:
        """The providers report the delivery of whatever they took, after the workflow ended."""
        ended = self.world.workflow.status
        for number, calls in self.world.provider.calls.items():
            story = self.world.history()
            if story and calls[-1] in {"taken", "perhaps"}:
                channel = story.message.plan.attempt(number).channel
                self._receive(event(DELIVERIES[channel], number))
                self._let_it_end()
                self._check_the_end()
        assert self.world.workflow.status == ended

    def _let_it_end(self) -> None:
        for _ in range(200):
            for one in self.world.running[:: -1 if self.newest_first else 1]:
                self._to_its_end(one)
            self.the_promises_hold()
            if self.world.running:
                continue
            if self.undelivered:
                self._receive(self.undelivered.pop(0))
            elif self.unanswered:
                self._control(self.unanswered.pop(0))
            elif not self.started:
                self.the_queue_delivers()
            elif self.world.workflow.live():
                self.a_wait_ends()
            else:
                return
        pytest.fail("it does not end")

    def _check_the_end(self) -> None:
        story, ended = self.world.history(), self.world.workflow.status
        assert story
        assert ended in {"SUCCEEDED", "FAILED", "ABORTED"}
        assert story.message.status in FINAL
        if story.success():
            assert story.message.status in THROUGH
        if story.unconfirmed() and not story.message.cancelled_at:
            assert story.message.status in THROUGH
        if story.message.status in THROUGH or ended == "SUCCEEDED":
            assert self.was_through
        if self.must_succeed:
            assert ended == "SUCCEEDED"
        assert not _left_open(story)

    def _all(self) -> list[Invocation]:
        return [*self.world.running, *self.world.ended]

    def _one(self, which: int) -> Invocation:
        return self.world.running[which % len(self.world.running)]

    def _to_its_end(self, invocation: Invocation) -> None:
        while not invocation.ended:
            invocation.step()
            self.the_promises_hold()


def _by_a_service(steps: list[RequestedStep]) -> dict[str, Any]:
    """A request on the queue that is not planned yet; it is planned under the queue message id."""
    asked = [
        {
            "success": step.success,
            "wait_seconds": step.wait_seconds,
            **({"broadcast": step.channels} if step.broadcast else {"channel": step.channels[0]}),
        }
        for step in steps
    ]
    body = json.dumps({**REQUEST, "steps": asked})
    return {"messageId": MESSAGE_ID, "body": body, "messageAttributes": {}}


def _left_open(story: MessageHistory) -> list[str]:
    """Attempts that look as if something could still come, though nobody waits any more. A message
    that was taken may have been sent once more by a function that came after all was over.
    """
    last = max((story.step(one) for one in story.attempts), default=0)
    through = story.message.status in THROUGH
    return [
        f"attempt {one.number} {one.status}"
        for one in story.attempts
        if one in story.open_attempts()
        and (story.step(one) < last or not through)
        and not (one.status is AttemptStatus.SENDING and story.went_on_without(one))
        # What had been sent before the message was cancelled keeps its status.
        and not story.message.cancelled_at
    ]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The functions in whatever world there is."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    client: Any = type("", (), {"__getattr__": lambda _, name: getattr(world().workflow, name)})()
    for function in (
        *(plan_message, send_message, record_receipt, close_message, control_message),
    ):
        monkeypatch.setattr(function, "store", lambda: world().seen)
        if function is not plan_message:
            monkeypatch.setattr(function, "now", lambda: world().now)
    for module in (start_delivery, send_message, record_receipt, control_message):
        monkeypatch.setattr(module, "workflow", lambda: Workflow(client))
    monkeypatch.setattr(send_message, "channel", lambda _: world().provider)
    monkeypatch.setattr(metrics, "_emit", lambda *_: None)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("stage")
def test_nothing_is_lost_and_nothing_goes_out_twice() -> None:
    fast = settings.get_current_profile_name() == "fast"
    profile = settings(
        max_examples=FAST_EXAMPLES if fast else EXAMPLES,
        stateful_step_count=40,
        derandomize=not LONG,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    machine: Any = Interleavings
    if LONG:
        print(f"CHAOS=long SEED={SEED}")  # noqa: T201 - how to see it again
        machine = seed(SEED)(type("Seeded", (Interleavings,), {}))
    run_state_machine_as_test(machine, settings=profile)
