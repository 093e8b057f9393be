"""One faulty stack for all tests here; `CHAOS=long` breaks more of it, `SEED` repeats a run."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.chaos.faulty import FaultyStack, faulty_stack

LONG = os.environ.get("CHAOS") == "long"
SEED = int(os.environ.get("SEED") or random.randrange(1_000_000))  # noqa: S311 - not a secret


def pytest_report_header() -> str:
    return f"chaos: SEED={SEED}, {'long' if LONG else 'short (CHAOS=long for all)'}"


@pytest.fixture(scope="session")
def stack() -> Iterator[FaultyStack]:
    with faulty_stack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def no_fault_left(stack: FaultyStack) -> Iterator[None]:
    yield
    stack.faults.clear()
