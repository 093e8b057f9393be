"""Starts the carriers: `python -m simulator --port 4568 --topic-arn ARN`."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import uvicorn
from botocore.config import Config

from simulator.provider import Account
from simulator.publisher import AT_ONCE, SnsPublisher
from simulator.scenarios import STANDARD, load
from simulator.sent import Sent
from simulator.server import listen, providers_of, server_of
from simulator.simulator import Carriers

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient


def main() -> None:
    """Serves until it is told to end; a sentence and exit code 1 if it cannot start."""
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        server = _server(arguments)
        listener = listen(arguments.port)
    except (OSError, ValueError) as error:
        sys.exit(f"The carriers cannot start on port {arguments.port}: {error}")
    server.run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topic-arn", required=True, help="the SNS topic that receipts go to")
    parser.add_argument("--scenarios", type=Path, default=STANDARD, help="another scenarios file")
    parser.add_argument("--speed", type=float, help="receipts so many times faster than the file")
    return parser.parse_args()


def _server(arguments: argparse.Namespace) -> uvicorn.Server:
    account = Account.of_topic(arguments.topic_arn)
    providers = providers_of(account)
    scenarios = load(arguments.scenarios, providers)
    if arguments.speed is not None:
        scenarios = scenarios.at_speed(arguments.speed)
    publisher = SnsPublisher(_sns(account), arguments.topic_arn)
    return server_of(Carriers(scenarios, publisher, Sent()), providers)


def _sns(account: Account) -> "SNSClient":
    if not any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL")):
        # Simulated receipts must not reach a topic on AWS because a variable was forgotten.
        raise ValueError("AWS_ENDPOINT_URL must name the local AWS that receipts are published to")
    config = Config(
        connect_timeout=2,
        read_timeout=30,
        max_pool_connections=AT_ONCE,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return boto3.client(
        "sns",
        region_name=account.region,
        config=config,
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", account.id),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "local"),
    )


if __name__ == "__main__":
    main()
