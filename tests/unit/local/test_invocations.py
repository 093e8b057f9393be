"""Executions begin in their order, and not while a hundred invocations are waiting."""

import queue
import time
from contextlib import ExitStack
from typing import Any

from local.invocations import MAX_INVOCATIONS, StartQueue


class Begun:
    """Records the executions that have begun."""

    def __init__(self) -> None:
        self._begun: queue.Queue[Any] = queue.Queue()

    def __call__(self, worker: Any) -> None:
        self._begun.put(worker)

    def next(self) -> Any:
        return self._begun.get(timeout=10)

    def none(self) -> bool:
        time.sleep(0.05)  # several times as long as one takes to begin
        return self._begun.empty()


def test_executions_begin_in_their_order() -> None:
    begun = Begun()
    executions: Any = StartQueue(begun)
    for number in range(20):
        executions.add(number)
    assert [begun.next() for _ in range(20)] == list(range(20))


def test_an_execution_begins_when_an_invocation_has_ended() -> None:
    begun = Begun()
    executions: Any = StartQueue(begun)
    with executions.invocation():
        with ExitStack() as others:
            for _ in range(MAX_INVOCATIONS - 1):
                others.enter_context(executions.invocation())
            executions.add("later")
            assert begun.none()
        assert begun.next() == "later"


def test_an_execution_that_is_stopped_begins_out_of_turn_and_once() -> None:
    begun = Begun()
    executions: Any = StartQueue(begun)
    with ExitStack() as invocations:
        for _ in range(MAX_INVOCATIONS):
            invocations.enter_context(executions.invocation())
        executions.add("first")
        executions.add("stopped")
        executions.begin_now("stopped")
        executions.begin_now("stopped")
        assert begun.next() == "stopped"
        assert begun.none()
    assert begun.next() == "first"
    assert begun.none()
