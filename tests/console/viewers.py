"""`python -m tests.console.viewers`: how much twenty open viewers slow down what they look at.

It loads the stack that runs on `--port` at a steady pace, in turns without viewers and with them,
since other programs on the machine change the figures more than viewers do.
"""

import argparse
import json
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.conftest import ROOT, Throughline

ROUND_SECONDS, LISTS, PAGES = 30, 10, 10
# Not on WhatsApp, and reached by SMS: one failure receipt, one fallback, one delivery.
NUMBER = "+14255550156"
REQUEST = {
    "to": {"whatsapp": NUMBER, "sms": NUMBER},
    "content": {"text": "Hello."},
    "steps": [{"channel": "whatsapp"}, {"channel": "sms"}],
}


@dataclass
class Seconds:
    """From the POST to the delivery, and from the failure's receipt to the next channel's call."""

    to_deliver: list[float] = field(default_factory=list)
    to_fall_back: list[float] = field(default_factory=list)

    def told(self) -> str:
        return ", ".join(
            f"{name} p50 {statistics.median(one):.3f} s,"
            f" p95 {statistics.quantiles(one, n=20)[-1]:.3f} s"
            for name, one in (("delivered", self.to_deliver), ("next call", self.to_fall_back))
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--a-second", type=float, default=3.0)
    asked = parser.parse_args()
    known = ROOT / ".local" / str(asked.port) / "stack.json"
    throughline = Throughline(json.loads(known.read_text()))
    # The first view of each page starts what draws it: that is not counted.
    one_round(throughline, 1, viewed=True)
    alone, watched = Seconds(), Seconds()
    for turn in range(2 * asked.turns):
        viewed = turn % 2 == 1
        seconds = one_round(throughline, asked.a_second, viewed=viewed)
        total = watched if viewed else alone
        total.to_deliver += seconds.to_deliver
        total.to_fall_back += seconds.to_fall_back
        say(f"{'20 viewers ' if viewed else 'no viewers '} {seconds.told()}")
    say(f"all without {alone.told()}\nall with    {watched.told()}")
    for name in ("to_deliver", "to_fall_back"):
        before, after = (statistics.median(getattr(one, name)) for one in (alone, watched))
        say(f"{name}: {100 * (after / before - 1):+.1f} % at the median")


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def one_round(throughline: Throughline, a_second: float, *, viewed: bool) -> Seconds:
    with ExitStack() as viewers, ThreadPoolExecutor(4) as senders:
        if viewed:
            for _ in range(LISTS):
                viewers.enter_context(viewer(throughline, "/live/messages?"))
        start, turns = time.time() + 1, []
        for number in range(round(a_second * ROUND_SECONDS)):
            turns.append(senders.submit(send, throughline, start + number / a_second))
            if viewed and number < PAGES:
                message_id, _ = turns[-1].result()
                page = viewer(throughline, f"/messages/{message_id}/events")
                viewers.enter_context(page)
        posted = dict(turn.result() for turn in turns)
        time.sleep(5)
    return read(throughline, posted)


def send(throughline: Throughline, at: float) -> tuple[str, float]:
    time.sleep(max(0.0, at - time.time()))
    began = time.time()
    return throughline.send(REQUEST), began


@contextmanager
def viewer(throughline: Throughline, path: str) -> Iterator[None]:
    """An open page: it takes whatever comes."""
    address = urlsplit(throughline.environment["THROUGHLINE_CONSOLE_URL"])
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        taking = threading.Thread(target=take, args=(line,), daemon=True)
        taking.start()
        try:
            yield
        finally:
            line.shutdown(socket.SHUT_RDWR)
            taking.join()


def take(line: socket.socket) -> None:
    while line.recv(1 << 16):
        pass


def read(throughline: Throughline, posted: dict[str, float]) -> Seconds:
    seconds = Seconds()
    for message_id, at in posted.items():
        message = throughline.finished(message_id)
        seconds.to_deliver.append(moment(message["concluded_at"]) - at)
        failed, following = sorted(throughline.calls(message_id), key=lambda call: call["asked_at"])
        (receipt,) = (one for one in failed["receipts"] if one["receipt"].startswith("failed"))
        seconds.to_fall_back.append(moment(following["asked_at"]) - moment(receipt["published_at"]))
    return seconds


def moment(text: Any) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    main()
