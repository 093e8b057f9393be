"""AWS fails one call of one function: every message still comes to its end, and to it once."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chaos.conftest import LONG
from tests.chaos.faulty import Fault, FaultyStack
from tests.chaos.invariants import settled
from tests.local.conftest import Throughline

AT_ONCE = 6
REACHED = "+12065550104"
OPTED_OUT = "+12065550110"
TOO_MUCH_SPENT = "+12065550112"
NOT_ON_WHATSAPP = "+14255550156"
SMS = {"channel": "sms", "wait_seconds": 20}
FALLBACK = ({"channel": "whatsapp", "wait_seconds": 20}, SMS)
TAKEN = ({**SMS, "success": "sent"},)
THROUGH, NOT_THROUGH = {"delivered", "sent"}, {"undelivered"}


@dataclass(frozen=True)
class Call:
    """One call of one function: how to know it, and a message on whose way it is made."""

    name: str
    service: str
    operation: str
    where: str = ""
    number: str = REACHED
    steps: tuple[dict[str, Any], ...] = (SMS,)
    # Its request names no message.
    anonymous: bool = False

    def rule(self, message_id: str, fault: dict[str, Any]) -> dict[str, Any]:
        ours = [] if self.anonymous else [f"contains(to_string(@), '{message_id}')"]
        where = [self.where] if self.where else []
        matcher = {"body": " && ".join(ours + where)} if ours + where else {}
        operation = {"operation": self.operation} if self.operation else {}
        return {"service": self.service, **operation, **matcher, **fault}

    @property
    def ends(self) -> set[str]:
        """How its message ends, with the fault as without it."""
        return NOT_THROUGH if self.number in {OPTED_OUT, TOO_MUCH_SPENT} else THROUGH


def update(word: str) -> tuple[str, str, str]:
    return "dynamodb", "UpdateItem", f"contains(UpdateExpression, '{word}')"


def put(condition: str) -> tuple[str, str, str]:
    return "dynamodb", "PutItem", condition


CALLS = [
    Call("start_delivery starts the execution", "stepfunctions", "StartExecution"),
    Call("plan_message stores the message", *put("Item.item.S == 'message'")),
    # microburst does not see which operation, function and message; it is the only one used.
    Call("the workflow calls a function", "lambda", "", anonymous=True),
    Call("send_message claims the attempt", *update("claimed_at")),
    Call("somebody reads the story", "dynamodb", "Query"),
    Call(
        "send_message links the provider's id", *put("starts_with(Item.message_id.S, 'provider')")
    ),
    Call("send_message notes that it is sent", *update("sent_at")),
    Call("send_message concludes", *update("concluded_at"), steps=TAKEN),
    Call("send_message answers", "stepfunctions", "SendTaskSuccess", steps=TAKEN),
    Call(
        "send_message answers with a refusal",
        "stepfunctions",
        "SendTaskFailure",
        "contains(cause, 'MONTHLY_SPEND_LIMIT')",
        number=TOO_MUCH_SPENT,
        anonymous=True,
    ),
    Call("send_message notes a refusal", *update("failed_at"), number=OPTED_OUT),
    Call("record_receipt notes the receipt", *update("delivered_at")),
    Call("record_receipt keeps the receipt", *put("starts_with(Item.item.S, 'receipt')")),
    Call("record_receipt concludes", *update("concluded_at")),
    Call("record_receipt answers", "stepfunctions", "SendTaskSuccess"),
    Call(
        "record_receipt notes a failure",
        *update("failed_at"),
        number=NOT_ON_WHATSAPP,
        steps=FALLBACK,
    ),
    Call("close_message concludes", *update("concluded_at"), number=OPTED_OUT),
    Call("a provider publishes a receipt", "sns", "Publish"),
]

THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "stepfunctions": "ThrottlingException",
    "lambda": "TooManyRequestsException",
    "sns": "Throttled",
}
BROKEN = {
    "dynamodb": "InternalServerError",
    "stepfunctions": "InternalFailure",
    "lambda": "ServiceException",
    "sns": "InternalError",
}


def fault(kind: str, service: str) -> dict[str, Any]:
    """Twice, so that the SDK's own second try meets it as well."""
    match kind:
        case "throttled":
            return {"times": 2, "error": {"code": THROTTLED[service]}}
        case "broken":
            return {"times": 2, "error": {"code": BROKEN[service], "status": 500}}
        case "slow":
            return {"times": 2, "latency": 2000}
        case "reset":
            return {"times": 2, "reset": True}
        case "answer lost":
            return {"times": 1, "response": {"abort_bytes": 0}}
        case _:
            # The SDK does not try this again, so the function fails.
            return {"times": 1, "error": {"code": "AccessDeniedException", "status": 400}}


def put_on_the_queue(throughline: Throughline, name: str, call: Call) -> None:
    """A request under a name that the fault knows; the API's own calls have a test of their own."""
    request = {
        "to": dict.fromkeys(("whatsapp", "sms"), call.number),
        "content": {"text": "Hello."},
        "steps": call.steps,
    }
    throughline.queues.send_message(
        QueueUrl=throughline.environment["REQUESTS_QUEUE_URL"],
        MessageBody=json.dumps(request),
        MessageAttributes={"message_id": {"DataType": "String", "StringValue": name}},
    )


SHORT = ["denied", "answer lost"]
MORE = ["throttled", "broken", "reset", "slow"]


@pytest.mark.parametrize("kind", SHORT + MORE * LONG)
def test_any_one_call_may_fail(stack: FaultyStack, kind: str) -> None:
    faults: dict[str, tuple[Call, Fault]] = {}
    for call in CALLS:
        if (kind, call.service) == ("answer lost", "lambda"):
            continue  # the engine ends the execution then, where Step Functions would ask again
        name = f"{call.operation or call.service}-{uuid.uuid4().hex}"
        faults[name] = call, stack.faults.add(call.rule(name, fault(kind, call.service)))
    with ThreadPoolExecutor(AT_ONCE) as senders:
        sent = [
            senders.submit(put_on_the_queue, stack.throughline, name, call)
            for name, (call, _) in faults.items()
        ]
    assert not [one.exception() for one in sent if one.exception()]
    problems = settled(stack.throughline, faults)
    assert {faults[name][0].name: wrong for name, wrong in problems.items()} == {}
    assert [call.name for call, one in faults.values() if not one.struck] == []
    ended = {name: stack.throughline.get(name).body["status"] for name in faults}
    otherwise = {name: end for name, end in ended.items() if end not in faults[name][0].ends}
    assert {faults[name][0].name: end for name, end in otherwise.items()} == {}
