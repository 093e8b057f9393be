"""Finds the channels: those of `channels.toml`, each in its own folder of this package.

`simulator/<channel>/` holds `api.py` (with `provider(account)`, the provider of the channel),
`events.py` (its receipts), `phone.py` (its messages on a phone) and `scenarios.toml` (what its
recipients do). A further operation that sends messages has a `<name>_api.py` of its own, one on
messages that were sent a `<name>_operation.py`.
"""

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from simulator.provider import AwsAccount, Provider
from simulator.provider_call import MessageOperation

_FOLDER = Path(__file__).parent
_CHANNELS_FILE = _FOLDER.parent / "functions" / "messaging" / "channels" / "channels.toml"


def channel_names() -> tuple[str, ...]:
    """The channels of the product, in the order of the file."""
    return tuple(tomllib.loads(_CHANNELS_FILE.read_text(encoding="utf-8")))


def create_providers(account: AwsAccount) -> dict[str, Provider]:
    """The provider of each channel."""
    return {
        name: import_module(f"simulator.{name}.api").provider(account) for name in channel_names()
    }


def create_further_providers(account: AwsAccount) -> list[Provider]:
    """The providers of further operations that send a message on one of the channels."""
    return [module.provider(account) for module in _modules("*_api.py")]


def create_message_operations() -> list[MessageOperation]:
    """The operations on messages that were sent on one of the channels."""
    return [module.operation() for module in _modules("*_operation.py")]


def _modules(pattern: str) -> Iterator[Any]:
    for name in channel_names():
        for path in (_FOLDER / name).glob(pattern):
            yield import_module(f"simulator.{name}.{path.stem}")


def scenarios_file(channel: str) -> Path:
    """The channel's standard scenarios."""
    return _FOLDER / channel / "scenarios.toml"
