"""One verification is pending, and it is queued: starts at once that die anywhere, against a model.

Hypothesis chooses which start goes on by one call, dies there or has it fail, and how much time
passes. Of what was answered, nothing is lost and nothing is there twice.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

import start_verification
from messaging import metrics
from messaging.domain.errors import NotQueued
from messaging.domain.messages import AttemptId
from messaging.intake import NOT_QUEUED
from messaging.store import Store
from tests.support.aws import ENVIRONMENT
from tests.support.races import race_settings
from tests.support.world import Crash, Invocation, Provider, World, here
from tests.unit.functions.test_code_races import NoLimits, event

EXAMPLES, FAST_EXAMPLES = 400, 25
STARTED = datetime(2026, 1, 2, tzinfo=UTC)
BODY = {"to": {"sms": "+14255550156"}, "expires_in_seconds": 60}
WORLD: list[World] = []
QUEUED: list[str] = []
which = st.integers(min_value=0, max_value=7)


def world() -> World:
    return WORLD[-1]


class PausingQueue:
    """The queue, before whose answer anything may happen."""

    def put(self, _: str, attributes: Mapping[str, str]) -> None:
        try:
            here().pause_before_aws()
        except EndpointConnectionError as error:
            raise NotQueued("EndpointConnectionError") from error
        QUEUED.append(attributes["message_id"])


class StartRaces(RuleBasedStateMachine):
    """Starts of one recipient for one purpose."""

    def __init__(self) -> None:
        super().__init__()
        QUEUED.clear()
        handlers = {"again": start_verification.handler}
        WORLD[:] = [World("none", STARTED, handlers, Provider({}))]
        self.world = world()
        self.answered: dict[str, datetime] = {}

    @rule()
    def a_start_comes(self) -> None:
        self.world.invoke("again", event("/verifications", BODY), self._ended)

    @precondition(lambda self: self.world.running)
    @rule(which=which)
    def a_start_goes_on(self, which: int) -> None:
        self.world.running[which % len(self.world.running)].step()

    @precondition(lambda self: self.world.running)
    @rule(which=which, fails=st.booleans())
    def a_start_dies_or_a_call_of_it_fails(self, which: int, *, fails: bool) -> None:
        start = self.world.running[which % len(self.world.running)]
        if start.calls:
            start.step(die=not fails, fail=fails)

    @rule(seconds=st.sampled_from([1, 29, 60]))
    def time_passes(self, seconds: int) -> None:
        # No function runs for longer than 25 seconds.
        if not self.world.running:
            self.world.pass_time(seconds)

    def _ended(self, start: Invocation) -> None:
        named = Crash | EndpointConnectionError
        assert start.error is None or isinstance(start.error, named), start.error
        if start.error:
            return
        body = json.loads(start.answer["body"])
        if start.answer["statusCode"] == 503:
            return
        assert start.answer["statusCode"] in {200, 202}
        self.answered[body["id"]] = datetime.fromisoformat(body["expires_at"])

    @property
    def store(self) -> Store:
        return self.world.store

    @invariant()
    def what_was_answered_is_stored_and_queued(self) -> None:
        for message_id in self.answered:
            assert message_id in QUEUED
            assert self.store.messages.history(message_id).message.verification

    @invariant()
    def of_those_that_may_be_sent_one_is_pending(self) -> None:
        pending = [
            message_id
            for message_id, expires_at in self.answered.items()
            if self.world.now < expires_at and not self._blocked(message_id)
        ]
        assert len(pending) <= 1

    def _blocked(self, message_id: str) -> bool:
        """Whether it cannot be sent, because a caller blocked it whose call of the queue failed."""
        item = self.world.table.items.get((message_id, "attempt#01"))
        return item is not None and item["reason"]["S"] == NOT_QUEUED

    def teardown(self) -> None:
        """Whatever had died before: the next start that nothing disturbs is queued."""
        while self.world.running:
            self.world.running[0].step()
        self.what_was_answered_is_stored_and_queued()
        self.of_those_that_may_be_sent_one_is_pending()
        self.a_start_comes()
        start = self.world.running[0]
        while not start.ended:
            start.step()
        assert start.answer["statusCode"] in {200, 202}
        body = json.loads(start.answer["body"])
        assert self.store.attempts.block(AttemptId(body["id"], 1), "sms", STARTED, "unblocked")
        assert QUEUED[-1] == body["id"]
        WORLD.clear()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The function in whatever world there is."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(start_verification, "store", lambda: world().seen)
    monkeypatch.setattr(start_verification, "now", lambda: world().now)
    monkeypatch.setattr(start_verification, "workflow", lambda: None)
    monkeypatch.setattr(start_verification, "counters", lambda: None)
    monkeypatch.setattr(start_verification, "Guard", NoLimits)
    monkeypatch.setattr(start_verification, "requests_queue", PausingQueue)
    monkeypatch.setattr(metrics, "_emit", lambda *_: None)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("stage")
def test_of_starts_at_once_nothing_is_lost_and_nothing_is_there_twice() -> None:
    profile = race_settings(EXAMPLES, FAST_EXAMPLES)
    machine: Any = StartRaces
    run(machine, settings=profile)
