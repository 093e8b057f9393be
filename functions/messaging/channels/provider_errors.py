"""What a provider's error means for an attempt: refused, busy, or possibly sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from messaging.domain.errors import Ambiguous, Refused, Unavailable

# No provider's API is idempotent, so only a throttling error may be retried.
# From botocore's models: the errors marked `retryable: throttling`, and SES's LimitExceeded.
BUSY = frozenset(
    {
        "ThrottlingException",
        "ThrottledRequestException",
        "TooManyRequestsException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "Throttling",
    }
)
SERVER_ERROR = 500


@contextmanager
def provider_errors() -> Iterator[None]:
    """Translates botocore's exceptions. The reason is the provider's error code, never its message,
    which may contain the recipient's address.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error) from error
    except ParamValidationError as error:
        raise Refused("ParamValidationError") from error
    except (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError) as error:
        raise Unavailable(type(error).__name__) from error
    except BotoCoreError as error:
        raise Ambiguous(type(error).__name__) from error


def _translated(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in BUSY:
        return Unavailable(code)
    if status >= SERVER_ERROR:
        return Ambiguous(code)
    return Refused(f"{code} {error.response.get('Reason', '')}".strip())
