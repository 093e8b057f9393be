"""Each AWS call of the functions of one-time codes, and a verification on whose way it is."""

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import httpx

from bench.codes import area_codes
from local.processes import until
from tests.chaos.calls import (
    A_MESSAGE,
    SECONDS_OF_PATIENCE,
    Call,
    put,
    update,
)
from tests.e2e.conftest import Answer, Throughline, eventually
from tests.e2e.test_verifications import another, code_in

A_PENDING_ONE = "starts_with(Item.pk.S, 'pending')"
REACHED, SILENT = "0104", "0130"
# Each number of its own area code, because codes are limited by recipient and by prefix.
areas = itertools.cycle(area_codes())
mailboxes = itertools.count()


def until_answered(ask: Callable[[], Answer]) -> Answer:
    """The answer to a request that its caller repeats while nothing or only an error comes back."""
    for _ in until(SECONDS_OF_PATIENCE, step=0.5):
        with contextlib.suppress(httpx.TimeoutException):
            answer = ask()
            if answer.status < 500:
                return answer
    raise AssertionError(f"not answered in {SECONDS_OF_PATIENCE} s")


def recipient(ending: str) -> dict[str, str]:
    """A new one each time."""
    return {"sms": f"+1{next(areas)}555{ending}", "email": f"code{next(mailboxes)}@example.com"}


def code_of(throughline: Throughline, verification_id: str) -> str:
    """The code that was sent last, once it is on the phone."""
    calls = eventually(lambda: [one for one in throughline.calls(verification_id) if one["answer"]])
    return code_in(throughline.phone(calls[-1]))


# ---- the ways of a verification; each gives its id


def approved(throughline: Throughline, call: Call, name: str) -> str:
    verification_id = str(_start(throughline, _request(call, name)).body["id"])
    return _approve(throughline, verification_id, name)


def read(throughline: Throughline, call: Call, name: str) -> str:
    verification_id = approved(throughline, call, name)
    answer = until_answered(lambda: throughline.verification(verification_id))
    assert (answer.status, answer.body["status"]) == (200, "approved")
    return verification_id


def started_again(throughline: Throughline, call: Call, name: str) -> str:
    """Until the second start is a resend, which it is after the cool-down."""
    body = _request(call, name)
    verification_id = str(_start(throughline, body).body["id"])
    code_of(throughline, verification_id)

    def sent_again() -> bool:
        assert _start(throughline, body).body["id"] == verification_id
        return len(throughline.sent(verification_id)) > 1

    eventually(sent_again, SECONDS_OF_PATIENCE)
    return _approve(throughline, verification_id, name)


def resent(throughline: Throughline, call: Call, name: str) -> str:
    verification_id = str(_start(throughline, _request(call, name)).body["id"])
    code_of(throughline, verification_id)

    def sent_again() -> bool:
        return until_answered(lambda: throughline.resend(verification_id)).status == 200

    eventually(sent_again, SECONDS_OF_PATIENCE)
    return _approve(throughline, verification_id, name)


def cancelled(throughline: Throughline, call: Call, name: str) -> str:
    verification_id = str(_start(throughline, _request(call, name)).body["id"])
    code_of(throughline, verification_id)
    answer = until_answered(lambda: throughline.cancel_verification(verification_id))
    assert (answer.status, answer.body["status"]) == (200, "cancelled")
    return verification_id


def used_up(throughline: Throughline, call: Call, name: str) -> str:
    """By wrong codes, until one is too late."""
    verification_id = str(_start(throughline, _request(call, name)).body["id"])
    wrong = another(code_of(throughline, verification_id))

    def over() -> bool:
        answer = until_answered(lambda: throughline.check(verification_id, wrong))
        told = answer.body["state" if answer.status == 409 else "status"]
        assert told in {"pending", "max_checks_reached"}
        return answer.status == 409

    eventually(over, SECONDS_OF_PATIENCE)
    return verification_id


def _request(call: Call, name: str) -> dict[str, Any]:
    # One address: only then does an approval count for its number.
    steps = [{"channel": "sms"}, {"channel": "sms"}]
    return {"to": recipient(call.number), "steps": steps, "metadata": {"order": name}}


def _start(throughline: Throughline, body: dict[str, Any]) -> Answer:
    answer = until_answered(lambda: throughline.verify(body))
    assert answer.status in {200, 202}, answer.body
    return answer


def _approve(throughline: Throughline, verification_id: str, key: str) -> str:
    code = code_of(throughline, verification_id)
    answer = until_answered(lambda: throughline.check(verification_id, code, key=key))
    assert (answer.status, answer.body["status"]) == (200, "approved")
    return verification_id


# ---- the calls; none names its verification before it exists

CONFIRMED, CANCELLED = frozenset({"confirmed"}), frozenset({"cancelled"})


def _call(
    name: str,
    caller: str,
    call: tuple[str, str, str],
    way: Callable[[Throughline, Call, str], str] = approved,
    ends: frozenset[object] = CONFIRMED,
) -> Call:
    number = SILENT if ends is CANCELLED else REACHED
    return Call(name, caller, *call, number=number, way=way, ends=ends, anonymous=True)


GET, BATCH, QUERY = (("dynamodb", name, "") for name in ("GetItem", "BatchGetItem", "Query"))
MAC, FAILURE = ("kms", "GenerateMac", ""), ("stepfunctions", "SendTaskFailure", "")
CODE_CALLS = [
    _call("reads the pending one", "start_verification", GET),
    _call("reads the counters", "start_verification", BATCH),
    _call("counts a code", "start_verification", update("retained_until")),
    _call("takes the place of the pending one", "start_verification", put(A_PENDING_ONE)),
    _call("stores the message", "start_verification", put(A_MESSAGE)),
    _call("puts it on its way", "start_verification", ("sqs", "SendMessage", "")),
    _call("reads the pending one's history", "start_verification", QUERY, started_again),
    _call("notes the resend", "start_verification", update("last_send"), started_again),
    _call("advances", "start_verification", update("advanced_to"), started_again),
    _call("has it sent again", "start_verification", FAILURE, started_again),
    _call("derives the code", "send_message", MAC),
    _call("counts the check", "check_verification", update("check_times")),
    _call("derives the code", "check_verification", MAC),
    _call("confirms", "check_verification", update("concluded_at")),
    _call("reads the history", "check_verification", QUERY),
    _call("answers", "check_verification", ("stepfunctions", "SendTaskSuccess", "")),
    _call("counts the approval", "check_verification", update("approved_at")),
    _call("ends what is used up", "check_verification", FAILURE, used_up, CANCELLED),
    _call("reads the history", "control_verification", QUERY, resent),
    _call("reads the counters", "control_verification", BATCH, resent),
    _call("counts a code", "control_verification", update("retained_until"), resent),
    _call("notes the resend", "control_verification", update("last_send"), resent),
    _call("advances", "control_verification", update("advanced_to"), resent),
    _call("cancels", "control_verification", update("cancelled_at"), cancelled, CANCELLED),
    _call("answers with the end", "control_verification", FAILURE, cancelled, CANCELLED),
    _call("reads the history", "read_verification", QUERY, read),
]
