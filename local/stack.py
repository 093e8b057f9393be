"""Starts the local stack in order, and always stops it again."""

import json
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx
from botocore.exceptions import BotoCoreError

from local.addresses import ACCOUNT, HOST, REGION, ROOT, Addresses
from local.deploy import Deployment, deploy
from local.errors import CannotRun
from local.processes import (
    Part,
    Parts,
    check_ports,
    clean_environment,
    prepare_folder,
    responds,
    wait_until_ready,
)
from tools.synth import SynthesisFailed, is_current, synthesize

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Variables of a user's shell that would point clients elsewhere.
CONFLICTING = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)

# Shows a step on the terminal while it runs.
Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Stack:
    """A running stack: its addresses, its deployment and its processes."""

    addresses: Addresses
    deployment: Deployment
    parts: Parts

    def environment(self) -> dict[str, str]:
        """The variables that a shell needs to use the stack: endpoints, outputs, API key."""
        outputs = self.deployment.outputs
        return self.addresses.environment() | {
            "THROUGHLINE_API_URL": self.deployment.api_url,
            "THROUGHLINE_API_KEY": self.deployment.api_key,
            "THROUGHLINE_CONSOLE_URL": self.addresses.console,
            "THROUGHLINE_SIGN_IN_URL": self.addresses.sign_in,
            "STATE_MACHINE_ARN": outputs["StateMachineArn"],
            "MESSAGES_TABLE": outputs["MessagesTableName"],
            "REQUESTS_QUEUE_URL": outputs["RequestsQueueUrl"],
            "RECEIPTS_TOPIC_ARN": outputs["ReceiptsTopicArn"],
            "REQUESTS_DEAD_LETTER_QUEUE_URL": outputs["RequestsDeadLetterQueueUrl"],
            "RECEIPTS_DEAD_LETTER_QUEUE_URL": outputs["ReceiptsDeadLetterQueueUrl"],
            "UNRECORDED_RECEIPTS_QUEUE_URL": outputs["UnrecordedReceiptsQueueUrl"],
            "UNCLOSED_MESSAGES_QUEUE_URL": outputs["UnclosedMessagesQueueUrl"],
        }


@contextmanager
def running(
    addresses: Addresses, step: Step, parts_in: Callable[[Path], Parts] = Parts
) -> Iterator[Stack]:
    """A stack that runs inside the block. Raises CannotRun with one sentence."""
    check_ports(addresses)
    prepare_folder(addresses.state_folder)
    parts = parts_in(addresses.state_folder)
    # SIGINT too: a shell makes background processes ignore it.
    for number in STOP_SIGNALS:
        signal.signal(number, stop_as_with_ctrl_c)
    try:
        yield start(addresses, parts, step)
    except (OSError, BotoCoreError, httpx.HTTPError):
        parts.check()
        raise
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        (addresses.state_folder / "stack.json").unlink(missing_ok=True)
        parts.stop()
        shutil.rmtree(addresses.state_folder / "tmp", ignore_errors=True)


def stop_as_with_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def synthesized() -> None:
    try:
        synthesize()
    except SynthesisFailed as failure:
        raise CannotRun(str(failure)) from failure


def start(addresses: Addresses, parts: Parts, step: Step) -> Stack:
    """Starts MiniStack and the engine, deploys, starts the simulator and the console."""
    if not is_current():
        with step("Synthesizing the template"):
            synthesized()
    with step("Starting the local AWS and the Step Functions engine"):
        start_aws(addresses, parts)
    with step("Deploying the template"):
        deployment = deploy(addresses)
    with step("Starting the simulator"):
        start_simulator(addresses, parts, deployment.outputs["ReceiptsTopicArn"])
    stack = Stack(addresses, deployment, parts)
    with step("Starting the console"):
        start_console(stack)
    write_environment(stack)
    return stack


def start_aws(addresses: Addresses, parts: Parts) -> None:
    environment = clean_environment() | addresses.environment()
    # MiniStack passes its environment on to the functions, which find the other parts with it.
    cloud = parts.start(
        "local AWS",
        "local.cloud",
        env=environment
        | {
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(addresses.base_port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "TMPDIR": str(addresses.state_folder / "tmp"),
            "LOG_LEVEL": "WARNING",
            "AUTH": "true",  # the functions have the permissions of the template only
            # Of the processes that a burst leaves, all but the first of each function.
            "LAMBDA_WARM_TTL_SECONDS": "30",
            "LAMBDA_ACCOUNT_CONCURRENCY": "0",  # `local.cloud` delays invocations
            "IOT_MTLS_ENABLED": "false",  # it would listen on every address
        },
    )
    engine = parts.start(
        "Step Functions engine",
        "local.engine",
        *("--port", str(addresses.base_port + 1)),
        env=environment | {"MOTO_ACCOUNT_ID": ACCOUNT},
    )
    wait_until_ready(cloud, f"{addresses.cloud}/_ministack/health")
    wait_until_ready(engine, addresses.engine)


def start_simulator(addresses: Addresses, parts: Parts, topic_arn: str) -> None:
    simulator = parts.start(
        "simulator",
        "simulator",
        *("--port", str(addresses.base_port + 2), "--topic-arn", topic_arn),
        env=clean_environment() | addresses.environment(),
    )
    wait_until_ready(simulator, f"{addresses.simulator}/health")


def start_console(stack: Stack) -> None:
    console = stack.parts.start(
        "console",
        "console",
        *("--port", str(stack.addresses.base_port + 3)),
        # It reads messages with the code of the functions.
        env=clean_environment() | stack.environment() | {"PYTHONPATH": str(ROOT / "functions")},
    )
    wait_until_ready(console, f"{stack.addresses.console}/health")


def start_sign_in_page(stack: Stack) -> Part:
    """Starts the example of a product that signs its users in with codes."""
    return stack.parts.start(
        "sign-in page",
        "examples.sign_in",
        *("--port", str(stack.addresses.base_port + 4)),
        env=clean_environment() | stack.environment(),
    )


def write_environment(stack: Stack) -> None:
    """Writes stack.json: the environment for clients of the running stack."""
    target = stack.addresses.state_folder / "stack.json"
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(stack.environment(), indent=2))
    unfinished.rename(target)


def export_lines(addresses: Addresses) -> str | None:
    """Shell commands that point the AWS CLI and boto3 to the stack; None if no stack is running."""
    known = addresses.state_folder / "stack.json"
    if not known.exists() or not responds(f"{addresses.cloud}/_ministack/health"):
        return None
    environment = json.loads(known.read_text())
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    direct = [f'export {name}="${{{name}:+${name},}}{HOST}"' for name in ("no_proxy", "NO_PROXY")]
    return "\n".join([f"unset {' '.join(CONFLICTING)}", *exports, *direct])
