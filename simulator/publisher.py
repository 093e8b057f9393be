"""Publishes receipts to the SNS topic: a few at once, again if it is busy, never lost silently."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient

AT_ONCE = 8
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0)
_log = logging.getLogger(__name__)


class NotPublished(Exception):
    """The topic did not take a receipt, however often it was offered."""


class Publisher(Protocol):
    """Where receipts go."""

    async def publish(self, message: str) -> None:
        """Returns when the receipt is on the topic; raises NotPublished if it cannot get there."""


class SnsPublisher:
    """Publishes through boto3, whose calls block: in as many threads as may publish at once."""

    def __init__(
        self,
        client: "SNSClient",
        topic_arn: str,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._pause = pause
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="publish")

    async def publish(self, message: str) -> None:
        for seconds in _PAUSES:
            try:
                await self._offer(message)
            except (BotoCoreError, ClientError) as error:
                _log.warning("The topic did not take a receipt, trying again: %s", error)
                await self._pause(seconds)
            else:
                return
        await self._last_offer(message)

    async def _last_offer(self, message: str) -> None:
        try:
            await self._offer(message)
        except (BotoCoreError, ClientError) as error:
            raise NotPublished(str(error)) from error

    async def _offer(self, message: str) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._publish, message)

    def _publish(self, message: str) -> None:
        self._client.publish(TopicArn=self._topic_arn, Message=message)
