"""The Step Functions engine makes one client of a service for all executions."""

import contextlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from local import engine

AT_ONCE = 50
# As long as a second maker would need to come, if one could.
SECONDS_FOR_ANOTHER = 0.3


class Session:
    """Makes a client only when somebody else makes one as well, or nobody comes."""

    def __init__(self) -> None:
        self.made: list[object] = []
        self._two = threading.Barrier(2)

    def create_client(self, *_: object, **__: object) -> object:
        with contextlib.suppress(threading.BrokenBarrierError):
            self._two.wait(SECONDS_FOR_ANOTHER)
        self.made.append(object())
        return self.made[-1]


def test_executions_that_begin_together_share_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    session, service = Session(), f"service-{uuid.uuid4().hex}"
    monkeypatch.setattr(engine, "get_session", lambda: session)
    together = threading.Barrier(AT_ONCE)

    def begin(_: int) -> object:
        together.wait(30)
        return engine.client_for("us-east-1", service)

    with ThreadPoolExecutor(AT_ONCE) as executions:
        clients = set(executions.map(begin, range(AT_ONCE)))

    assert clients == set(session.made)
    assert len(session.made) == 1
