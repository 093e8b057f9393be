"""The channels and the facts about each, from `channels.toml`.

Hot functions do not read it: parsing TOML costs a cold start 6 ms.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("channels.toml")


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What `channels.toml` says of one channel; the file explains each field."""

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
