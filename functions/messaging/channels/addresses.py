"""The kinds of a recipient's address: a phone number in E.164, an email address."""

from collections.abc import Mapping
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from messaging.channels.fields import Pattern


def email_address(text: str) -> str:
    try:
        address = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        raise PydanticCustomError(
            "email", "is not an email address; write it like ana@example.com"
        ) from None
    return address.ascii_email or text  # SES wants a domain's name in ASCII


PhoneNumber = Annotated[
    str, Pattern(r"^\+[1-9][0-9]{6,14}$", "must be a phone number in E.164, like +14255550156")
]
EmailAddress = Annotated[str, AfterValidator(email_address)]

# By the `address` of channels.toml.
ADDRESS_TYPES: Mapping[str, object] = {"phone": PhoneNumber, "email": EmailAddress}
