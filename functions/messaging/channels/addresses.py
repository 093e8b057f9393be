"""The types of a recipient's address: a phone number in E.164 format, an email address."""

from collections.abc import Mapping
from typing import Annotated

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from messaging.channels.fields import Pattern

_LENGTH_SENTENCES = {
    ValidationResult.TOO_SHORT: "has too few digits for a number of {country}",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "has too few digits for a number of {country}",
    ValidationResult.TOO_LONG: "has too many digits for a number of {country}",
    ValidationResult.INVALID_LENGTH: "has an invalid length for a number of {country}",
}


def _possible_number(text: str) -> str:
    """Checks the country and the length only: the ranges in use change often, the lengths hardly
    ever.
    """
    try:
        number = phonenumbers.parse(text)
    except NumberParseException:
        raise PydanticCustomError(
            "country_code", "must begin with a country calling code, for example +1 or +44"
        ) from None
    if phonenumbers.format_number(number, PhoneNumberFormat.E164) != text:
        # Two spellings of one number would have two limits, and two pending codes.
        raise PydanticCustomError(
            "national_prefix",
            "must not have a national prefix, such as a 0, after the country calling code",
        )
    sentence = _LENGTH_SENTENCES.get(phonenumbers.is_possible_number_with_reason(number))
    # Canada has numbers without an area code, such as those that begin with 310.
    if sentence and not phonenumbers.is_valid_number(number):
        raise PydanticCustomError("length", sentence, {"country": _country(number.country_code)})
    return text


def _country(code: int | None) -> str:
    """`+1 (US)`, with the main country of a shared code; `+882` if it belongs to no country."""
    region = phonenumbers.region_code_for_country_code(code or 0)
    return f"+{code} ({region})" if region.isalpha() else f"+{code}"


def email_address(text: str) -> str:
    try:
        address = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        if not text.rpartition("@")[0].isascii():  # SES has no SMTPUTF8 (RFC 6531)
            raise PydanticCustomError(
                "local_part", "must have only ASCII characters before the @"
            ) from None
        raise PydanticCustomError(
            "email", "must be an email address, for example ana@example.com"
        ) from None
    return address.ascii_email or text  # SES requires domain names in ASCII


PhoneNumber = Annotated[
    str,
    Pattern(
        r"^\+[1-9][0-9]{6,14}$",
        "must be a phone number in E.164 format, for example +14255550156",
    ),
    AfterValidator(_possible_number),
]
EmailAddress = Annotated[str, AfterValidator(email_address)]

# By the `address` of channels.toml.
ADDRESS_TYPES: Mapping[str, object] = {"phone": PhoneNumber, "email": EmailAddress}
