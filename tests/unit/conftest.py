"""A table of its own for each test."""

from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest

from messaging.store import Store
from tests.aws import TABLE, aws


@pytest.fixture
def store() -> Iterator[Store]:
    with aws():
        yield Store(boto3.client("dynamodb"), TABLE, timedelta(days=30))
