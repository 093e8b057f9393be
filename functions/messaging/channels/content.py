"""The valid content of each channel: `CONTENT` in the channel's file `<channel>/content.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from messaging.channels.catalog import channels
from messaging.channels.fields import RequestModel
from messaging.domain.content import Content


@dataclass(frozen=True, slots=True)
class ChannelContent:
    """What a request may contain for one channel.

    `model`: its content; `sender`: the type of its sender's address; `is_complete`: whether a
    content has what the channel needs, which `needs` in channels.toml describes; `sender_problem`:
    why a sender cannot send a complete content, None if it can; `length_problem`: what is invalid
    about a text that is too long, for a channel that does not count characters; `keeps_template`: a
    step's text for all channels must not replace the message's template; `payment_problem`: why the
    code of a payment cannot be sent from a sender, None if it can.
    """

    model: type[RequestModel]
    sender: object
    is_complete: Callable[[Content], bool]
    sender_problem: Callable[[Content, str], str | None] = lambda _content, _sender: None
    length_problem: Callable[[str], str | None] | None = None
    keeps_template: bool = False
    payment_problem: Callable[[str], str | None] = lambda _sender: None


@cache
def channel_contents() -> dict[str, ChannelContent]:
    """By channel, in the order of channels.toml."""
    return {
        name: import_module(f"messaging.channels.{name}.content").CONTENT for name in channels()
    }
