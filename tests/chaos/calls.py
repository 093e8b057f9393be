"""Each AWS call that a function makes: how a fault knows it, and a message on whose way it is."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from local.processes import until
from tests.e2e.conftest import Answer, Throughline, eventually

REACHED = "+12065550104"
OPTED_OUT = "+12065550110"
TOO_MUCH_SPENT = "+12065550112"
SILENT = "+12065550130"
BUSY_AT_FIRST = "+12065550140"
NOT_ON_WHATSAPP = "+14255550156"
# No receipt is that late, however busy the machine is.
SMS = {"channel": "sms", "wait_seconds": 240}
SOON_OVER = ({**SMS, "wait_seconds": 5},)
FALLBACK = ({"channel": "whatsapp", "wait_seconds": 240}, SMS)
TAKEN = ({**SMS, "success": "sent"},)
# Its request is stored apart from its message.
LARGE = "Hello. " * 100
THROUGH, NOT_THROUGH = frozenset({"delivered", "sent"}), frozenset({"undelivered"})
# Longer than an idempotency key stays locked whose first request broke off.
SECONDS_OF_PATIENCE = 240

THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "stepfunctions": "ThrottlingException",
    "lambda": "TooManyRequestsException",
    "sns": "Throttled",
    "sqs": "RequestThrottled",
    "kms": "ThrottlingException",
}
BROKEN = {
    "dynamodb": "InternalServerError",
    "stepfunctions": "InternalFailure",
    "lambda": "ServiceException",
    "sns": "InternalError",
    "sqs": "InternalError",
    "kms": "KMSInternalException",
}
ANSWER_LOST = {"times": 1, "response": {"abort_bytes": 0}}


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
            return ANSWER_LOST
        case _:
            # The SDK does not try this again, so the function fails.
            return {"times": 1, "error": {"code": "AccessDeniedException", "status": 400}}


# ---- the ways of a message; each gives its id


def queued(throughline: Throughline, call: "Call", name: str) -> str:
    put_on_the_queue(throughline, name, json.dumps(request(call, name)))
    return name


def unstartable(throughline: Throughline, _: "Call", name: str) -> str:
    put_on_the_queue(throughline, name, "{no JSON")
    return name


def repeated(throughline: Throughline, call: "Call", name: str) -> str:
    """The same request again, after its execution has ended."""
    queued(throughline, call, name)
    eventually(lambda: throughline.get(name).body.get("status") == "delivered", SECONDS_OF_PATIENCE)
    return queued(throughline, call, name)


def stopped(throughline: Throughline, call: "Call", name: str) -> str:
    queued(throughline, call, name)
    eventually(lambda: throughline.get(name).body.get("attempts"), SECONDS_OF_PATIENCE)
    throughline.engine.stop_execution(executionArn=throughline.execution(name))
    return name


def late(throughline: Throughline, call: "Call", name: str) -> str:
    """The first attempt is delivered when the second one waits already."""
    queued(throughline, call, name)

    def first_when_over() -> str | None:
        attempts = throughline.get(name).body.get("attempts", [])
        return attempts[0]["provider_id"] if len(attempts) > 1 else None

    throughline.report(eventually(first_when_over, SECONDS_OF_PATIENCE), "TEXT_DELIVERED")
    return name


def confirmed(throughline: Throughline, call: "Call", name: str) -> str:
    return told(throughline, call, name, "confirm")


def cancelled(throughline: Throughline, call: "Call", name: str) -> str:
    return told(throughline, call, name, "cancel")


def advanced(throughline: Throughline, call: "Call", name: str) -> str:
    return told(throughline, call, name, "advance", {"step": 1})


def told(
    throughline: Throughline, call: "Call", name: str, action: str, body: object = None
) -> str:
    """By a caller who repeats it until it is answered, while the first attempt waits."""
    queued(throughline, call, name)
    eventually(lambda: throughline.get(name).body.get("attempts"), SECONDS_OF_PATIENCE)
    for _ in until(SECONDS_OF_PATIENCE, step=0.5):
        with contextlib.suppress(httpx.TimeoutException):
            answer = throughline.control(name, action, body)
            if answer.status == 200:
                return name
            assert answer.status == 429 or answer.status >= 500, answer.body
    raise AssertionError(f"not answered in {SECONDS_OF_PATIENCE} s")


def posted(throughline: Throughline, call: "Call", name: str) -> str:
    """By a caller who repeats the request until it is taken, and then once more."""
    first, again = (until_taken(throughline, request(call, name), name) for _ in range(2))
    assert first.body == again.body
    return str(first.body["id"])


def until_taken(throughline: Throughline, body: dict[str, Any], key: str) -> Answer:
    for _ in until(SECONDS_OF_PATIENCE, step=0.5):
        # An answer that does not come leaves its caller in doubt: the same request again.
        with contextlib.suppress(httpx.TimeoutException):
            answer = throughline.post(body, Idempotency_Key=key)
            if answer.status == 202:
                return answer
            assert answer.status in {409, 429} or answer.status >= 500, answer.body
    raise AssertionError(f"not taken in {SECONDS_OF_PATIENCE} s")


def put_on_the_queue(throughline: Throughline, name: str, body: str) -> None:
    """A request under a name that the fault knows."""
    throughline.queues.send_message(
        QueueUrl=throughline.environment["REQUESTS_QUEUE_URL"],
        MessageBody=body,
        MessageAttributes={"message_id": {"DataType": "String", "StringValue": name}},
    )


def request(call: "Call", name: str) -> dict[str, Any]:
    return {
        "to": dict.fromkeys(("whatsapp", "sms"), call.number),
        "content": {"text": call.text},
        "steps": call.steps,
        "metadata": {"order": name},
    }


# ---- the calls


@dataclass(frozen=True)
class Call:
    """One call of one function, or of the engine or a provider where there is no caller."""

    name: str
    caller: str
    service: str
    operation: str
    where: str = ""
    number: str = REACHED
    steps: tuple[dict[str, Any], ...] = (SMS,)
    way: Callable[[Throughline, "Call", str], str] = queued
    text: str = "Hello."
    # Its request names no message.
    anonymous: bool = False
    # What has to go wrong so that it is made.
    first: tuple[dict[str, Any], ...] = ()
    ends: frozenset[object] = THROUGH

    def rule(self, name: str, effect: dict[str, Any]) -> dict[str, Any]:
        ours = [] if self.anonymous else [_names(name)]
        where = [self.where] if self.where else []
        return {
            "service": self.service,
            **({"operation": self.operation} if self.operation else {}),
            **({"body": " && ".join(ours + where)} if ours + where else {}),
            **({"headers": {"User-Agent": f"app/{self.caller}"}} if self.caller else {}),
            **effect,
        }

    def rules_before(self, name: str) -> list[dict[str, Any]]:
        return [
            {
                **rule,
                "body": " && ".join([_names(name), *([rule["body"]] if "body" in rule else [])]),
            }
            for rule in self.first
        ]


def _names(name: str) -> str:
    return f"contains(to_string(@), '{name}')"


def update(word: str) -> tuple[str, str, str]:
    return "dynamodb", "UpdateItem", f"contains(UpdateExpression, '{word}')"


def put(condition: str) -> tuple[str, str, str]:
    return "dynamodb", "PutItem", condition


A_MESSAGE, A_RECEIPT = "Item.sk.S == 'message'", "starts_with(Item.sk.S, 'receipt')"
A_REQUEST = "Item.sk.S == 'message#request'"
A_LINK = "starts_with(Item.pk.S, 'provider')"
A_KEY = "starts_with(Item.pk.S, 'idempotency')"
PLANNED_BUT_UNHEARD = {
    "service": "dynamodb",
    "operation": "PutItem",
    "body": A_MESSAGE,
    "headers": {"User-Agent": "app/plan_message"},
    **ANSWER_LOST,
}
NOT_STARTED_YET = {
    "service": "stepfunctions",
    "operation": "StartExecution",
    "times": 2,
    "error": {"code": "ThrottlingException"},
}

# What names no message comes last: of two faults that fit, the first strikes.
CALLS = [
    Call("stores the message", "accept_message", *put(A_MESSAGE), way=posted),
    Call("stores a large request", "accept_message", *put(A_REQUEST), way=posted, text=LARGE),
    Call("stores the message", "plan_message", *put(A_MESSAGE)),
    Call("stores a large request", "plan_message", *put(A_REQUEST), text=LARGE),
    Call(
        "reads the message that is there",
        *("plan_message", "dynamodb", "Query"),
        first=(PLANNED_BUT_UNHEARD,),
    ),
    Call("starts the execution", "start_delivery", "stepfunctions", "StartExecution"),
    Call(
        "compares a repeated request",
        *("start_delivery", "stepfunctions", "DescribeExecution"),
        way=repeated,
    ),
    Call(
        "sets aside what cannot start",
        *("start_delivery", "sqs", "SendMessage"),
        way=unstartable,
        ends=frozenset({404}),
    ),
    Call("claims the attempt", "send_message", *update("claimed_at")),
    Call("checks its node", "send_message", "dynamodb", "Query", "!ConsistentRead"),
    Call("reads the story", "send_message", "dynamodb", "Query", "ConsistentRead"),
    Call("links the provider's id", "send_message", *put(A_LINK)),
    Call("notes that it is sent", "send_message", *update("sent_at")),
    Call("concludes", "send_message", *update("concluded_at"), steps=TAKEN),
    Call("answers", "send_message", "stepfunctions", "SendTaskSuccess", steps=TAKEN),
    Call(
        "notes a refusal",
        "send_message",
        *update("failed_at"),
        number=OPTED_OUT,
        ends=NOT_THROUGH,
    ),
    Call(
        "lets a busy provider's attempt go",
        "send_message",
        *update("released"),
        number=BUSY_AT_FIRST,
        ends=THROUGH | NOT_THROUGH,
    ),
    Call(
        "gives up the earlier attempt",
        "send_message",
        *update("timed_out_at"),
        number=SILENT,
        steps=SOON_OVER * 2,
        ends=NOT_THROUGH,
    ),
    Call("looks for the attempt", "record_receipt", "dynamodb", "GetItem"),
    Call("notes the receipt", "record_receipt", *update("delivered_at")),
    Call("keeps the receipt", "record_receipt", *put(A_RECEIPT)),
    Call("links WhatsApp's id", "record_receipt", *put(A_LINK), steps=FALLBACK),
    Call(
        "reads the story of a late success",
        *("record_receipt", "dynamodb", "Query"),
        number=SILENT,
        steps=({**SMS, "wait_seconds": 20}, SMS),
        way=late,
    ),
    Call("concludes", "record_receipt", *update("concluded_at")),
    Call("answers", "record_receipt", "stepfunctions", "SendTaskSuccess"),
    Call(
        "notes a failure",
        "record_receipt",
        *update("failed_at"),
        number=NOT_ON_WHATSAPP,
        steps=FALLBACK,
    ),
    Call(
        "concludes",
        "close_message",
        *update("concluded_at"),
        number=OPTED_OUT,
        ends=NOT_THROUGH,
    ),
    Call(
        "reads the story",
        *("close_message", "dynamodb", "Query"),
        number=OPTED_OUT,
        ends=NOT_THROUGH,
    ),
    Call(
        "gives up the last attempt",
        "close_message",
        *update("timed_out_at"),
        number=SILENT,
        steps=SOON_OVER,
        ends=NOT_THROUGH,
    ),
    Call(
        "looks for the message of a stopped execution",
        "close_message",
        *put(A_MESSAGE),
        number=SILENT,
        way=stopped,
        ends=NOT_THROUGH,
    ),
    Call("reads the story", "read_message", "dynamodb", "Query"),
    Call(
        "confirms",
        *("control_message", *update("concluded_at")),
        number=SILENT,
        way=confirmed,
        ends=frozenset({"confirmed"}),
    ),
    Call(
        "cancels",
        *("control_message", *update("cancelled_at")),
        number=SILENT,
        way=cancelled,
        ends=frozenset({"cancelled"}),
    ),
    Call(
        "advances",
        *("control_message", *update("advanced_to")),
        number=SILENT,
        steps=(SMS, *SOON_OVER),
        way=advanced,
        ends=NOT_THROUGH,
    ),
    Call(
        "reads the story",
        *("control_message", "dynamodb", "Query"),
        number=SILENT,
        way=confirmed,
        ends=frozenset({"confirmed"}),
    ),
    Call(
        "answers",
        *("control_message", "stepfunctions", "SendTaskSuccess"),
        number=SILENT,
        way=confirmed,
        ends=frozenset({"confirmed"}),
    ),
    Call("publishes a receipt", "", "sns", "Publish"),
    Call("takes the key", "accept_message", *put(A_KEY), way=posted, anonymous=True),
    Call("stores the message", "accept_message", *put(A_MESSAGE), way=posted, anonymous=True),
    Call(
        "puts the message on its way",
        *("accept_message", "sqs", "SendMessage"),
        way=posted,
        anonymous=True,
    ),
    Call(
        "is done with the key",
        *("accept_message", "dynamodb", "UpdateItem"),
        way=posted,
        anonymous=True,
    ),
    Call(
        "reads who has the key",
        *("accept_message", "dynamodb", "GetItem"),
        way=posted,
        anonymous=True,
    ),
    Call(
        "reads the first answer",
        *("accept_message", "dynamodb", "Query"),
        way=posted,
        anonymous=True,
    ),
    Call(
        "has a request come again",
        *("start_delivery", "sqs", "ChangeMessageVisibilityBatch"),
        first=(NOT_STARTED_YET,),
        anonymous=True,
    ),
    Call(
        "answers with a refusal",
        *("send_message", "stepfunctions", "SendTaskFailure"),
        "contains(cause, 'MONTHLY_SPEND_LIMIT')",
        number=TOO_MUCH_SPENT,
        anonymous=True,
        ends=NOT_THROUGH,
    ),
    Call(
        "finds the attempt by the provider's id",
        *("record_receipt", "dynamodb", "GetItem"),
        "starts_with(Key.pk.S, 'provider')",
        steps=FALLBACK,
        anonymous=True,
    ),
    Call(
        "answers with a failure",
        *("record_receipt", "stepfunctions", "SendTaskFailure"),
        number=NOT_ON_WHATSAPP,
        steps=FALLBACK,
        anonymous=True,
    ),
    Call(
        "answers with the end",
        *("control_message", "stepfunctions", "SendTaskFailure"),
        number=SILENT,
        way=cancelled,
        anonymous=True,
        ends=frozenset({"cancelled"}),
    ),
    # microburst does not see which operation, function and message; it is the only one used.
    Call("calls a function", "", "lambda", "", anonymous=True),
]
