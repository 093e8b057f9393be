"""Authentication templates: Meta's text with a code, and the button that copies it.

https://developers.facebook.com/docs/whatsapp/business-management-api/authentication-templates
"""

from collections.abc import Iterator

from simulator.aws_model import Json

# Templates that exist at Meta, as `whatsapp_code_template` in cdk.json has it. Meta's text is the
# same in each language; on these phones it is in English.
TEMPLATES = frozenset({"verification_code"})
TEXT = "{code} is your verification code. For your security, do not share this code."
BUTTON = "Copy code"


def code_of(template: Json) -> str | None:
    """The code that the template carries as the value of its body and of its button; None if it is
    another template.
    """
    body, button = _values(template, "body"), _values(template, "button", "url")
    return body[0] if len(body) == 1 and body == button else None


def rejection(template: Json) -> str | None:
    """The receipt with which Meta rejects the template's values: AWS accepts the message first."""
    if template["name"] not in TEMPLATES:
        return None
    if len(_values(template, "body")) != 1:
        return "failed:132000"
    if not _values(template, "button", "url"):
        return "failed:131008"
    return None


def _values(template: Json, *kind: str) -> list[str]:
    """The texts of the components of a type, and a sub-type."""
    return [
        parameter["text"]
        for component in _components(template, *kind)
        for parameter in component.get("parameters", [])
        if parameter["type"] == "text"
    ]


def _components(template: Json, *kind: str) -> Iterator[Json]:
    for component in template.get("components", []):
        found = (component["type"], component.get("sub_type"))
        if tuple(str(one).lower() for one in found[: len(kind)]) == kind:
            yield component
