"""What somebody who may start executions can invent: a route that the store does not confirm.

An execution delivers the message that it is named after. Whatever id its input has, it changes no
other message, and of its own it sends what is planned.
"""

import json
import time
from typing import Any

import pytest

import start_delivery
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import MessageHistory
from messaging.domain.statuses import MessageStatus
from tests.support.aws import CONTEXT
from tests.support.plans import CHANNELS
from tests.workflow.conftest import WAIT_SECONDS, Flow, until

NONE = {"channel": "none"}


def node(message_id: str, attempt: object, channel: str, **more: object) -> dict[str, Any]:
    own = {"message_id": message_id, "attempt": attempt, "channel": channel}
    return {**own, "wait_seconds": WAIT_SECONDS, "otherwise": NONE, **more}


def broadcast(message_id: str, **requested: dict[str, Any]) -> dict[str, Any]:
    branches = {channel: {"requested": False} for channel in CHANNELS}
    asked = {channel: {"requested": True, **one} for channel, one in requested.items()}
    return {
        "message_id": message_id,
        "channel": "broadcast",
        **branches,
        **asked,
        "otherwise": NONE,
    }


def forger(flow: Flow) -> Flow:
    """Another execution, with a name that no message has."""
    other = Flow(flow.state_machine_arn, flow.channels)
    other.message_id = f"forged{time.time_ns()}"
    return other


def waiting(flow: Flow) -> MessageHistory:
    """A message whose first attempt waits for its receipt."""
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    return flow.history()


def still_delivers(flow: Flow, before: MessageHistory) -> None:
    assert flow.history() == before
    flow.receive_now("whatsapp_delivered")
    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert (len(flow.whatsapp.sent), len(flow.sms.sent)) == (1, 0)


# Takes the token of the waiting attempt; sends the next step early; sends it by another channel;
# has a number that the plan does not have.
NODES = [(1, "whatsapp"), (2, "sms"), (2, "whatsapp"), (3, "sms"), (-1, "sms"), ("1", "whatsapp")]


@pytest.mark.parametrize(("attempt", "channel"), NODES)
def test_another_executions_node_does_nothing_to_a_waiting_message(
    flow: Flow, attempt: object, channel: str
) -> None:
    before, forged = waiting(flow), forger(flow)
    forged.execute(node(flow.message_id, attempt, channel))

    assert forged.finish()[1][-1] == "Invalid route"
    assert forged.describe()["error"] == "InvalidRoute"
    assert forged.describe()["cause"] == (
        f"no message has the id {forged.message_id}, the execution's name"
    )
    with pytest.raises(UnknownMessage):
        forged.history()
    still_delivers(flow, before)


def test_another_execution_does_not_close_a_waiting_message(flow: Flow) -> None:
    before, forged = waiting(flow), forger(flow)
    forged.execute({"message_id": flow.message_id, "channel": "none"})

    assert forged.finish()[1][-1] == "Invalid request"
    still_delivers(flow, before)


def test_another_executions_broadcast_does_nothing_to_a_waiting_message(flow: Flow) -> None:
    before, forged = waiting(flow), forger(flow)
    stolen = {**node(flow.message_id, 1, "whatsapp"), "requested": True}
    early = {**node(flow.message_id, 2, "sms"), "requested": True}
    forged.execute(broadcast(flow.message_id, whatsapp=stolen, sms=early))
    until(lambda: "Fall back" in forged.entered())

    assert [error for error, _ in forged.failures()[:2]] == ["InvalidRoute"] * 2
    still_delivers(flow, before)


def test_nothing_is_sent_again_of_a_delivered_message(flow: Flow) -> None:
    waiting(flow)
    flow.receive_now("whatsapp_delivered")
    flow.finish()
    before, forged = flow.history(), forger(flow)
    forged.execute(node(flow.message_id, -1, "sms"))
    forged.finish()

    assert flow.history() == before
    assert not flow.sms.sent


@pytest.mark.parametrize(
    ("attempt", "channel"), [(1, "sms"), (2, "whatsapp"), (3, "sms"), (0, "sms")]
)
def test_before_its_execution_starts_a_message_sends_only_what_is_planned(
    flow: Flow, attempt: object, channel: str
) -> None:
    """Somebody who knows the id of a queued message can use up its execution's name."""
    flow.add("whatsapp", "sms")
    flow.execute(node(flow.message_id, attempt, channel))

    assert flow.finish()[1][-1] == "Invalid route"
    assert f"the plan of message {flow.message_id} has no attempt" in flow.describe()["cause"]
    assert flow.history().attempts == ()
    assert flow.history().message.status is MessageStatus.ACCEPTED


def test_a_request_in_the_queue_under_a_running_messages_id_starts_nothing(flow: Flow) -> None:
    before = waiting(flow)
    record = {
        "messageId": "q-forged",
        "body": json.dumps({"message_id": flow.message_id, "channel": "none"}),
        "messageAttributes": {"message_id": {"stringValue": flow.message_id, "dataType": "String"}},
    }
    assert start_delivery.handler({"Records": [record]}, CONTEXT) == {"batchItemFailures": []}

    still_delivers(flow, before)
