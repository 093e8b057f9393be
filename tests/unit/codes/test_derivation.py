"""The derivation of a code from the MAC of its message."""

import hashlib
import hmac
import itertools
from collections import Counter
from dataclasses import replace

import boto3
import pytest

from messaging.clients.mac import KmsMacs
from messaging.codes.derivation import CHARACTERS, code_from, mac_message
from messaging.domain.verifications import Alphabet, Verification
from tests.support.aws import aws

POLICY = Verification(
    purpose="sign-in",
    length=6,
    alphabet=Alphabet.DIGITS,
    max_checks=5,
    brand="Example",
    language="en",
)


def test_a_code_is_that_of_its_mac() -> None:
    """Computed by hand: a changed derivation would refuse every code that is under way."""
    message = mac_message("01JEXAMPLE", POLICY, None, None)

    assert (
        message.hex()
        == hashlib.sha256(
            b'["verification-1", "01JEXAMPLE", "sign-in", 6, "digits", null, null]'
        ).hexdigest()
    )
    assert code_from((123456).to_bytes(32, "big"), 8, Alphabet.DIGITS) == "65432100"
    assert code_from(b"\xff" * 32, 4, Alphabet.DIGITS) == str(2**256 - 1)[:-5:-1]


def test_another_message_policy_or_payment_has_another_mac() -> None:
    policies = [
        POLICY,
        replace(POLICY, purpose="payment"),
        replace(POLICY, length=8),
        replace(POLICY, alphabet=Alphabet.LETTERS),
    ]
    payments = [
        (None, None),
        ("Shop", "10 EUR"),
        ("Shop", "100 EUR"),
        ("Shop 10", "EUR"),
        ('Shop", "10', "EUR"),
        ("", ""),
        ("\ud800", "10 EUR"),
    ]
    messages = {
        mac_message(message_id, policy, *payment)
        for message_id, policy, payment in itertools.product(("A", "AB"), policies, payments)
    }

    assert len(messages) == 2 * len(policies) * len(payments)


@pytest.mark.parametrize("alphabet", Alphabet)
@pytest.mark.parametrize("length", [4, 10])
def test_codes_use_every_character_of_their_alphabet_evenly(
    alphabet: Alphabet, length: int
) -> None:
    codes = [
        code_from(hmac.digest(b"key", str(number).encode(), "sha256"), length, alphabet)
        for number in range(4_000)
    ]

    assert {len(code) for code in codes} == {length}
    for position in range(length):
        found = Counter(code[position] for code in codes)
        assert set(found) == set(CHARACTERS[alphabet])
        expected = len(codes) / len(CHARACTERS[alphabet])
        # The 99.9th percentile of chi-squared with 9, 19 and 23 degrees of freedom is below 50.
        assert sum((count - expected) ** 2 / expected for count in found.values()) < 50


def test_the_macs_are_those_of_kms() -> None:
    with aws():
        kms = boto3.client("kms")
        key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
        macs = KmsMacs(kms, key["KeyId"])
        first, second = macs.generate(b"message"), macs.generate(b"message")

        assert first == second
        assert len(first) == 32
        assert macs.generate(b"other") != first
        assert kms.verify_mac(
            Message=b"message", KeyId=key["KeyId"], MacAlgorithm="HMAC_SHA_256", Mac=first
        )["MacValid"]
