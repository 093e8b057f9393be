"""Asks the simulated carriers over HTTP what they have delivered, and acts for their recipients."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from console.phones.threads import Recipient, Thread

SECONDS_TO_ANSWER = 10
SECONDS_TO_WAIT = 30
# As much as a person looks at; a mail may be 100 kB.
NEWEST_RECIPIENTS = 100
NEWEST_MESSAGES = 30
Json = Mapping[str, Any]


class Unreachable(OSError):
    """Nobody answers at the carriers' address, or not in their words."""


class Declined(Exception):
    """The carriers do not do that; the message is their sentence."""


@dataclass(frozen=True)
class Outcome:
    """What an act brought about: receipts in the provider's words, and those that no longer come.
    `failure` says why something did not get out.
    """

    receipts: Sequence[str]
    cancelled: Sequence[str]
    replied: bool
    failure: str | None


@dataclass(frozen=True)
class Carriers:
    """Every method raises Unreachable."""

    url: str

    def scenarios(self) -> Json:
        """What recipients can do, by channel. They read it once, at their start."""
        return self._get("/scenarios")

    def change(self) -> int:
        """The number of the newest change."""
        change: int = self._get("/changes")["change"]
        return change

    async def news(self, seen: int) -> None:
        """Ends once the newest change is not `seen` any more, or after half a minute."""
        parts = urlsplit(self.url)
        # By hand, because it waits long: a thread that waits could not be stopped. HTTP/1.0, so
        # that the answer is not in chunks.
        query = f"/changes?after={seen}&wait={SECONDS_TO_WAIT}"
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        except OSError as error:
            raise Unreachable(str(error)) from error
        try:
            writer.write(f"GET {query} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
            await reader.read()
        finally:
            writer.close()

    def recipients(self) -> list[Recipient]:
        """One for each recipient and channel, newest first."""
        status, answer = self._ask("GET", f"/recipients?limit={NEWEST_RECIPIENTS}")
        if status != 200:  # noqa: PLR2004 - OK
            raise Unreachable(f"The carriers answer {status} when asked for their recipients.")
        return [Recipient.read(one) for one in answer]

    def thread(self, to: str, channel: str) -> Thread:
        """Raises Declined if nothing went there."""
        return Thread.read(self._get("/threads", to=to, channel=channel, limit=NEWEST_MESSAGES))

    def act(self, provider_id: str, act: str, body: Json) -> Outcome:
        """Has the recipient of that message do something now; raises Declined."""
        path = f"/phones/{quote(provider_id, safe='')}/{quote(act, safe='')}"
        status, answer = self._ask("POST", path, json.dumps(body))
        if "receipts" not in answer:
            raise Declined(_detail(status, answer))
        return Outcome(
            [one["receipt"] for one in answer["receipts"]],
            answer["cancelled"],
            answer["reply"] is not None,
            answer.get("detail"),
        )

    def _get(self, path: str, **query: str | float) -> Json:
        status, answer = self._ask("GET", f"{path}?{urlencode(query)}")
        if status != 200:  # noqa: PLR2004 - OK
            raise Declined(_detail(status, answer))
        asked: Json = answer
        return asked

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        # Not through a proxy, whatever the environment says: the carriers are on this machine.
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS_TO_ANSWER)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.load(response)
        except (OSError, HTTPException, ValueError) as error:
            raise Unreachable(f"The carriers at {self.url} do not answer: {error}") from error
        finally:
            connection.close()


def _detail(status: int, answer: Json) -> str:
    return str(answer.get("detail") or f"The carriers answer {status}.")
