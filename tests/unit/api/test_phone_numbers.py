"""Real numbers of every country are accepted, impossible ones are refused with their reason."""

import subprocess
import sys
from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from pydantic import TypeAdapter, ValidationError

from messaging.channels.addresses import PhoneNumber

NUMBERS = TypeAdapter[str](PhoneNumber)
SHORTEST = len("+1234567")  # of what is sent as E.164
KINDS = [
    kind
    for kind in PhoneNumberType.values()
    if kind not in {PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UNKNOWN}
]
# The functions that every message passes several times.
HOT = ["start_delivery", "send_message", "record_receipt", "close_message", "read_message"]


def examples(region: str) -> set[str]:
    found = (phonenumbers.example_number_for_type(region, kind) for kind in KINDS)
    written = {phonenumbers.format_number(one, PhoneNumberFormat.E164) for one in found if one}
    return {one for one in written if len(one) >= SHORTEST}


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_real_numbers_of_every_country_are_accepted(region: str) -> None:
    numbers = examples(region)

    assert numbers
    assert {NUMBERS.validate_python(one) for one in numbers} == numbers


@pytest.mark.parametrize("area", ["206", "425", "604"])
def test_fictitious_numbers_are_accepted(area: str) -> None:
    numbers = [f"+1{area}55501{last:02}" for last in range(100)]

    assert [NUMBERS.validate_python(one) for one in numbers] == numbers


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("+800555014321", "has too many digits for a number of +800"),
        ("+8005551", "has too few digits for a number of +800"),
        ("+44770090", "has too few digits for a number of +44 (GB)"),
        *(
            (one, "must not have a national prefix, such as a 0, after the country calling code")
            for one in ("+4407700900123", "+330612345678", "+112065550100")
        ),
        ("+9995550143", "must begin with a country calling code, for example +1 or +44"),
    ],
)
def test_an_impossible_number_is_refused_with_its_reason(number: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NUMBERS.validate_python(number)

    assert [one["msg"] for one in refused.value.errors()] == [sentence]


def test_hot_functions_start_without_the_libraries_that_check_a_request() -> None:
    program = f"import sys, {', '.join(HOT)}; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path("functions"),
        capture_output=True,
        text=True,
        check=True,
    )

    assert {"phonenumbers", "pydantic", "email_validator", "tomllib"} & {
        *done.stdout.split()
    } == set()
