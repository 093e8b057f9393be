"""Starts the provider simulator: `python -m simulator --port 4568 --topic-arn ARN`."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import uvicorn
from botocore.config import Config

from simulator.call_log import CallLog
from simulator.channels import create_further_providers, create_providers
from simulator.provider import AwsAccount
from simulator.publisher import MAX_CONCURRENT, SnsPublisher
from simulator.scenarios import load_scenarios
from simulator.server import create_server, listen
from simulator.simulator import Simulator

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient


def main() -> None:
    """Serves until it is stopped; exits with a message and code 1 if it cannot start."""
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        server = _server(arguments)
        listener = listen(arguments.port)
    except (OSError, ValueError) as error:
        sys.exit(f"The simulator cannot start on port {arguments.port}: {error}")
    server.run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topic-arn", required=True, help="the SNS topic for receipts")
    parser.add_argument(
        "--scenarios", type=Path, help="a file that replaces the standard scenarios of its channels"
    )
    parser.add_argument(
        "--speed", type=float, help="publish receipts this many times faster than scheduled"
    )
    return parser.parse_args()


def _server(arguments: argparse.Namespace) -> uvicorn.Server:
    account = AwsAccount.of_topic(arguments.topic_arn)
    providers = create_providers(account)
    scenarios = load_scenarios(providers, arguments.scenarios)
    if arguments.speed is not None:
        scenarios = scenarios.at_speed(arguments.speed)
    publisher = SnsPublisher(_sns(account), arguments.topic_arn)
    further = create_further_providers(account)
    return create_server(Simulator(providers, scenarios, publisher, CallLog(), further))


def _sns(account: AwsAccount) -> "SNSClient":
    if not any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL")):
        # Simulated receipts must not reach a topic on AWS because the variable is not set.
        raise ValueError("AWS_ENDPOINT_URL must name the local AWS that receives the receipts")
    config = Config(
        connect_timeout=2,
        read_timeout=30,
        max_pool_connections=MAX_CONCURRENT,
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
