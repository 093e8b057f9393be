"""`make forget ID=…`: erases a message and its copies when a person asks for that."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import boto3

from messaging.domain.errors import UnknownMessage
from messaging.domain.statuses import FINAL
from messaging.store import Store
from operations import dead_letters, stack

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StillInProgress(Exception):
    """The message is still on its way."""


def main() -> None:
    if not (message_id := sys.argv[1]):
        sys.exit("Which message? make forget ID=…")
    try:
        stack.tell(lambda: _forget(message_id))
    except UnknownMessage:
        sys.exit(f"There is no message {message_id!r}.")
    except StillInProgress as reason:
        sys.exit(str(reason))


def _forget(message_id: str) -> Iterator[str]:
    outputs = stack.outputs()
    store = Store(boto3.client("dynamodb"), outputs["MessagesTableName"])
    letters = dead_letters.AwsClients.made()
    return forget(message_id, store, boto3.client("stepfunctions"), letters, outputs)


def forget(
    message_id: str,
    store: Store,
    workflow: "SFNClient",
    letters: dead_letters.AwsClients,
    outputs: Mapping[str, str],
) -> Iterator[str]:
    """What was erased and what could not be, as sentences. Raises `UnknownMessage` and `NotYet`."""
    status = store.messages.history(message_id).message.status
    execution = outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
    if status not in FINAL or _runs(workflow, f"{execution}:{message_id}"):
        raise StillInProgress(
            f"{message_id} is {status}, and something may still be sent or come back: try again "
            "when its execution has ended, or stop that first."
        )
    dead = dead_letters.erase(letters, outputs, message_id)
    yield f"Erased from the table: {store.erasure.erase(message_id)} items"
    yield f"Erased from the dead-letter queues: {dead}"
    yield (
        "Not erased: the execution's history, which Step Functions drops 90 days after its end. It "
        "holds ids only, unless the message was started directly: then also its request."
    )
    yield "Not erased: the table's own backups, which go back 35 days."


def _runs(workflow: "SFNClient", execution: str) -> bool:
    try:
        described = workflow.describe_execution(executionArn=execution)
    except workflow.exceptions.ExecutionDoesNotExist:
        return False
    return described["status"] == "RUNNING"


if __name__ == "__main__":
    main()
