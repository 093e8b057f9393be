"""Verifications for the tests of the pages, started over the API."""

from typing import Any

import httpx

from local.http_client import http_client
from tests.e2e.conftest import Throughline, eventually


def ask(throughline: Throughline, path: str, **body: Any) -> httpx.Response:
    """The API's response to a POST to a path such as `verifications`."""
    environment = throughline.environment
    return http_client().post(
        f"{environment['THROUGHLINE_API_URL'].removesuffix('messages')}{path}",
        json=body,
        headers={"X-Api-Key": environment["THROUGHLINE_API_KEY"]},
    )


def start(throughline: Throughline, to: dict[str, str], **more: Any) -> str:
    """The id of a new verification whose code was sent."""
    answer = ask(throughline, "verifications", to=to, **more)
    assert answer.status_code == 202, answer.text
    verification_id: str = answer.json()["id"]
    eventually(lambda: throughline.sent(verification_id))
    return verification_id
