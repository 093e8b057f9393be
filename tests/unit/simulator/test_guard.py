"""Who can use the simulator: people and programs on this machine, no page of another origin."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.support.simulator import DEADLINE_SECONDS, RunningSimulator, eventually, serving

PERSON = "+14255550199"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with serving() as running:
        yield running


def read(running: RunningSimulator, **headers: str) -> tuple[int, str]:
    """The status and the receipts of a message that a request with these headers reads."""
    provider_id = running.send_whatsapp(PERSON)
    status, _ = running.ask("POST", f"/phones/{provider_id}/read", {}, **headers)
    (call,) = running.get(f"/sent?message_id={provider_id}")
    receipts = [receipt["receipt"] for receipt in call["receipts"]]
    return status, "read" if "read" in receipts else "unread"


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Origin", "https://example.com", 403),
        ("Origin", "http://127.0.0.1:1", 403),
        ("Origin", "null", 403),
        ("Host", "example.com", 403),
        ("Host", "127.0.0.1.example.com", 403),
        ("Host", "localhost@example.com", 403),
        ("Host", "[", 403),
        ("Host", "", 403),
        ("Content-Type", "text/plain", 415),
        ("Content-Type", "application/x-www-form-urlencoded", 415),
        ("Content-Type", "text/plain; application/json", 415),
        ("Content-Type", "", 415),
    ],
)
def test_a_foreign_page_can_do_nothing(
    running: RunningSimulator, header: str, value: str, status: int
) -> None:
    assert read(running, **{header: value}) == (status, "unread")


def test_a_foreign_page_under_a_name_of_its_own_for_this_machine_can_do_nothing(
    running: RunningSimulator,
) -> None:
    host = f"example.com:{running.port}"

    assert read(running, Host=host, Origin=f"http://{host}") == (403, "unread")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_own_pages_and_programs_have_access(running: RunningSimulator, name: str) -> None:
    host = f"{name}:{running.port}"

    assert read(running, Host=host, Origin=f"http://{host}") == (200, "read")
    assert read(running, **{"Content-Type": "application/json; charset=utf-8"}) == (200, "read")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sent"),
        ("GET", "/recipients"),
        ("GET", "/threads"),
        ("GET", "/changes"),
        ("GET", "/health"),
        ("GET", "/scenarios"),
        ("DELETE", "/sent"),
        ("POST", "/receipts"),
        ("POST", "/phones/nobody/read"),
    ],
)
def test_everything_for_people_is_guarded(
    running: RunningSimulator, method: str, path: str
) -> None:
    assert running.ask(method, path, {}, Host="example.com")[0] == 403
    assert running.ask(method, path, {}, Origin="https://example.com")[0] == 403


# --- waiting for a change


def newest(running: RunningSimulator, query: str = "") -> int:
    change: int = running.get(f"/changes{query}")["change"]
    return change


def test_a_change_that_is_not_known_yet_is_returned_at_once(running: RunningSimulator) -> None:
    before = newest(running)
    assert newest(running, f"?after={before}") == before
    provider_id = running.send_sms(PERSON)

    seen = newest(running, f"?after={before}&wait=30")
    assert seen > before
    running.topic.of(provider_id, 2)
    eventually(lambda: running.get("/health")["under_way"] == 0)
    quiet = newest(running)
    assert running.get("/health")["change"] == quiet
    assert running.get(f"/threads?channel=sms&to={PERSON}")["change"] == quiet


@pytest.mark.parametrize("act", ["send", "refused", "receipt", "read", "reply", "silence", "clear"])
def test_every_change_ends_the_wait(act: str) -> None:
    with serving() as running, ThreadPoolExecutor(1) as waiting:
        provider_id = running.send_whatsapp(PERSON)
        running.topic.of(provider_id, 2)
        eventually(lambda: running.get("/health")["under_way"] == 0)
        before = newest(running)
        change = waiting.submit(newest, running, f"?after={before}&wait=8")
        deeds: dict[str, Callable[[], object]] = {
            "send": lambda: running.send_sms(PERSON),
            "refused": lambda: running.ask("POST", "/v1/whatsapp/send", {}, Authorization="AWS4-x"),
            "receipt": lambda: running.ask(
                "POST", "/receipts", {"provider_id": provider_id, "receipt": "read"}
            ),
            "clear": lambda: running.ask("DELETE", "/sent"),
            "reply": lambda: running.act(provider_id, "reply", text="Hi"),
        }
        deeds.get(act, lambda: running.act(provider_id, act))()

        assert change.result() > before


def test_the_wait_for_a_change_ends(running: RunningSimulator) -> None:
    eventually(lambda: running.get("/health")["under_way"] == 0)
    before = newest(running)

    assert newest(running, f"?after={before}&wait=0.05") == before


def test_a_wait_for_a_change_gets_a_response_when_the_simulator_stops() -> None:
    with serving() as running:
        # The request is sent now, and its response read after the simulator has stopped.
        waiting = HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE_SECONDS)
        waiting.request("GET", f"/changes?after={newest(running)}&wait=30")
        newest(running)  # its response comes once the request before it was read

    # Otherwise it is cancelled a second later, without a response.
    with closing(waiting):
        assert waiting.getresponse().status == 200


def test_the_number_of_an_earlier_run_is_not_the_newest(running: RunningSimulator) -> None:
    before = newest(running)
    with serving() as later:
        assert newest(later, f"?after={before}&wait=30") > before


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "wait=31", "wait=-1", "wait=nan", "wait=x"]
)
def test_an_invalid_wait_is_rejected(running: RunningSimulator, query: str) -> None:
    status, answer = running.ask("GET", f"/changes?{query}")

    assert status == 400
    assert answer["detail"]
