"""Asks the simulator over HTTP what it delivered, and has its recipients act on messages."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx

from console.phones.threads import PhoneThread, Recipient

SECONDS_TO_ANSWER = 10
SECONDS_TO_WAIT = 30
# The newest of each is enough to look at; one email can have 100 kB.
NEWEST_RECIPIENTS = 100
NEWEST_MESSAGES = 30
Json = Mapping[str, Any]


class SimulatorUnreachable(OSError):
    """No valid response came from the simulator's address."""


class SimulatorRefused(Exception):
    """The simulator refused a request; the message is its own sentence."""


@dataclass(frozen=True)
class ActionResult:
    """What an action caused: the receipts in the provider's terms, and those it cancelled.
    `failure`: why something could not be published.
    """

    receipts: Sequence[str]
    cancelled: Sequence[str]
    replied: bool
    failure: str | None


@dataclass(frozen=True)
class SimulatorClient:
    """Every method raises SimulatorUnreachable."""

    url: str
    transport: httpx.BaseTransport | None = None

    def scenarios(self) -> Json:
        """What recipients can do, by channel. It does not change while the simulator runs."""
        return self._get("/scenarios")

    def change(self) -> int:
        """The number of the newest change."""
        change: int = self._get("/changes")["change"]
        return change

    async def wait_for_change(self, seen: int) -> None:
        """Returns once the newest change is not `seen`, or after half a minute."""
        query = {"after": seen, "wait": SECONDS_TO_WAIT}
        timeout = httpx.Timeout(SECONDS_TO_ANSWER, read=SECONDS_TO_WAIT + SECONDS_TO_ANSWER)
        try:
            # Awaited, because a thread that waits so long could not be stopped.
            async with httpx.AsyncClient(timeout=timeout, **_on_this_machine()) as client:
                await client.get(f"{self.url}/changes", params=query)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def recipients(self) -> list[Recipient]:
        """One for each recipient and channel, newest first."""
        status, answer = self._request("GET", "/recipients", params={"limit": NEWEST_RECIPIENTS})
        if status != httpx.codes.OK:
            raise SimulatorUnreachable(f"The simulator returned {status} for its recipients.")
        return [Recipient.read(one) for one in answer]

    def thread(self, to: str, channel: str) -> PhoneThread:
        """Raises SimulatorRefused if nothing was sent to the recipient on that channel."""
        answer = self._get("/threads", to=to, channel=channel, limit=NEWEST_MESSAGES)
        return PhoneThread.read(answer)

    def act(self, provider_id: str, action: str, body: Json) -> ActionResult:
        """Has the recipient of that message act now; raises SimulatorRefused."""
        path = f"/phones/{quote(provider_id, safe='')}/{quote(action, safe='')}"
        status, answer = self._request("POST", path, json=body)
        if "receipts" not in answer:
            raise SimulatorRefused(_detail(status, answer))
        return ActionResult(
            [one["receipt"] for one in answer["receipts"]],
            answer["cancelled"],
            answer["reply"] is not None,
            answer.get("detail"),
        )

    def _get(self, path: str, **query: str | int) -> Json:
        status, answer = self._request("GET", path, params=query)
        if status != httpx.codes.OK:
            raise SimulatorRefused(_detail(status, answer))
        found: Json = answer
        return found

    def _request(self, method: str, path: str, **sent: Any) -> tuple[int, Any]:  # noqa: ANN401 - what httpx takes
        try:
            response = self._client.request(method, f"{self.url}{path}", **sent)
            return response.status_code, response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._unreachable(error) from error

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(
            timeout=SECONDS_TO_ANSWER, transport=self.transport, **_on_this_machine()
        )

    def _unreachable(self, error: Exception) -> SimulatorUnreachable:
        return SimulatorUnreachable(f"The simulator at {self.url} does not respond: {error}")


def _on_this_machine() -> dict[str, Any]:
    """No proxy, whatever the environment says. No certificates, which take 150 ms to load: the
    simulator speaks plain HTTP. No connection is kept, so that none is reused after it was closed.
    """
    return {
        "trust_env": False,
        "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "limits": httpx.Limits(max_keepalive_connections=0),
    }


def _detail(status: int, answer: Json) -> str:
    return str(answer.get("detail") or f"The simulator returned {status}.")
