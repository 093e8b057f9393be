"""The requests that the console accepts: those to this machine, and writes from its own pages."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from console.security import LocalRequestsOnly

HOST = "127.0.0.1:4569"


def status(method: str, **headers: str) -> int:
    async def respond() -> int:
        transport = httpx.ASGITransport(LocalRequestsOnly(PlainTextResponse("accepted")))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            return (await client.request(method, "/", headers=headers)).status_code

    return asyncio.run(respond())


@pytest.mark.parametrize("host", ["[::1", "[", "", "example.com", "localhost@example.com"])
def test_a_request_to_another_or_an_invalid_host_is_refused(host: str) -> None:
    assert status("GET", Host=host) == 403


@pytest.mark.parametrize("origin", ["http://[::1", "null", "", "https://example.com"])
def test_a_write_from_another_or_an_invalid_origin_is_refused(origin: str) -> None:
    assert status("POST", Origin=origin) == 403


def test_own_pages_are_accepted() -> None:
    assert status("GET", Host="localhost:4569") == 200
    assert status("POST", Origin=f"http://{HOST}") == 200
