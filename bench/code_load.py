"""Starts verifications on a running stack, reads each code from the phone, and checks it."""

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.codes import to_many_recipients
from bench.figures import PostedMessage
from bench.load import SECONDS_WITHOUT_PROGRESS, Load, ask_simulator
from bench.scenarios import LoadScenario
from local.processes import until

# A recipient enters the code so long after its start, or as soon as it has arrived.
SECONDS_TO_ENTER = 3
# More than are entering their codes at the highest rate.
RECIPIENTS, CLIENTS = 64, 16


@dataclass(frozen=True)
class CheckResponse:
    """The response to a check: the status or, after that of an error, the state; and its time."""

    status: str
    seconds: float


@dataclass
class CodeLoad(Load):
    """The verifications of one load; `checks`: by message id, the responses to the right code,
    which so many clients check at once.
    """

    clients: int = 2
    checks: dict[str, Sequence[CheckResponse]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{super().url.removesuffix('messages')}verifications"

    def send(self, scenarios: Sequence[LoadScenario], per_second: float | None = None) -> None:
        """Sends each to a recipient of its own; returns when every code has been checked."""
        with ThreadPoolExecutor(RECIPIENTS) as recipients, ThreadPoolExecutor(CLIENTS) as clients:
            self._recipients, self._clients = recipients, clients
            self._entered: list[Future[None]] = []
            super().send(to_many_recipients(scenarios), per_second)
            for one in self._entered:
                one.result()

    def _send_at(self, scenario: LoadScenario, due: float | None) -> PostedMessage:
        posted = super()._send_at(scenario, due)
        self._entered.append(self._recipients.submit(self._enter, posted, time.monotonic()))
        return posted

    def _enter(self, posted: PostedMessage, started: float) -> None:
        time.sleep(max(0.0, started + SECONDS_TO_ENTER - time.monotonic()))
        code = self._code(posted)
        if code is None:
            return
        url = f"{self.url}/{posted.message_id}/check"
        checks = [self._clients.submit(self._check, url, code) for _ in range(self.clients)]
        self.checks[posted.message_id] = [one.result() for one in checks]

    def _code(self, posted: PostedMessage) -> str | None:
        """The code on the phone; None if it never arrives."""
        (*_, (channel, _)) = posted.scenario.attempts
        path = f"/threads?channel={channel}&to={posted.scenario.to[channel]}"
        for _ in until(SECONDS_WITHOUT_PROGRESS, step=0.5):
            for entry in self._thread(path):
                if entry.get("message_id") == posted.message_id:
                    return code_in(entry["content"])
        return None

    def _thread(self, path: str) -> Sequence[Mapping[str, Any]]:
        """The newest entries; none if nothing was ever sent there."""
        try:
            entries: Sequence[Mapping[str, Any]] = ask_simulator(self.stack, path)["entries"]
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            return ()
        return entries

    def _check(self, url: str, code: str) -> CheckResponse:
        try:
            call = self._call_api(url, {"code": code})
        except httpx.HTTPStatusError as error:
            response = error.response
            status = f"{response.status_code} {response.json().get('state')}"
            return CheckResponse(status, response.elapsed.total_seconds())
        return CheckResponse(call.response["status"], call.seconds)


def code_in(content: Mapping[str, Any]) -> str | None:
    """The six digits of a text or of a template's first parameter."""
    template = content.get("template") or {}
    text = content.get("text") or " ".join(template.get("parameters", ()))
    found = re.search(r"(?<!\d)\d{6}(?!\d)", text)
    return found.group() if found else None
