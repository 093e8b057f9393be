"""The channels, as channels.toml lists them, each with its file in this folder."""

import tomllib
from importlib import import_module
from pathlib import Path

from infra.channel_config import ChannelConfig

ROOT = Path(__file__).parents[2]
FACTS = tomllib.loads((ROOT / "functions/messaging/channels/channels.toml").read_text())

LABELS: list[str] = [facts["label"] for facts in FACTS.values()]


def _config_of(name: str) -> type[ChannelConfig]:
    """The class of the channel's file: `SmsConfig` of `infra/channels/sms.py` for `sms`."""
    module = import_module(f"{__name__}.{name}")
    config: type[ChannelConfig] = getattr(module, f"{name.capitalize()}Config")
    return config


CHANNELS = {name: _config_of(name) for name in FACTS}
