"""Where the local stack listens, and as whom its clients sign."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.errors import CannotRun

ROOT = Path(__file__).resolve().parent.parent
# Not one of the older regions: there version 1 of the AWS CLI knows an old host name for SQS, and
# uses that instead of AWS_ENDPOINT_URL.
REGION: Final = "eu-central-2"
ACCOUNT = "123456789012"
HOST = "127.0.0.1"
BASE_PORTS = range(1024, 65533)

# Clients of an AWS account that exists nowhere. MiniStack reads the account id from the access key.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


@dataclass(frozen=True)
class Addresses:
    """Four neighbouring ports: MiniStack, the Step Functions engine, the simulator, the console."""

    base_port: int = 4566

    @classmethod
    def from_environment(cls) -> "Addresses":
        """The ports that THROUGHLINE_PORT asks for; raises CannotRun if it is no usable number."""
        asked = os.environ.get("THROUGHLINE_PORT", str(cls.base_port))
        if not asked.isdecimal() or int(asked) not in BASE_PORTS:
            raise CannotRun(f"THROUGHLINE_PORT is {asked!r}; make it a number from 1024 to 65532.")
        return cls(int(asked))

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(range(self.base_port, self.base_port + 4))

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
    def state_folder(self) -> Path:
        """Logs, process ids and stack.json; one per base port, so that two stacks may run."""
        return ROOT / ".local" / str(self.base_port)

    def environment(self) -> dict[str, str]:
        """What points the AWS CLI, boto3 and the functions to this stack."""
        return CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.cloud,
            "AWS_ENDPOINT_URL_SFN": self.engine,
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": self.simulator,
            "AWS_ENDPOINT_URL_SOCIALMESSAGING": self.simulator,
            "AWS_ENDPOINT_URL_SESV2": self.simulator,
        }
