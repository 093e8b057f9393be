"""The list prices for cost estimates, from one dated file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True)
class Prices:
    """Dollars per unit; `read`: when the price lists were read."""

    read: str
    aws: Mapping[str, float]
    channels: Mapping[str, float]


@cache
def load() -> Prices:
    found = listed()
    return Prices(found["read"], _each(found["aws"]), _each(found["channels"]))


def listed() -> dict[str, Any]:
    """The content of the file, with the source and certainty of each price."""
    return tomllib.loads(FILE.read_text())


def _each(entries: Mapping[str, Any]) -> dict[str, float]:
    return {name: price["dollars"] / price["per"] for name, price in entries.items()}
