"""The console on a deployed stack: the same pages, and nothing that writes."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from local.http_client import http_client
from tests.console.conftest import Tab, new_tab
from tests.e2e.conftest import ROOT, Throughline, eventually, free_port, in_use

LOCAL_ONLY = ("THROUGHLINE_API_URL", "THROUGHLINE_API_KEY")
SECONDS_TO_START = 30


def start(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "console", *arguments],
        cwd=ROOT,
        env=environment | {"PATH": os.environ["PATH"], "PYTHONPATH": "functions"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def deployed(throughline: Throughline) -> Iterator[str]:
    """The address of a console that is told of a stack as AWS tells: by its name alone."""
    environment = {k: v for k, v in throughline.environment.items() if k not in LOCAL_ONLY}
    port = free_port(1)
    process = start(environment, "--port", str(port))
    try:
        eventually(lambda: in_use(port) or process.poll() is not None, SECONDS_TO_START)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def deployed_tab(browser: Browser, deployed: str) -> Iterator[Tab]:
    yield from new_tab(browser, deployed)


def test_it_says_which_stack_it_shows_and_that_it_only_reads(deployed_tab: Tab) -> None:
    page = deployed_tab.open("/messages")
    assert "Throughline, eu-central-2, read only" in page.inner_text("header")
    assert page.get_by_role("link", name="Phones").count() == 0


def test_an_unknown_stack_is_one_sentence(throughline: Throughline) -> None:
    environment = {k: v for k, v in throughline.environment.items() if k not in LOCAL_ONLY}
    process = start(environment | {"STACK": "Nowhere"}, "--port", str(free_port(1)))
    said, _ = process.communicate(timeout=SECONDS_TO_START)
    assert process.returncode == 1
    assert said.startswith("The stack cannot be read: ")
    assert "Nowhere" in said
    assert "Traceback" not in said


def test_a_port_in_use_is_one_sentence(throughline: Throughline) -> None:
    process = start(
        throughline.environment,
        "--port",
        throughline.environment["AWS_ENDPOINT_URL"].rpartition(":")[2],
    )
    said, _ = process.communicate(timeout=SECONDS_TO_START)
    assert process.returncode == 1
    assert "make console PORT=" in said


def test_it_has_no_phones(deployed_tab: Tab) -> None:
    page = deployed_tab.open("/phones")
    assert "A stack on AWS has no simulated phones" in page.inner_text("main")


def test_it_changes_no_message(deployed: str, deployed_tab: Tab, throughline: Throughline) -> None:
    message_id = throughline.send(
        {
            "to": {"sms": "+14255550159"},
            "content": {"text": "Hello."},
            "steps": [{"channel": "sms", "success": "confirmed"}],
        }
    )
    page = deployed_tab.open(f"/messages/{message_id}")
    assert page.locator("form").count() == 0

    refused = http_client().post(f"{deployed}/messages/{message_id}/cancel")
    assert refused.status_code == 403
    assert throughline.get(message_id).body["status"] in {"accepted", "in_progress"}
