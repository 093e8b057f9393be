"""Who may ask the carriers: people and programs on this machine, no page of another origin."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.support.simulator import DEADLINE_SECONDS, Stand, eventually, serving

PERSON = "+14255550199"


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with serving() as stand:
        yield stand


def read(stand: Stand, **headers: str) -> tuple[int, str]:
    """The status and the receipts of a message that a request with these headers reads."""
    provider_id = stand.send_whatsapp(PERSON)
    status, _ = stand.ask("POST", f"/phones/{provider_id}/read", {}, **headers)
    (call,) = stand.get(f"/sent?message_id={provider_id}")
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
def test_a_foreign_page_can_do_nothing(stand: Stand, header: str, value: str, status: int) -> None:
    assert read(stand, **{header: value}) == (status, "unread")


def test_a_foreign_page_under_a_name_of_its_own_for_this_machine_can_do_nothing(
    stand: Stand,
) -> None:
    host = f"example.com:{stand.port}"

    assert read(stand, Host=host, Origin=f"http://{host}") == (403, "unread")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_carriers_own_pages_and_programs_may(stand: Stand, name: str) -> None:
    host = f"{name}:{stand.port}"

    assert read(stand, Host=host, Origin=f"http://{host}") == (200, "read")
    assert read(stand, **{"Content-Type": "application/json; charset=utf-8"}) == (200, "read")


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
def test_everything_for_people_is_guarded(stand: Stand, method: str, path: str) -> None:
    assert stand.ask(method, path, {}, Host="example.com")[0] == 403
    assert stand.ask(method, path, {}, Origin="https://example.com")[0] == 403


# --- seeing that something changed


def newest(stand: Stand, query: str = "") -> int:
    change: int = stand.get(f"/changes{query}")["change"]
    return change


def test_the_newest_change_is_told_at_once_to_whom_it_is_new(stand: Stand) -> None:
    before = newest(stand)
    assert newest(stand, f"?after={before}") == before
    provider_id = stand.send_sms(PERSON)

    seen = newest(stand, f"?after={before}&wait=30")
    assert seen > before
    stand.topic.of(provider_id, 2)
    eventually(lambda: stand.get("/health")["under_way"] == 0)
    quiet = newest(stand)
    assert stand.get("/health")["change"] == quiet
    assert stand.get(f"/threads?channel=sms&to={PERSON}")["change"] == quiet


@pytest.mark.parametrize("act", ["send", "refused", "receipt", "read", "reply", "silence", "clear"])
def test_whoever_waits_is_told_of_every_change(act: str) -> None:
    with serving() as stand, ThreadPoolExecutor(1) as waiting:
        provider_id = stand.send_whatsapp(PERSON)
        stand.topic.of(provider_id, 2)
        eventually(lambda: stand.get("/health")["under_way"] == 0)
        before = newest(stand)
        told = waiting.submit(newest, stand, f"?after={before}&wait=8")
        deeds: dict[str, Callable[[], object]] = {
            "send": lambda: stand.send_sms(PERSON),
            "refused": lambda: stand.ask("POST", "/v1/whatsapp/send", {}, Authorization="AWS4-x"),
            "receipt": lambda: stand.ask(
                "POST", "/receipts", {"provider_id": provider_id, "receipt": "read"}
            ),
            "clear": lambda: stand.ask("DELETE", "/sent"),
            "reply": lambda: stand.act(provider_id, "reply", text="Hi"),
        }
        deeds.get(act, lambda: stand.act(provider_id, act))()

        assert told.result() > before


def test_the_wait_for_a_change_ends(stand: Stand) -> None:
    eventually(lambda: stand.get("/health")["under_way"] == 0)
    before = newest(stand)

    assert newest(stand, f"?after={before}&wait=0.05") == before


def test_whoever_waits_for_a_change_is_let_go_when_the_carriers_end() -> None:
    with serving() as stand:
        waiting = HTTPConnection("127.0.0.1", stand.port, timeout=DEADLINE_SECONDS)
        waiting.request("GET", f"/changes?after={newest(stand)}&wait=30")
        newest(stand)  # whose answer comes when the request before it was read

    # Else it would be broken off a second later, without an answer.
    with closing(waiting):
        assert waiting.getresponse().status == 200


def test_a_number_of_an_earlier_run_is_no_newest_one(stand: Stand) -> None:
    before = newest(stand)
    with serving() as later:
        assert newest(later, f"?after={before}&wait=30") > before


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "wait=31", "wait=-1", "wait=nan", "wait=x"]
)
def test_a_wait_that_is_none_is_refused(stand: Stand, query: str) -> None:
    status, answer = stand.ask("GET", f"/changes?{query}")

    assert status == 400
    assert answer["detail"]
