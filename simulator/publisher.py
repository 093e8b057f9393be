"""Publishes receipts to the SNS topic: a few concurrently, with retries, and reports failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient

MAX_CONCURRENT = 8
_RETRY_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0)
_log = logging.getLogger(__name__)


class NotPublished(Exception):
    """The topic did not accept a receipt after all retries."""


class Publisher(Protocol):
    """Publishes receipts."""

    async def publish(self, message: str) -> None:
        """Returns once the receipt is on the topic; raises NotPublished if that fails."""


class SnsPublisher:
    """Publishes with boto3, whose calls block, in one thread for each concurrent call."""

    def __init__(
        self,
        client: "SNSClient",
        topic_arn: str,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._pause = pause
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="publish")

    async def publish(self, message: str) -> None:
        for seconds in _RETRY_DELAYS:
            try:
                await self._try(message)
            except (BotoCoreError, ClientError) as error:
                _log.warning("The topic did not accept a receipt, retrying: %s", error)
                await self._pause(seconds)
            else:
                return
        await self._try_last(message)

    async def _try_last(self, message: str) -> None:
        try:
            await self._try(message)
        except (BotoCoreError, ClientError) as error:
            raise NotPublished(str(error)) from error

    async def _try(self, message: str) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._publish, message)

    def _publish(self, message: str) -> None:
        self._client.publish(TopicArn=self._topic_arn, Message=message)
