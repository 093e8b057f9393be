"""A code is approved once and never guessed: checks, resends, starts and cancellations at once.

Hypothesis chooses what happens between any two calls: which request comes, which goes on by one
call, dies there or has it fail, how much time passes, what the providers answer. The model knows
what each caller was answered and in which order; the workflow is that of `tests/support/world.py`.
"""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import check_verification
import close_message
import control_verification
import send_message
import start_delivery
import start_verification
from messaging import metrics
from messaging.api import verification_requests
from messaging.codes.derivation import code_from
from messaging.domain.content import Content
from messaging.domain.messages import Message
from messaging.domain.route import route
from messaging.domain.statuses import FINAL, MessageStatus
from messaging.workflow import Workflow
from tests.support.aws import ENVIRONMENT
from tests.support.plans import CHANNELS
from tests.support.ports import RecordedQueue
from tests.support.races import race_settings
from tests.support.world import Crash, Invocation, Provider, World, here

EXAMPLES, FAST_EXAMPLES = 400, 25
MESSAGE_ID = "m1"
STARTED = datetime(2026, 1, 2, tzinfo=UTC)
COOL_DOWN = timedelta(seconds=30)
MAC = bytes(range(32))
BODY = {
    "to": {"sms": "+14255550156"},
    "steps": [{"channel": "sms", "wait_seconds": 10}, {"channel": "sms"}],
    "expires_in_seconds": 120,
}
HANDLERS = {
    "start": start_delivery.handler,
    "send": send_message.handler,
    "close": close_message.handler,
    "check": check_verification.handler,
    "control": control_verification.handler,
    "again": start_verification.handler,
}
WORLD: list[World] = []
MACS: list[Invocation] = []


def world() -> World:
    return WORLD[-1]


class PausingMacs:
    """KMS, before whose answer anything may happen."""

    def generate(self, _: bytes) -> bytes:
        here().pause_before_aws()
        MACS.append(here())
        return MAC


class NoLimits:
    """The guard has tests of its own."""

    def __init__(self, *_: object) -> None: ...

    def client_counter(self, client_ip: str | None) -> str | None:
        return client_ip

    def admit(self, *_: object, **__: object) -> tuple[str, ...]:
        return ()


def event(path: str, body: object = None, key: str | None = None) -> dict[str, Any]:
    return {
        "body": json.dumps(body),
        "headers": {"Idempotency-Key": key} if key else {},
        "resource": path,
        "pathParameters": {"id": MESSAGE_ID},
        "requestContext": {"path": f"/v1{path}", "identity": {"apiKeyId": "caller"}},
    }


which = st.integers(min_value=0, max_value=7)
answers = st.lists(st.sampled_from(["taken", "refused", "busy"]), max_size=2)


class CodeRaces(RuleBasedStateMachine):
    """One verification in a world where anything may come between."""

    def __init__(self) -> None:
        super().__init__()
        MACS.clear()
        self.disturbed = False
        self.cancelled = self.cancel_asked = False
        self.approved: list[Invocation] = []
        self.late: set[int] = set()
        self.after_a_cancellation: set[int] = set()
        self.must_succeed = False
        self.requested: list[datetime] = []

    @initialize(
        length=st.sampled_from([4, 6]),
        scripts=st.fixed_dictionaries({}, optional=dict.fromkeys(range(1, 6), answers)),
    )
    def begin(self, length: int, scripts: dict[int, list[str]]) -> None:
        provider = Provider({number: [*script] for number, script in scripts.items()})
        WORLD[:] = [World(MESSAGE_ID, STARTED, HANDLERS, provider)]
        self.world = world()
        senders = dict.fromkeys(CHANNELS, "sender")
        defaults = verification_requests.CodeDefaults(senders, CHANNELS, "Acme")
        self.body = {**BODY, "length": length}
        request = verification_requests.check(self.body, defaults)
        message = request.message(MESSAGE_ID, STARTED, dict.fromkeys(CHANNELS, 10))
        self.world.store.verifications.take(request.key, MESSAGE_ID, self._expiry(message), None)
        self.world.store.messages.add(message, request.document)
        self.right = code_from(MAC, length, request.verification.alphabet)
        node = route(MESSAGE_ID, message.plan, CHANNELS)
        named = {"message_id": {"stringValue": MESSAGE_ID, "dataType": "String"}}
        record = {"messageId": "q1", "body": json.dumps(node), "messageAttributes": named}
        self.world.invoke("start", {"Records": [record]}, lambda _: None)
        self._to_its_end(self.world.running[0])

    @staticmethod
    def _expiry(message: Message) -> datetime:
        assert message.expires_at
        return message.expires_at

    # ---- what happens

    @rule(right=st.booleans(), key=st.sampled_from([None, None, "key-1", "key-2"]))
    def a_check_comes(self, *, right: bool, key: str | None) -> None:
        code = self.right if right else "9" * len(self.right)
        self.world.invoke("check", event("/check", {"code": code}, key), self._check_ended)
        asked = self.world.running[-1]
        if self.message.expired(self.world.now):
            self.late.add(id(asked))
        if self.cancelled:
            self.after_a_cancellation.add(id(asked))

    @rule()
    def a_resend_is_requested(self) -> None:
        self.world.invoke("control", event("/resend"), self._other_ended)

    @rule()
    def the_same_is_started_again(self) -> None:
        self.world.invoke("again", event("/verifications", self.body), self._other_ended)

    @rule(really=st.integers(0, 3))
    def it_is_cancelled(self, really: int) -> None:
        if really == 3:
            self.cancel_asked = True
            self.world.invoke("control", event("/cancel"), self._cancel_ended)

    @precondition(lambda self: self.world.running)
    @rule(which=which)
    def an_invocation_goes_on(self, which: int) -> None:
        self._one(which).step()

    @precondition(lambda self: self.world.running)
    @rule(which=which)
    def an_invocation_goes_on_to_its_end(self, which: int) -> None:
        self._to_its_end(self._one(which))

    @precondition(lambda self: self.world.running)
    @rule(which=which, fails=st.booleans())
    def an_invocation_dies_or_a_call_of_it_fails(self, which: int, *, fails: bool) -> None:
        invocation = self._one(which)
        if invocation.calls:
            self.disturbed = True
            invocation.step(die=not fails, fail=fails)

    @rule(seconds=st.sampled_from([1, 10, 30]))
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    # ---- what each caller was answered

    def _check_ended(self, check: Invocation) -> None:
        self._has_a_named_error(check)
        if check.error:
            return
        body = json.loads(check.answer["body"])
        right = json.loads(check.event["body"])["code"] == self.right
        match check.answer["statusCode"], body.get("state") or body["status"]:
            case 200, "approved":
                assert right
                assert id(check) not in self.after_a_cancellation
                self.approved.append(check)
                running = self.world.workflow.status == "RUNNING"
                self.must_succeed |= running and not self.world.workflow.closing
            case 200, "pending" | "max_checks_reached":
                assert not right
                assert id(check) not in self.late
            case 409, "expired" | "cancelled" | "approved" | "max_checks_reached":
                pass
            case other:
                pytest.fail(f"answered {other}")

    def _cancel_ended(self, cancel: Invocation) -> None:
        self._has_a_named_error(cancel)
        if not cancel.error:
            assert cancel.answer["statusCode"] in {200, 409}
            self.cancelled |= cancel.answer["statusCode"] == 200

    def _other_ended(self, invocation: Invocation) -> None:
        self._has_a_named_error(invocation)
        if not invocation.error:
            status = invocation.answer["statusCode"]
            assert status in {200, 202, 409, 429}, invocation.answer
            # A start that takes the place of the verification cancels it.
            self.cancel_asked |= status == 202 and self.message.cancelled_at is not None

    @staticmethod
    def _has_a_named_error(invocation: Invocation) -> None:
        named = Crash | EndpointConnectionError
        assert invocation.error is None or isinstance(invocation.error, named), invocation.error

    # ---- what is so after each of them

    @property
    def message(self) -> Message:
        history = self.world.history()
        assert history
        return history.message

    @invariant()
    def the_promises_hold(self) -> None:
        message = self.message
        self.no_more_is_compared_than_may_be(message)
        self.one_caller_is_approved(message)
        self.an_attempt_is_sent_once_and_not_in_vain()
        self.a_cool_down_is_between_two_sends(message)

    def no_more_is_compared_than_may_be(self, message: Message) -> None:
        assert message.checks <= 5
        assert len(message.check_times) == message.checks
        # Those of the key of the approval as well, which may ask again.
        assert len([one for one in MACS if one.name == "check"]) <= message.checks

    def one_caller_is_approved(self, message: Message) -> None:
        keys = [json.dumps(one.event["headers"]) for one in self.approved]
        assert len(set(keys)) <= 1
        assert keys.count("{}") <= 1
        if self.approved:
            assert message.confirmed
            assert not message.cancelled_at
        if self.cancelled:
            assert message.cancelled_at
            assert not message.confirmed

    def an_attempt_is_sent_once_and_not_in_vain(self) -> None:
        for number, calls in self.world.provider.calls.items():
            assert set(calls[:-1]) <= {"busy"}, f"attempt {number}: {calls}"
        assert len(self.world.provider.calls) <= 5
        assert not self.world.provider.forbidden

    def a_cool_down_is_between_two_sends(self, message: Message) -> None:
        at = message.last_send_requested_at
        if at and at not in self.requested:
            assert at - (self.requested or [STARTED])[-1] >= COOL_DOWN
            self.requested.append(at)
        assert len(message.advances) <= len(self.requested)

    # ---- how it ends

    def teardown(self) -> None:
        if not WORLD:
            return
        try:
            self._let_it_end()
            self._check_the_end()
        finally:
            self.world.kill_all()
            WORLD.clear()

    def _let_it_end(self) -> None:
        for _ in range(200):
            while self.world.running:
                self._to_its_end(self.world.running[0])
            if not self.world.workflow.live():
                return
            first = min(wait.ends_at for wait in self.world.workflow.live())
            self.world.pass_time(max((first - self.world.now).total_seconds(), 0))
        pytest.fail("it does not end")

    def _check_the_end(self) -> None:
        checks = [one for one in self.world.ended if one.name == "check"]
        rights = [one for one in checks if json.loads(one.event["body"])["code"] == self.right]
        assert self.world.workflow.status in {"SUCCEEDED", "FAILED"}
        assert self.message.status in FINAL
        if self.must_succeed:
            assert self.world.workflow.status == "SUCCEEDED"
        undisturbed = not (self.disturbed or self.cancel_asked or self.late)
        if undisturbed and rights and len(checks) <= 5 and self._all_in_time(checks):
            assert len({id(one) for one in self.approved}) >= 1
            assert self.message.status is MessageStatus.CONFIRMED

    def _all_in_time(self, checks: list[Invocation]) -> bool:
        """Whether none was counted after the expiry, though it had come before."""
        return all('"expired"' not in one.answer["body"] for one in checks)

    def _one(self, which: int) -> Invocation:
        return self.world.running[which % len(self.world.running)]

    def _to_its_end(self, invocation: Invocation) -> None:
        while not invocation.ended:
            invocation.step()
            self.the_promises_hold()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The functions in whatever world there is."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    client: Any = type("", (), {"__getattr__": lambda _, name: getattr(world().workflow, name)})()
    codes = (check_verification, control_verification, start_verification)
    for module in (send_message, close_message, *codes):
        monkeypatch.setattr(module, "store", lambda: world().seen)
        monkeypatch.setattr(module, "now", lambda: world().now)
    for module in (start_delivery, send_message, *codes):
        monkeypatch.setattr(module, "workflow", lambda: Workflow(client))
    for module in (control_verification, start_verification):
        monkeypatch.setattr(module, "Guard", NoLimits)
    for module in codes:
        monkeypatch.setattr(module, "counters", lambda: None)
    feedback = SimpleNamespace(put_message_feedback=lambda **_: here().pause_before_aws())
    monkeypatch.setattr(check_verification, "client", lambda _: feedback)
    monkeypatch.setattr(check_verification, "macs", PausingMacs)
    monkeypatch.setattr(start_verification, "requests_queue", RecordedQueue)
    monkeypatch.setattr(send_message, "channel", lambda _: world().provider)
    monkeypatch.setattr(send_message, "code_content", lambda *_: Content(text="a code"))
    monkeypatch.setattr(metrics, "_emit", lambda *_: None)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("stage")
def test_a_code_is_approved_once_and_never_guessed() -> None:
    profile = race_settings(EXAMPLES, FAST_EXAMPLES)
    run_state_machine_as_test(CodeRaces, settings=profile)
