"""Each path of the workflow in Step Functions Local; skips where no Docker engine answers."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from tests.sfn_local.cases import CASES
from tests.sfn_local.run import run
from tests.support.aws import ACCOUNT, REGION
from tests.workflow.conftest import definition

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

COMPOSE = ("docker", "compose", "--file", str(Path(__file__).with_name("compose.yaml")))
NEEDED = (
    (("docker", "--version"), "Docker is not installed: install it"),
    (("docker", "info"), "no Docker engine answers: start Docker"),
    (("docker", "compose", "version"), "Docker has no `compose`: install its compose plugin"),
)
READY_SECONDS = 60


def missing() -> str | None:
    """What this machine lacks, and what to do about it."""
    for command, sentence in NEEDED:
        if not answers(command):
            return f"{sentence}, then run `make test-sfn-local` again"
    return None


def answers(command: tuple[str, ...]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def sfn_local() -> Iterator["SFNClient"]:
    if sentence := missing():
        pytest.skip(sentence)
    try:
        subprocess.run([*COMPOSE, "up", "--detach"], check=True)
        port = subprocess.run(
            [*COMPOSE, "port", "sfn-local", "8083"], check=True, capture_output=True, text=True
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("AWS_PROFILE", raising=False)
            yield ready(f"http://{port.stdout.strip()}")
    finally:
        subprocess.run([*COMPOSE, "down"], check=True)


def ready(url: str) -> "SFNClient":
    """A client, once somebody answers it; the engine takes some seconds to start."""
    client = boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
    )
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            client.list_state_machines()
        except BotoCoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return client


@pytest.fixture(scope="module")
def state_machine(sfn_local: "SFNClient") -> str:
    made = sfn_local.create_state_machine(
        name="DeliverMessage",
        definition=definition(),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/DeliverMessage",
    )
    return made["stateMachineArn"]


@pytest.mark.parametrize("name", CASES)
def test_step_functions_local_takes_the_path(
    sfn_local: "SFNClient", state_machine: str, name: str
) -> None:
    went = run(sfn_local, f"{state_machine}#{name}", CASES[name])

    assert (went.status, went.entered) == (CASES[name].status, CASES[name].entered)
