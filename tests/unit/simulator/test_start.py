"""Starting the simulator: what it needs, and the message if it does not get it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOPIC = "arn:aws:sns:us-east-1:123456789012:Receipts"


def start(
    *arguments: str, endpoint: str = "http://127.0.0.1:9"
) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_")
    } | {"AWS_ENDPOINT_URL": endpoint}
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = start("--port", port, "--topic-arn", TOPIC)

    assert ended.returncode == 1
    assert ended.stderr == (
        f"The simulator cannot start on port {port}: [Errno 98] Address already in use\n"
    )


@pytest.mark.parametrize(
    ("arguments", "endpoint", "sentence"),
    [
        (["--topic-arn", "Receipts"], "http://127.0.0.1:9", "is not the ARN of an SNS topic"),
        (["--topic-arn", TOPIC], "", "AWS_ENDPOINT_URL must name the local AWS"),
        (["--topic-arn", TOPIC, "--speed", "0"], "http://127.0.0.1:9", "speed: Input should be"),
        (["--topic-arn", TOPIC, "--scenarios", "gone.toml"], "http://127.0.0.1:9", "gone.toml"),
    ],
)
def test_a_missing_setting_is_named(arguments: list[str], endpoint: str, sentence: str) -> None:
    ended = start("--port", "0", *arguments, endpoint=endpoint)

    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
