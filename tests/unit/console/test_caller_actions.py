"""What the page offers to the caller of a message, and what it says after the API responded."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from console import caller_actions
from console.caller_actions import CallerAction
from console.facts import MessageFacts
from console.installation import Local
from messaging.domain.messages import Attempt, AttemptId, Message, MessageHistory
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.domain.verifications import Alphabet, Verification
from tests.support.plans import plan_of

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
HERE = Local("https://api.example.com/v1/messages", "secret", "http://127.0.0.1:2")
POLICY = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Example", "en")
PLAN = plan_of(
    PlannedAttempt(1, 1, "whatsapp", 45, Success.CONFIRMED),
    PlannedAttempt(2, 2, "sms", 120, Success.CONFIRMED),
    PlannedAttempt(3, 2, "email", 120, Success.CONFIRMED),
)
ADVANCE = CallerAction("advance", "Advance to step 2 (broadcast to SMS and email)", 1)
CONFIRM = CallerAction("confirm", "Confirm")
CANCEL = CallerAction("cancel", "Cancel")
RESEND = CallerAction("resend", "Send the code again")


def facts(*attempts: int, **changes: Any) -> MessageFacts:
    message = replace(Message("m1", NOW, PLAN, expires_at=NOW + timedelta(hours=1)), **changes)
    made = [
        Attempt(AttemptId("m1", one), "sms", AttemptStatus.SENT, "token", NOW) for one in attempts
    ]
    return MessageFacts("m1", MessageHistory(message, tuple(made)), {}, [], None)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (facts(), [CONFIRM, ADVANCE, CANCEL]),
        (facts(1), [CONFIRM, ADVANCE, CANCEL]),
        (facts(1, 2, 3), [CONFIRM, CANCEL]),
        (facts(1, advanced_to=2), [CONFIRM, CANCEL]),
        (facts(1, status=MessageStatus.UNDELIVERED), [CONFIRM]),
        (facts(1, status=MessageStatus.CONFIRMED), []),
        (facts(status=MessageStatus.REJECTED), []),
        (facts(1, status=MessageStatus.CANCELLED, cancelled_at=NOW), []),
        # A receipt came after the cancellation.
        (facts(1, status=MessageStatus.DELIVERED, cancelled_at=NOW), []),
        (facts(1, verification=POLICY), [RESEND, CANCEL]),
        (facts(1, verification=replace(POLICY, own_code=True)), [CONFIRM, RESEND, CANCEL]),
        (facts(1, verification=POLICY, status=MessageStatus.CONFIRMED), []),
    ],
)
def test_only_what_is_possible_is_offered(
    known: MessageFacts, expected: list[CallerAction]
) -> None:
    assert caller_actions.offered(known) == expected


def test_an_erased_message_has_no_actions() -> None:
    assert caller_actions.offered(replace(facts(), history=None, erased=True)) == []


@dataclass
class Api:
    """Answers the requests of the page, and remembers them."""

    answer: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200, json={}))
    requests: list[httpx.Request] = field(default_factory=list)

    def post(self, url: str, **call: Any) -> httpx.Response:
        request = httpx.Request("POST", url, json=call["json"], headers=call["headers"])
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr("console.caller_actions.httpx.post", made.post)
    return made


@pytest.mark.parametrize(
    ("known", "name", "path"),
    [
        (facts(1), "confirm", "/v1/messages/m1/confirm"),
        (facts(1), "cancel", "/v1/messages/m1/cancel"),
        (facts(1, verification=POLICY), "resend", "/v1/verifications/m1/resend"),
        (facts(1, verification=POLICY), "cancel", "/v1/verifications/m1/cancel"),
    ],
)
def test_each_action_is_a_request_to_the_api(
    api: Api, known: MessageFacts, name: str, path: str
) -> None:
    assert caller_actions.act(known, name, None, HERE).good
    [request] = api.requests
    assert (request.url.path, request.content) == (path, b"{}")
    assert request.headers["X-Api-Key"] == "secret"


def test_an_advance_names_the_step_so_that_a_repetition_does_nothing_more(api: Api) -> None:
    assert caller_actions.act(facts(1), "advance", 1, HERE).good
    assert json.loads(api.requests[0].content) == {"step": 1}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            httpx.Response(409, json={"detail": "the message cannot be cancelled, because …"}),
            "It is too late: the message cannot be cancelled, because ….",
        ),
        (
            httpx.Response(429, json={"detail": "wait"}, headers={"Retry-After": "24"}),
            "Wait. Try again in 24 s.",
        ),
        (
            httpx.Response(403, json={"message": "Forbidden"}),
            "The API responded with 403: Forbidden.",
        ),
        (httpx.Response(502, text="<html>"), "The API responded with 502: No reason given."),
        (httpx.ConnectError("refused"), "The API did not respond: refused. It can be repeated."),
    ],
)
def test_what_the_api_refuses_is_one_sentence(
    api: Api, answer: httpx.Response | Exception, sentence: str
) -> None:
    api.answer = answer
    notice = caller_actions.act(facts(1), "cancel", None, HERE)

    assert (notice.sentence, notice.good, len(api.requests)) == (sentence, False, 1)
