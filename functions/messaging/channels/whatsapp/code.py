"""The WhatsApp message that carries a code: an authentication template, whose text is Meta's.

developers.facebook.com/docs/whatsapp/business-management-api/authentication-templates
"""

from collections.abc import Callable, Sequence

from messaging.codes.one_time_code import OneTimeCode
from messaging.domain.content import Content
from messaging.domain.errors import Refused


def content(code: OneTimeCode, _sender: str, setting: Callable[[str], str]) -> Content:
    """The code is the parameter of the body, and of the button that copies it."""
    name = setting("CODE_TEMPLATE")
    if not name:
        raise Refused("the stack has no WhatsApp template for codes")
    if code.approves_payment:
        raise Refused("a WhatsApp authentication template cannot show the payee and the amount")
    parameters = [{"type": "text", "text": code.characters}]
    components = [
        {"type": "body", "parameters": parameters},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": parameters},
    ]
    language = _nearest(code.verification.language, setting("CODE_LANGUAGES").split(","))
    return Content(template={"name": name, "language": language, "components": components})


def _nearest(language: str, approved: Sequence[str]) -> str:
    """The approved language: the same one, else one that begins the same, else the first."""
    if language in approved:
        return language
    base = language.partition("_")[0]
    alike = (one for one in approved if one.partition("_")[0] == base)
    return next(alike, approved[0])
