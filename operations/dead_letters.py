"""`make dlq` and `make redrive`: shows what the dead-letter queues contain and why, or redrives it.

The output contains the message's id, time and reason; never an address, a text or a task token.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from operations import stack
from operations.dead_letter_queues import DEAD_LETTER_QUEUES, AwsClients, DeadLetter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Long enough to list and to redrive; what is only shown becomes visible again at once.
VISIBILITY_TIMEOUT_SECONDS = 60
# A long poll asks every server of the queue, a short one only some.
POLL_SECONDS = 1
MAX_SHOWN = 100


def main() -> None:
    command = {"show": show, "redrive": redrive}[sys.argv[1]]
    stack.run_command(lambda: command(AwsClients.create(), stack.outputs()))


def show(clients: AwsClients, outputs: Mapping[str, str]) -> Iterator[str]:
    """A line for each queue, and one for each of its messages; they stay in the queue."""
    for queue in DEAD_LETTER_QUEUES:
        letters = list(_received(clients.queues, outputs[queue.output], MAX_SHOWN))
        for letter in letters:
            _make_visible(clients.queues, letter)
        more = f", the first {MAX_SHOWN}" if len(letters) == MAX_SHOWN else ""
        yield f"{queue.output}: {len(letters)}{more} ({queue.contains})"
        for letter in sorted(letters, key=lambda one: one.at):
            about = f"{queue.message_id(letter)}  {queue.reason(letter)}"
            yield f"  {letter.at:%Y-%m-%d %H:%M:%S}  {about}"


def redrive(clients: AwsClients, outputs: Mapping[str, str]) -> Iterator[str]:
    """Sends every message back to where it came from, and only then deletes it from its queue."""
    for queue in DEAD_LETTER_QUEUES:
        count = 0
        for letter in _received(clients.queues, outputs[queue.output]):
            queue.redrive(clients, outputs, letter)
            _delete(clients.queues, letter)
            count += 1
        yield f"{queue.output}: {count} redriven"


def erase(clients: AwsClients, outputs: Mapping[str, str], message_id: str) -> int:
    """Deletes the dead letters about one message and returns how many there were."""
    count = 0
    for queue in DEAD_LETTER_QUEUES:
        for letter in list(_received(clients.queues, outputs[queue.output])):
            if queue.is_about(letter, message_id):
                _delete(clients.queues, letter)
                count += 1
            else:
                _make_visible(clients.queues, letter)
    return count


def _received(queues: "SQSClient", url: str, limit: int | None = None) -> Iterator[DeadLetter]:
    """What is in the queue now; what arrives during the command is left for the next one."""
    started, given = time.time(), 0
    while limit is None or given < limit:
        messages = queues.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=VISIBILITY_TIMEOUT_SECONDS,
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        letters = [DeadLetter.of(url, message) for message in messages]
        old = [letter for letter in letters if letter.at.timestamp() <= started]
        for new in letters:
            if new not in old:
                _make_visible(queues, new)
        if not old:
            return
        given += len(old)
        yield from old


def _delete(queues: "SQSClient", letter: DeadLetter) -> None:
    queues.delete_message(QueueUrl=letter.queue_url, ReceiptHandle=letter.handle)


def _make_visible(queues: "SQSClient", letter: DeadLetter) -> None:
    """It stays in its queue, where the next command receives it."""
    queues.change_message_visibility(
        QueueUrl=letter.queue_url, ReceiptHandle=letter.handle, VisibilityTimeout=0
    )


if __name__ == "__main__":
    main()
