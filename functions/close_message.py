"""The state `Close message`: records the end of a message that no step delivered in time.

EventBridge also invokes it, for an execution that was stopped, failed or timed out.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging.clients.clock import now
from messaging.clients.store import store
from messaging.closing import Closing
from messaging.logs import function_log

logger = function_log()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's
    """The outcome of an attempt that succeeded late, otherwise the final status and its cause."""
    message_id = event["message_id"]
    logger.append_keys(message_id=message_id)
    closing = Closing(store(), now, logger)
    if status := event.get("execution_status"):
        started_at = datetime.fromtimestamp(event["started_at"] / 1000, UTC)
        return asdict(closing.close_after_execution(message_id, status, started_at))
    return asdict(closing.close(message_id))
