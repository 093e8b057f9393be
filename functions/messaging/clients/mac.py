"""The MACs of a deployed function, by a KMS key that nobody can read."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from messaging import settings

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from messaging.ports import Macs

# A call that fails must fail before the function ends, so that its attempt is released.
WITHIN_THE_FUNCTIONS_TIME = Config(
    retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=1, read_timeout=3
)


@dataclass(frozen=True, slots=True)
class KmsMacs:
    """MACs by KMS: docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html."""

    client: "KMSClient"
    key_id: str

    def generate(self, message: bytes) -> bytes:
        """The HMAC of the message; the same for the same message."""
        response = self.client.generate_mac(
            Message=message, KeyId=self.key_id, MacAlgorithm="HMAC_SHA_256"
        )
        return response["Mac"]


@cache
def macs() -> "Macs":
    client = boto3.client("kms", config=WITHIN_THE_FUNCTIONS_TIME)
    return KmsMacs(client, settings.codes_key_id())
