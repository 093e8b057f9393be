"""CONTRIBUTING's list of a channel's files is complete, and so is each channel."""

import re
from pathlib import Path

import pytest

from messaging.channels.catalog import channels

SECTION = Path("CONTRIBUTING.md").read_text().split("## Adding a channel")[1].split("\n## ")[0]
LISTED = re.findall(r"^\| `([^`]+)` \|", SECTION, re.MULTILINE)
OWN = [path for path in LISTED if "<channel>" in path]
SHARED = [path for path in LISTED if "<channel>" not in path]
ROOMS = ("bench", "console", "functions", "infra", "local", "operations", "simulator", "tools")


def of(channel: str) -> list[str]:
    return [path.replace("<channel>", channel) for path in OWN]


def test_there_is_a_list() -> None:
    assert len(OWN) == 9
    assert len(SHARED) == 8


@pytest.mark.parametrize("channel", channels())
@pytest.mark.parametrize("path", OWN)
def test_each_channel_has_each_file(channel: str, path: str) -> None:
    assert Path(path.replace("<channel>", channel)).is_file()


@pytest.mark.parametrize("channel", channels())
@pytest.mark.parametrize("path", SHARED)
def test_each_shared_file_has_lines_of_each_channel(channel: str, path: str) -> None:
    assert re.search(rf"\b{channel}(_|\b)", Path(path).read_text(), re.IGNORECASE)


@pytest.mark.parametrize("channel", channels())
def test_no_channel_has_a_file_that_is_not_listed(channel: str) -> None:
    """But for `__init__.py`, and what only one channel needs in a folder of its own."""
    named = {
        str(path)
        for room in ROOMS
        for path in Path(room).rglob("*.*")
        if path.stem == channel and path.is_file() and "__pycache__" not in path.parts
    }

    assert named <= set(of(channel))


@pytest.mark.parametrize("channel", channels())
def test_each_channel_has_sample_events(channel: str) -> None:
    provider = {"email": "ses"}.get(channel, channel)

    assert list(Path("tests/events").glob(f"{provider}_*.json"))
