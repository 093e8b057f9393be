"""The channels and the facts about each, from `channels.toml`.

The functions in the path of a send do not read it: parsing it adds 6 ms to a cold start.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("channels.toml")


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """The properties of one channel in `channels.toml`, which describes each field."""

    name: str
    label: str
    address: Literal["phone", "email"]
    success: tuple[str, ...]
    wait_seconds: int
    needs: str
    max_text: int | None = None


@cache
def channels() -> dict[str, ChannelFacts]:
    """By name, in the file's order."""
    found = tomllib.loads(FILE.read_text())
    return {
        name: ChannelFacts(name=name, **{**facts, "success": tuple(facts["success"])})
        for name, facts in found.items()
    }
