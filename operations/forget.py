"""`make forget ID=…`: erases a message and its copies at the request of the recipient."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import boto3

from messaging.domain.errors import UnknownMessage
from messaging.domain.statuses import FINAL
from messaging.store import Store
from operations import dead_letters, stack
from operations.dead_letter_queues import AwsClients

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StillInProgress(Exception):
    """The message is not final, or its execution is still running."""


def main() -> None:
    if not (message_id := sys.argv[1]):
        sys.exit("Specify a message: make forget ID=…")
    try:
        stack.run_command(lambda: _forget(message_id))
    except UnknownMessage:
        sys.exit(f"There is no message {message_id!r}.")
    except StillInProgress as reason:
        sys.exit(str(reason))


def _forget(message_id: str) -> Iterator[str]:
    outputs = stack.outputs()
    store = Store(boto3.client("dynamodb"), outputs["MessagesTableName"])
    clients = AwsClients.create()
    return forget(message_id, store, boto3.client("stepfunctions"), clients, outputs)


def forget(
    message_id: str,
    store: Store,
    workflow: "SFNClient",
    clients: AwsClients,
    outputs: Mapping[str, str],
) -> Iterator[str]:
    """What was erased and what was not, a sentence each.

    Raises UnknownMessage, and StillInProgress if the message may still be sent or get a receipt.
    """
    status = store.messages.history(message_id).message.status
    execution = outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
    if status not in FINAL or _is_running(workflow, f"{execution}:{message_id}"):
        raise StillInProgress(
            f"{message_id} is {status} and may still be sent or get a receipt: try again after its "
            "execution has ended, or stop the execution first."
        )
    dead = dead_letters.erase(clients, outputs, message_id)
    yield f"Erased from the table: {store.erasure.erase(message_id)} items"
    yield f"Erased from the dead-letter queues: {dead}"
    yield (
        "Not erased: the execution history, which Step Functions deletes 90 days after the end. It "
        "contains only ids, or the request as well if the execution was started directly."
    )
    yield "Not erased: the backups of the table, which are kept for 35 days."


def _is_running(workflow: "SFNClient", execution: str) -> bool:
    try:
        described = workflow.describe_execution(executionArn=execution)
    except workflow.exceptions.ExecutionDoesNotExist:
        return False
    return described["status"] == "RUNNING"


if __name__ == "__main__":
    main()
