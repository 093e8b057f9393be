"""The Step Functions engine: moto's server, whose tasks call MiniStack.

Executions exist in its memory only and are lost when it stops.
"""

import local.without_batch  # noqa: F401 - before the imports of moto

# isort: split
import argparse
import functools
import json
import logging
import threading
from datetime import datetime
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session
from moto.core import responses, utils
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from werkzeug.serving import make_server

from local.addresses import HOST, REGION
from local.interpreter import behave_as_aws
from local.invocations import MAX_CONCURRENT_INVOCATIONS, limit_invocations

# Without it, each of a thousand executions that start together would create its own client.
CLIENT_LOCK = threading.Lock()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    execute_state_machines()
    behave_as_aws()
    cache_action_names()
    send_tasks_to_ministack()
    limit_invocations()
    publish_unsuccessful_executions()
    silence_logs()
    # With this service alone, moto does not determine the service for each request.
    app = create_backend_app("stepfunctions")
    make_server(HOST, port, app, threaded=True, request_handler=MotoRequestHandler).serve_forever()


def silence_logs() -> None:
    """Moto logs every request, and an error for each path that a Choice does not match."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)


def execute_state_machines() -> None:
    """By default moto only stores state machines; this setting turns its interpreter on."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True


def cache_action_names() -> None:
    """Moto searches the methods of its class on each request, to find the action."""
    listed = functools.cache(utils.method_names_from_class)
    setattr(responses, "method_names_from_class", listed)  # noqa: B010 - imported there


def send_tasks_to_ministack() -> None:
    """Moto's tasks call moto's own Lambda, which needs Docker; here they call MiniStack.

    The clients are cached, because creating one takes longer than the call.
    """
    boto_client.boto_client_for = client_for
    lambda_eval_utils.boto_client_for = client_for  # type: ignore[attr-defined] # imported there


def client_for(region: str, service: str, state_credentials: object = None) -> BaseClient:
    del state_credentials  # no role is assumed on this machine
    with CLIENT_LOCK:
        return cached_client(region, service)


@functools.cache
def cached_client(region: str, service: str) -> BaseClient:
    """A client of the service at AWS_ENDPOINT_URL, without retries: the state's Retry decides."""
    return get_session().create_client(
        service,
        region,
        config=Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=900,
            max_pool_connections=MAX_CONCURRENT_INVOCATIONS,
        ),
    )


def publish_unsuccessful_executions() -> None:
    """AWS publishes an event whenever the status of an execution changes; moto publishes none.

    Here it is published for the statuses that the stack has a rule for, which exclude success.
    """
    record_end = BaseExecutionWorkerCommunication.terminated

    def record_and_publish(end: BaseExecutionWorkerCommunication) -> None:
        record_end(end)
        if end.execution.exec_status != ExecutionStatus.SUCCEEDED:
            publish_status_change(end.execution)

    setattr(BaseExecutionWorkerCommunication, "terminated", record_and_publish)  # noqa: B010 - a method


def publish_status_change(execution: Execution) -> None:
    """The event of docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html."""
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.exec_status,
        "startDate": milliseconds(execution.start_date),
        "stopDate": milliseconds(execution.stop_date),
        "input": execution.execution_input,
        "output": None,
        "error": execution.error,
        "cause": execution.cause,
    }
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [execution.exec_arn],
        "Detail": json.dumps(detail),
    }
    events: Any = client_for(REGION, "events")
    try:
        events.put_events(Entries=[entry])
    except (BotoCoreError, ClientError):
        logging.getLogger(__name__).exception("The status change of an execution was not published")


def milliseconds(at: datetime | None) -> int | None:
    return int(at.timestamp() * 1000) if at else None


if __name__ == "__main__":
    main()
