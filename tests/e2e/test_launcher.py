"""The launcher: what it says when it cannot start, and that it leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import (
    ROOT,
    SECONDS_TO_HAPPEN,
    Launcher,
    Throughline,
    eventually,
    free_port,
    processes_of,
    readable,
)

NOTHING_ON_THE_PATH = {"PATH": "/nonexistent"}

# Runs the launcher with a deployment that is refused, when its processes are already up.
REFUSED_DEPLOYMENT = """
import sys
from local import stack
from local.__main__ import main
from local.errors import CannotRun
def refuse(addresses):
    raise CannotRun("The local AWS cannot create Something (AWS::Some::Thing): not today")
stack.deploy = refuse
sys.argv = ["local", "run"]
sys.exit(main())
"""
OLD_PYTHON = """#!/bin/sh
exec {python} -c '
import runpy, sys
sys.version_info = (3, 9, 2, "final", 0)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")' "$@"
"""


def make(*words: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    command = shutil.which("make")
    assert command
    return subprocess.run(
        [command, "-s", f"PYTHON={sys.executable}", *words],
        cwd=ROOT,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_HAPPEN,
        check=False,
    )


def test_make_alone_lists_the_commands() -> None:
    listed = make().stdout
    assert all(f"make {name} " in listed for name in ("run", "demo", "env", "check", "test"))


def test_a_port_in_use_is_one_sentence_and_leaves_nothing() -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 1))
        other.listen()
        done = make("run", env={"THROUGHLINE_PORT": str(port)})
    assert done.returncode != 0
    assert f"Port {port + 1} is in use" in done.stderr
    assert "THROUGHLINE_PORT" in done.stderr
    assert processes_of(port) == []


def test_the_users_own_aws_and_proxy_are_left_alone() -> None:
    elsewhere = {
        "AWS_PROFILE": "work",
        "http_proxy": "http://127.0.0.1:9",
        "AWS_REGION": "eu-west-1",
    }
    done = make("demo", env=elsewhere | {"THROUGHLINE_PORT": str(free_port())})
    assert done.returncode == 0, done.stderr
    assert "131026" in done.stdout


def test_a_port_that_is_no_number_is_one_sentence() -> None:
    done = make("run", env={"THROUGHLINE_PORT": "many"})
    assert done.returncode != 0
    assert "THROUGHLINE_PORT is 'many'" in done.stderr


def test_a_missing_node_is_one_sentence() -> None:
    done = make("run", env=NOTHING_ON_THE_PATH)
    assert done.returncode != 0
    assert "Node 20 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_is_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text(OLD_PYTHON.format(python=sys.executable))
    old.chmod(0o755)
    done = make("run", f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11 or newer and this one is 3.9.2" in done.stderr


def test_a_package_that_is_not_available_is_named_and_the_next_try_goes_on(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "requirements").mkdir()
    preflight = shutil.copy(ROOT / "tools" / "preflight.py", tmp_path / "tools")
    lock = tmp_path / "requirements" / "dev.txt"
    lock.write_text(f"nothing-of-this-name==1.0 --hash=sha256:{'0' * 64}\n")

    def install() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, preflight],
            env=os.environ | {"PIP_NO_INDEX": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_HAPPEN,
            check=False,
        )

    first = install()
    assert first.returncode == 1
    assert "nothing-of-this-name==1.0 is not available" in first.stderr

    lock.write_text("")
    assert install().returncode == 0
    assert install().stderr == ""


def test_env_without_a_stack_says_so() -> None:
    done = make("env", env={"THROUGHLINE_PORT": str(free_port())})
    assert done.returncode != 0
    assert done.stdout == ""
    assert "start it with `make run`" in done.stderr


def test_env_points_boto3_to_the_stack(throughline: Throughline) -> None:
    port = throughline.environment["AWS_ENDPOINT_URL"].rpartition(":")[2]
    listing = (
        "import boto3, os; machine = os.environ['STATE_MACHINE_ARN'];"
        "engine = boto3.client('stepfunctions');"
        "print(engine.describe_state_machine(stateMachineArn=machine)['name']);"
        "print(boto3.client('sqs').list_queues()['QueueUrls'])"
    )
    shell = subprocess.run(
        ["/bin/sh", "-c", f'eval "$(make -s env)" && {sys.executable} -c "{listing}"'],
        cwd=ROOT,
        env=os.environ | {"THROUGHLINE_PORT": port, "AWS_PROFILE": "somebody"},
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_HAPPEN,
        check=False,
    )
    assert shell.returncode == 0, shell.stderr
    assert "DeliverMessage" in shell.stdout
    assert throughline.environment["REQUESTS_QUEUE_URL"] in shell.stdout


@pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not installed here")
@pytest.mark.parametrize(
    "words",
    [
        'stepfunctions list-executions --state-machine-arn "$STATE_MACHINE_ARN"',
        'dynamodb scan --table-name "$MESSAGES_TABLE"',
        'sqs get-queue-attributes --attribute-names All --queue-url "$REQUESTS_QUEUE_URL"',
        'sns get-topic-attributes --topic-arn "$RECEIPTS_TOPIC_ARN"',
    ],
)
def test_env_points_the_aws_cli_to_the_stack(throughline: Throughline, words: str) -> None:
    port = throughline.environment["AWS_ENDPOINT_URL"].rpartition(":")[2]
    shell = f'eval "$(THROUGHLINE_PORT={port} make -s env)" && aws {words}'
    asked = subprocess.run(
        ["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert asked.returncode == 0, asked.stderr


def test_a_failed_start_leaves_nothing_behind() -> None:
    port = free_port()
    done = subprocess.run(
        [sys.executable, "-c", REFUSED_DEPLOYMENT],
        cwd=ROOT,
        env=os.environ | {"THROUGHLINE_PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_HAPPEN,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot create Something (AWS::Some::Thing): not today" in done.stderr
    assert processes_of(port) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_it_ends(number: int) -> None:
    launcher = Launcher.start("run", free_port())
    launcher.environment()
    launcher.interrupt(number)
    eventually(lambda: not processes_of(launcher.port))


def test_a_part_that_ends_by_itself_ends_the_run() -> None:
    launcher = Launcher.start("run", free_port())
    environment = launcher.environment()
    kill_whoever_listens(environment["AWS_ENDPOINT_URL_SFN"])
    code, output = launcher.end()
    assert code == 1
    assert "The Step Functions engine ended unexpectedly" in output
    assert "Traceback" not in output
    assert processes_of(launcher.port) == []


def kill_whoever_listens(address: str) -> None:
    port = address.rpartition(":")[2].encode()
    (engine,) = (
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if {b"local.engine", port} <= set(readable(folder / "cmdline").split(b"\0"))
    )
    os.kill(engine, signal.SIGKILL)
