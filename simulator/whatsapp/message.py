"""Validates a WhatsApp message by Meta's rules for the body of its messages endpoint."""

import re
from collections.abc import Callable

from simulator.aws_model import Json

# https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
_NUMBER = re.compile(r"\+?[1-9][0-9]{6,14}")
_LINK = re.compile(r"https?://\S+")
_TEMPLATE_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_COMPONENTS = ("header", "body", "button", "carousel", "limited_time_offer", "order_status")
_BUTTONS = ("url", "quick_reply", "copy_code", "flow", "catalog", "mpm", "order_details")
MAX_TEXT = 4096
MAX_CAPTION = 1024
# Meta says 512, other sources say 256 bytes; the simulator accepts what is safe in both cases.
MAX_CALLBACK_DATA = 256


class InvalidWhatsAppMessage(ValueError):
    """A message that WhatsApp does not accept; the error names the invalid member."""


def validated(message: object) -> Json:
    """The message; raises InvalidWhatsAppMessage at the first member that Meta would reject."""
    if not isinstance(message, dict):
        raise InvalidWhatsAppMessage("must be a JSON object")
    _need(message.get("messaging_product") == "whatsapp", "messaging_product must be 'whatsapp'")
    _need(
        message.get("recipient_type", "individual") == "individual",
        "recipient_type must be 'individual'",
    )
    to = _text(message, "to", 20)
    _need(bool(_NUMBER.fullmatch(to)), "to must be a phone number")
    if "biz_opaque_callback_data" in message:
        _text(message, "biz_opaque_callback_data", MAX_CALLBACK_DATA)
    kind = message.get("type", "text")
    _need(isinstance(kind, str) and kind in _KINDS, f"type must be one of {', '.join(_KINDS)}")
    _KINDS[kind](_object(message, kind))
    return message


def _check_text(text: Json) -> None:
    _text(text, "body", MAX_TEXT)
    _need(isinstance(text.get("preview_url", False), bool), "preview_url must be true or false")


def _check_media(media: Json) -> None:
    _need(("id" in media) != ("link" in media), "either id or link is required")
    if "link" in media:
        _need(bool(_LINK.fullmatch(_text(media, "link", 2048))), "link must be an http(s) address")
    else:
        _text(media, "id", 100)
    for name in ("caption", "filename"):
        if name in media:
            _text(media, name, MAX_CAPTION)


def _check_template(template: Json) -> None:
    name = _text(template, "name", 512)
    _need(bool(_TEMPLATE_NAME.fullmatch(name)), "template name must consist of a-z, 0-9 and _")
    code = _text(_object(template, "language"), "code", 12)
    _need(bool(_LANGUAGE.fullmatch(code)), "language code must have the form en or en_US")
    for component in _objects(template, "components"):
        _check_component(component)


def _check_component(component: Json) -> None:
    kind = str(component.get("type", "")).lower()
    _need(kind in _COMPONENTS, f"component type must be one of {', '.join(_COMPONENTS)}")
    if kind == "button":
        style = str(component.get("sub_type", "")).lower()
        _need(style in _BUTTONS, f"button sub_type must be one of {', '.join(_BUTTONS)}")
        _need(str(component.get("index", "")).isdigit(), "button index must be a number")
    for parameter in _objects(component, "parameters"):
        _check_parameter(parameter)


def _check_parameter(parameter: Json) -> None:
    kind = _text(parameter, "type", 40)
    if kind == "text":
        _text(parameter, "text", 32_768)
    elif kind in ("image", "document", "video"):
        _check_media(_object(parameter, kind))
    else:
        _need(kind in parameter, f"a parameter of type {kind} needs its {kind}")


def _check_present(_: Json) -> None:
    """Message types that the simulator does not validate further: their object is present."""


_KINDS: dict[str, Callable[[Json], None]] = {
    "text": _check_text,
    "template": _check_template,
    "image": _check_media,
    "document": _check_media,
    "video": _check_media,
    "audio": _check_media,
    "sticker": _check_media,
    "location": _check_present,
    "interactive": _check_present,
    "reaction": _check_present,
}


def _need(valid: bool, requirement: str) -> None:
    if not valid:
        raise InvalidWhatsAppMessage(requirement)


def _text(holder: Json, name: str, max_length: int) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidWhatsAppMessage(f"{name} must be a string that is not blank")
    if len(value) > max_length:
        raise InvalidWhatsAppMessage(f"{name} can have at most {max_length} characters")
    return value


def _object(holder: Json, name: str) -> Json:
    value = holder.get(name)
    if not isinstance(value, dict):
        raise InvalidWhatsAppMessage(f"{name} must be an object")
    return value


def _objects(holder: Json, name: str) -> list[Json]:
    value = holder.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidWhatsAppMessage(f"{name} must be a list of objects")
    return value
