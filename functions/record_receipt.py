"""The receipts topic: records what a provider reports and answers the state that is waiting."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.channels import receipts
from messaging.clients.clock import now
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.logs import function_log
from messaging.reception import ReceiptRecorder
from messaging.settlement import Settlement

logger = function_log()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's
    settlement = Settlement(store(), workflow(), now)
    recorder = ReceiptRecorder(store(), settlement, settings.sms_carrier_receipt(), now, logger)
    recorder.record_all(
        item
        for record in event["Records"]
        for item in receipts.parse(record["Sns"]["Message"], record["Sns"]["Timestamp"])
    )
