"""The pydantic models of a verification's request."""

import ipaddress
import re
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from messaging.api.models import AnyRecipients, AnySenders, ChannelStep, Metadata, Senders
from messaging.channels.fields import Pattern, RequestModel, between, not_blank, one_line, one_of
from messaging.codes.texts import languages
from messaging.domain.verifications import MAX_SENDS, Alphabet

MIN_LENGTH, MAX_LENGTH = 4, 10
_OWN_CODE = {
    Alphabet.DIGITS: (r"[0-9]+", "digits only"),
    Alphabet.LETTERS: (r"[A-Z]+", "the letters A to Z only"),
    Alphabet.ALPHANUMERIC: (r"[A-Z0-9]+", "digits and the letters A to Z only"),
}


def _domain(what: str) -> Pattern:
    label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    return Pattern(
        rf"^{label}(\.{label})*\.[a-z]{{2,63}}$", f"must be {what}, for example example.com"
    )


def _ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise PydanticCustomError("ip", "must be an IPv4 or IPv6 address") from None


# One line each, of which the SMS has all beside the code.
Brand = Annotated[
    str,
    StringConstraints(min_length=1, max_length=30),
    AfterValidator(one_line),
    AfterValidator(not_blank),
]
Payee = Brand
Amount = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20),
    AfterValidator(one_line),
    AfterValidator(not_blank),
]
OwnCode = Annotated[str, Pattern(r"^.{4,10}$", "must have 4 to 10 characters")]


class CodeAutofill(RequestModel):
    """Either a web page's domain or an Android app's hash."""

    domain: (
        Annotated[str, StringConstraints(max_length=100), _domain("a domain in lowercase")] | None
    ) = None
    embedded: (
        Annotated[str, StringConstraints(max_length=100), _domain("a domain in lowercase")] | None
    ) = None
    # developers.google.com/identity/sms-retriever/verify: the first 11 characters of a Base64 text.
    android: (
        Annotated[
            str, Pattern(r"^[A-Za-z0-9+/]{11}$", "must be the 11 characters of an app's hash")
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.domain is None) == (self.android is None):
            raise PydanticCustomError("one_kind", "must contain either domain or android")
        if self.embedded and not self.domain:
            raise PydanticCustomError("embedded", "must contain domain if it contains embedded")
        return self


class VerificationBody(RequestModel):
    to: AnyRecipients
    from_: AnySenders = Field(default=Senders(), alias="from")
    steps: list[ChannelStep] | None = Field(default=None, min_length=1, max_length=MAX_SENDS)
    purpose: Annotated[
        str, Pattern(r"^[a-z0-9_-]{1,32}$", "must be 1 to 32 characters of a-z, 0-9, _ and -")
    ] = "sign-in"
    alphabet: Annotated[str, one_of(Alphabet)] = Alphabet.DIGITS
    length: Annotated[int, between(MIN_LENGTH, MAX_LENGTH)] | None = None
    code: OwnCode | None = None
    expires_in_seconds: Annotated[int, between(60, 3_600)] = 600
    max_checks: Annotated[int, between(1, 5)] | None = None
    brand: Brand | None = None
    language: Annotated[str, one_of(sorted(languages()))] | None = None
    autofill: CodeAutofill | None = None
    payee: Payee | None = None
    amount: Amount | None = None
    client_ip: Annotated[str, AfterValidator(_ip_address)] | None = None
    metadata: Metadata = Field(default={})

    @field_validator("code")
    @classmethod
    def _of_its_alphabet(cls, code: str, body: ValidationInfo) -> str:
        pattern, sentence = _OWN_CODE[Alphabet(body.data.get("alphabet", Alphabet.ALPHANUMERIC))]
        if not re.fullmatch(pattern, code):
            raise PydanticCustomError("alphabet", "must contain {sentence}", {"sentence": sentence})
        if body.data.get("length") not in (None, len(code)):
            raise PydanticCustomError("length", "must have as many characters as `length` says")
        return code
