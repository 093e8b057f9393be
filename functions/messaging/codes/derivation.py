"""A code from the MAC of its message: it is derived when it is sent and when it is checked, and
stored nowhere.
"""

import hashlib
import json
from collections.abc import Mapping

from messaging.domain.verifications import Alphabet, Verification

# The first element of what is authenticated. Another encoding needs another version, so that no
# code of the one is a code of the other.
_VERSION = "verification-1"

# Letters: the code alphabet of RFC 8628, section 6.1, whose lack of vowels spells no words.
# Alphanumeric: the 24 characters of which none is read as another, without vowels, and without 0
# and O, 1, I and L, 2 and Z, 5 and S.
CHARACTERS: Mapping[Alphabet, str] = {
    Alphabet.DIGITS: "0123456789",
    Alphabet.LETTERS: "BCDFGHJKLMNPQRSTVWXZ",
    Alphabet.ALPHANUMERIC: "BCDFGHJKMNPQRTVWXY346789",
}


def mac_message(
    message_id: str, verification: Verification, payee: str | None, amount: str | None
) -> bytes:
    """What the MAC authenticates: the hash of a JSON list, in which no two sets of values are the
    same text. Its length is fixed, as GenerateMac takes at most 4,096 bytes.

    `payee` and `amount` are those that the code is sent or checked for, so that a code of one
    payment is a wrong code of every other.
    """
    values = [
        _VERSION,
        message_id,
        verification.purpose,
        verification.length,
        str(verification.alphabet),
        payee,
        amount,
    ]
    return hashlib.sha256(json.dumps(values).encode("ascii")).digest()


def code_from(mac: bytes, length: int, alphabet: Alphabet) -> str:
    """The code that the MAC stands for: its 256 bits as a number, modulo the number of codes.

    No code is likelier than another by more than one part in 2^256 divided by the number of codes,
    which is at most 24^10 < 2^46: the bias is below 2^-210, so nothing is rejected.
    """
    characters = CHARACTERS[alphabet]
    number = int.from_bytes(mac, "big")
    code = ""
    for _ in range(length):
        number, position = divmod(number, len(characters))
        code += characters[position]
    return code
