"""The Makefile's test commands find their tests in a shell in which nothing is set for them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = re.findall(
    r"^\t(?:(?P<name>\w+)=(?P<value>\S+) )?\$\(VENV\)/python -m pytest (?P<arguments>.+)$",
    Path("Makefile").read_text(),
    re.MULTILINE,
)
# What this run of pytest itself has set.
SET_HERE = re.compile("SEED|CHAOS|PYTEST_.*")


@pytest.mark.parametrize(("name", "value", "arguments"), COMMANDS)
def test_a_test_command_finds_its_tests(name: str, value: str, arguments: str) -> None:
    bare = {key: was for key, was in os.environ.items() if not SET_HERE.fullmatch(key)}
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *shlex.split(arguments),
            "-n",
            "0",
            "--collect-only",
            "-q",
        ],
        env=bare | ({name: value} if name else {}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    assert " tests collected in " in found.stdout


def test_every_test_command_is_tried() -> None:
    assert len(COMMANDS) == Path("Makefile").read_text().count("-m pytest")
