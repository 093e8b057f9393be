"""The addresses of the local stack, and the credentials that its clients sign with."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.errors import CannotRun

ROOT = Path(__file__).resolve().parent.parent
# Not one of the older regions: for those, version 1 of the AWS CLI has a legacy host name of SQS,
# and uses it instead of AWS_ENDPOINT_URL.
REGION: Final = "eu-central-2"
ACCOUNT = "123456789012"
HOST = "127.0.0.1"
BASE_PORTS = range(1024, 65532)

# An AWS account that does not exist. MiniStack reads the account id from the access key.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


@dataclass(frozen=True)
class Addresses:
    """Five consecutive ports: MiniStack, the Step Functions engine, the simulator, the console, the
    sign-in page.
    """

    base_port: int = 4566

    @classmethod
    def from_environment(cls) -> "Addresses":
        """The ports from THROUGHLINE_PORT on. Raises CannotRun if it is not a valid port number."""
        text = os.environ.get("THROUGHLINE_PORT", str(cls.base_port))
        if not text.isdecimal() or int(text) not in BASE_PORTS:
            raise CannotRun(f"THROUGHLINE_PORT is {text!r}: set it to a number from 1024 to 65531.")
        return cls(int(text))

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(range(self.base_port, self.base_port + 5))

    @property
    def cloud(self) -> str:
        return f"http://{HOST}:{self.base_port}"

    @property
    def engine(self) -> str:
        return f"http://{HOST}:{self.base_port + 1}"

    @property
    def simulator(self) -> str:
        return f"http://{HOST}:{self.base_port + 2}"

    @property
    def console(self) -> str:
        return f"http://{HOST}:{self.base_port + 3}"

    @property
    def sign_in(self) -> str:
        return f"http://{HOST}:{self.base_port + 4}"

    @property
    def state_folder(self) -> Path:
        """Logs and stack.json; one folder per base port, so that two stacks can run."""
        return ROOT / ".local" / str(self.base_port)

    def environment(self) -> dict[str, str]:
        """The variables that point the AWS CLI, boto3 and the functions to this stack."""
        return CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.cloud,
            "AWS_ENDPOINT_URL_SFN": self.engine,
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": self.simulator,
            "AWS_ENDPOINT_URL_SOCIALMESSAGING": self.simulator,
            "AWS_ENDPOINT_URL_SESV2": self.simulator,
        }
