"""One faulty stack for all tests here; `CHAOS=long` breaks more of it, `SEED` repeats a run."""

import os
from collections.abc import Iterator

import pytest

from tests.chaos.faulty import FaultyStack, faulty_stack

LONG = os.environ.get("CHAOS") == "long"
SEED = int(os.environ["SEED"])


@pytest.fixture(scope="package")
def stack() -> Iterator[FaultyStack]:
    with faulty_stack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def no_fault_left(stack: FaultyStack) -> Iterator[None]:
    yield
    stack.faults.clear()
