"""The sending states: send one attempt on one channel, at most once."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from importlib import import_module
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from messaging import settings
from messaging.attempts import AttemptRunner, SendingState
from messaging.channels import Channel
from messaging.clients.clock import now
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.domain.content import Content
from messaging.domain.messages import Message
from messaging.logs import function_log

logger = function_log()

# One call per attempt: no provider's API is idempotent, so the SDK must not repeat a call.
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)


@cache
def channel(name: str) -> Channel:
    """The channel with this name; only its own code and client are loaded."""
    sending: Any = import_module(f"messaging.channels.{name}.send")
    made: Channel = sending.channel(
        boto3.client(sending.SERVICE, config=ONCE), partial(settings.of_channel, name)
    )
    return made


def code_content(
    message: Message, request: Mapping[str, Any], channel: str, sender: str
) -> Content:
    """The content with the message's code; what only codes need is loaded with the first one."""
    from messaging.clients.mac import macs  # noqa: PLC0415 - as said
    from messaging.codes.one_time_code import one_time_code  # noqa: PLC0415 - as said

    rendering: Any = import_module(f"messaging.channels.{channel}.code")
    code = one_time_code(message, request, macs, now())
    content: Content = rendering.content(code, sender, partial(settings.of_channel, channel))
    return content


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's
    entered_at = datetime.fromisoformat(event["entered_at"])
    state = SendingState(**{**event, "entered_at": entered_at})
    logger.append_keys(message_id=state.message_id)
    runner = AttemptRunner(store(), workflow(), channel, settings.sender, now, logger, code_content)
    runner.run(state)
