"""Reads the AWS account: every call of the command is made here, and none of them changes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    UnknownServiceError,
)
from botocore.parsers import ResponseParserError

Response = Mapping[str, Any]

# The services' names in IAM actions, where they differ from boto3's:
# docs.aws.amazon.com/service-authorization/latest/reference/
IAM_NAMES = {
    "pinpoint-sms-voice-v2": "sms-voice",
    "service-quotas": "servicequotas",
    "sesv2": "ses",
    "socialmessaging": "social-messaging",
}
DENIED = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation")
MISSING = ("NotFound", "ResourceNotFound", "NoSuchResource")
# The credentials are wrong: no other call would answer either.
# docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
NO_CREDENTIALS = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoes")
# A service that has no such operation; one that gives no code at all, botocore names by its status.
UNSUPPORTED = ("UnknownOperation", "InvalidAction", "NotImplemented", "UnsupportedOperation")
NO_ANSWER = (
    *(ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError),
    *(ResponseParserError, UnknownServiceError),
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Some of the calls may be made once a second only:
# docs.aws.amazon.com/sms-voice/latest/userguide/quotas.html
CONFIG = Config(
    connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 5, "mode": "standard"}
)


class NotReadable(Exception):
    """A call that the account did not answer; the text says why, and what it takes."""


class NotInAccount(NotReadable):
    """The call asks for something that the account does not have."""


@dataclass
class AccountReader:
    """Makes the calls, each with its name as AWS's API reference has it."""

    # Makes the client of a service; botocore adds the methods at run time.
    client: Callable[[str], Any]
    # What two channels need is read once.
    _responses: dict[str, Response] = field(default_factory=dict)

    @classmethod
    def create(cls) -> Self:
        session = botocore.session.get_session()
        return cls(cache(lambda service: session.create_client(service, config=CONFIG)))

    @property
    def region(self) -> str:
        return str(self.client("lambda").meta.region_name)

    @property
    def local(self) -> bool:
        """Whether the shell points to a stack on this machine."""
        return urlsplit(self.client("lambda").meta.endpoint_url).hostname in LOOPBACK

    def read(self, service: str, operation: str, **parameters: object) -> Response:
        """The response, all of its pages. Raises NotReadable, and NotInAccount if what is asked
        for does not exist; botocore's errors if the shell has no region or no valid credentials.
        """
        action = f"{IAM_NAMES.get(service, service)}:{operation}"
        call = f"{action} {parameters}"
        try:
            if call not in self._responses:
                self._responses[call] = self._call(service, xform_name(operation), parameters)
        except ClientError as error:
            raise _unreadable(action, error) from error
        except NO_ANSWER as error:
            raise NotReadable(f"{action} has no answer in this Region") from error
        return self._responses[call]

    def _call(self, service: str, method: str, parameters: Mapping[str, object]) -> Response:
        client = self.client(service)
        if client.can_paginate(method):
            pages = client.get_paginator(method).paginate(**parameters)
            whole: Response = pages.build_full_result()
            return whole
        response: Response = getattr(client, method)(**parameters)
        return response


def _unreadable(action: str, error: ClientError) -> Exception:
    code, message = (str(error.response["Error"].get(name, "")) for name in ("Code", "Message"))
    if code.startswith(NO_CREDENTIALS):
        return error
    if code.startswith(DENIED):
        return NotReadable(f"the permission {action} is missing")
    if code.startswith(MISSING):
        return NotInAccount(f"{action}: {message}")
    if code.startswith(UNSUPPORTED) or code.isdecimal():
        return NotReadable(f"{action} is not available here")
    return NotReadable(f"{action} failed: {code} {message}".rstrip(" ."))
