"""The HTTP client for requests to the local stack: one for the process, which threads share."""

import functools
from typing import Final

import httpx

SECONDS_TO_ANSWER: Final = 30
# Less than the five seconds after which the simulator closes an idle connection: a request on a
# connection that the server is just closing would fail.
KEEPALIVE_SECONDS: Final = 2


@functools.cache
def http_client() -> httpx.Client:
    """Ignores proxy settings, because the stack is on this machine. It is created once, because
    loading the certificates takes 20 ms of processor time.
    """
    return httpx.Client(
        timeout=SECONDS_TO_ANSWER,
        trust_env=False,
        limits=httpx.Limits(keepalive_expiry=KEEPALIVE_SECONDS),
    )
