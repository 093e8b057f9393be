"""A table of its own for each test."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from messaging.store import Store
from tests.support.aws import aws, make_table


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDBClient]:
    with aws():
        yield boto3.client("dynamodb")


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> str:
    assert dynamodb
    name = f"Messages-{uuid.uuid4()}"
    make_table(name)
    return name


@pytest.fixture
def store(dynamodb: DynamoDBClient, table: str) -> Store:
    return Store(dynamodb, table, timedelta(days=30))
