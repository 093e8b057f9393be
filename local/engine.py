"""The Step Functions engine: moto's server, with its interpreter's tasks going to MiniStack.

Waiting executions live in its memory and end with it.
"""

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
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
    StateCredentials,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from werkzeug.serving import make_server

from local.addresses import HOST, REGION
from local.interpreter import behave_as_aws

# Each function that runs at the same time is a process of 45 MB, and three keep two cores busy.
INVOCATIONS_AT_ONCE = 3

# Else each of a thousand executions that begin together would make one of its own.
MAKING_CLIENTS = threading.Lock()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    execute_state_machines()
    behave_as_aws()
    list_the_actions_once()
    send_tasks_to_ministack()
    bound_the_invocations()
    tell_of_executions_that_did_not_succeed()
    keep_quiet()
    # This one service alone, so that it need not be found out for each request.
    app = create_backend_app("stepfunctions")
    make_server(HOST, port, app, threaded=True, request_handler=MotoRequestHandler).serve_forever()


def keep_quiet() -> None:
    """Moto logs every request, and an error for each path that a Choice does not find."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)


def execute_state_machines() -> None:
    """Moto by itself only remembers state machines; this setting asks for its interpreter."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True


def list_the_actions_once() -> None:
    """Moto looks through all of its class for each request, to see whether it knows the action."""
    listed = functools.cache(utils.method_names_from_class)
    setattr(responses, "method_names_from_class", listed)  # noqa: B010 - imported there


def send_tasks_to_ministack() -> None:
    """Moto's tasks go to moto's own Lambda, which needs Docker; ours go where the environment says.

    The clients are cached, because making one costs more than the call.
    """
    boto_client.boto_client_for = client_for
    lambda_eval_utils.boto_client_for = client_for  # type: ignore[attr-defined] # imported there


def client_for(region: str, service: str, state_credentials: object = None) -> BaseClient:
    del state_credentials  # no role is assumed on one machine
    with MAKING_CLIENTS:
        return cached_client(region, service)


@functools.cache
def cached_client(region: str, service: str) -> BaseClient:
    """A client of the service at AWS_ENDPOINT_URL; one try each: the state's Retry decides."""
    return get_session().create_client(
        service,
        region,
        config=Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=900,
            max_pool_connections=INVOCATIONS_AT_ONCE,
        ),
    )


def bound_the_invocations() -> None:
    """AWS runs a thousand functions at once; here each is a process, so a burst takes its turn."""
    turns = threading.BoundedSemaphore(INVOCATIONS_AT_ONCE)
    invoke = lambda_eval_utils.execute_lambda_function_integration

    def invoke_in_turn(
        env: Environment,
        parameters: dict[str, object],
        region: str,
        state_credentials: StateCredentials,
    ) -> None:
        with turns:
            invoke(env, parameters, region, state_credentials)

    lambda_eval_utils.execute_lambda_function_integration = invoke_in_turn


def tell_of_executions_that_did_not_succeed() -> None:
    """AWS publishes an event whenever an execution ends, moto none.

    Here it is published for the ends that the stack has a rule for: a success needs nothing more.
    """
    note_the_end = BaseExecutionWorkerCommunication.terminated

    def note_and_tell(end: BaseExecutionWorkerCommunication) -> None:
        note_the_end(end)
        if end.execution.exec_status != ExecutionStatus.SUCCEEDED:
            publish_the_end(end.execution)

    setattr(BaseExecutionWorkerCommunication, "terminated", note_and_tell)  # noqa: B010 - a method


def publish_the_end(execution: Execution) -> None:
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
        logging.getLogger(__name__).exception("The end of an execution was not told")


def milliseconds(at: datetime | None) -> int | None:
    return int(at.timestamp() * 1000) if at else None


if __name__ == "__main__":
    main()
