"""The log of a function: one line of JSON per event."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

# Known from the log group, which is the function's own. CloudWatch bills every byte.
_KNOWN = frozenset(
    {
        "cold_start",
        "function_arn",
        "function_memory_size",
        "function_name",
        "location",
        "service",
        "xray_trace_id",
    }
)


class BriefFormatter(LambdaPowertoolsFormatter):
    """Powertools' format without what is known from the log group, and with the id of the
    invocation only where Lambda writes lines about it as well: from a warning on.
    """

    def serialize(self, log: Mapping[str, Any]) -> str:
        redundant = _KNOWN | ({"function_request_id"} if log["level"] == "INFO" else set())
        return super().serialize({name: log[name] for name in log if name not in redundant})


def function_log() -> Logger:
    """A log whose times Lambda can read.

    docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    return Logger(logger_formatter=BriefFormatter(utc=True, use_rfc3339=True))
