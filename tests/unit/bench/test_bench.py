"""The benchmark's arithmetic: what it counts, prices, measures and calls wrong."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench import arguments, costs, figures, meter_cloud, publish, targets, usage
from bench.scenarios import SCENARIOS, SCENARIOS_WITHOUT_TIMEOUT, mixed
from bench.usage import AwsCall, Invocation, Usage
from bench.verdicts import judged, verdict
from messaging.pricing import prices
from messaging.pricing.prices import Prices

POSTED_AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
FALLBACK = next(one for one in SCENARIOS if one.name == "fallback by receipt")


def event(kind: str) -> dict[str, str]:
    return {"type": kind}


def call(channel: str, attempt: int, at: float, receipt: str, status: int = 200) -> dict[str, Any]:
    due = (POSTED_AT + timedelta(seconds=at + 0.5)).isoformat()
    return {
        "channel": channel,
        "echo": {"biz_opaque_callback_data": f"01J.{attempt}"}
        if channel == "whatsapp"
        else {"message_id": "01J", "attempt": str(attempt)},
        "asked_at": (POSTED_AT + timedelta(seconds=at)).isoformat(),
        "answer": {"status": status},
        "receipts": [{"receipt": receipt, "due_at": due, "published_at": due}],
    }


def fallen_back() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A message of the scenario FALLBACK as it should end, and its calls."""
    message = {
        "status": "delivered",
        "attempts": [
            {"channel": "whatsapp", "status": "failed"},
            {"channel": "sms", "status": "delivered"},
        ],
        "timeline": [
            {"event": "receipt", "word": "failed"},
            {"event": "delivered"},
            {"event": "receipt", "word": "TEXT_DELIVERED"},
        ],
    }
    calls = [call("whatsapp", 1, 0.1, "failed:131026"), call("sms", 2, 0.9, "TEXT_DELIVERED")]
    return message, calls


def test_a_history_is_billed_by_its_states_and_its_retries() -> None:
    history = [
        event("ExecutionStarted"),
        event("ChoiceStateEntered"),
        event("TaskStateEntered"),
        event("TaskScheduled"),
        event("TaskFailed"),
        event("TaskScheduled"),
        event("TaskSucceeded"),
        event("TaskStateExited"),
    ]

    assert usage.transitions(history) == 3


def test_a_record_is_counted_as_it_was_written() -> None:
    record: list[AwsCall | Invocation] = [
        AwsCall("dynamodb", "PutItem", writes=2),
        AwsCall("dynamodb", "Query", reads=1),
        AwsCall("sqs", "SendMessage"),
        Invocation("start_delivery", 12.5, 100),
        Invocation("start_delivery", 7.5, 50),
    ]
    lines = [usage.written(entry) for entry in record]

    counted = usage.counted(2, usage.read(lines), [[event("PassStateEntered")]])

    assert (counted.reads, counted.writes, counted.states) == (1, 2, 1)
    assert counted.invocations == {"start_delivery": 2}
    assert counted.milliseconds == {"start_delivery": 20.0}
    assert counted.log_bytes == 150
    assert counted.queue_requests == 1 + 2 * 2


@pytest.mark.parametrize(("letters", "units"), [(0, 1), (4000, 1), (4096, 2), (9000, 3)])
def test_a_read_takes_a_unit_for_each_4_kb(letters: int, units: int) -> None:
    assert usage.read_units([{"text": {"S": "x" * letters}}]) == units


def test_an_items_size_is_that_of_its_names_and_values() -> None:
    item = {"id": {"S": "é"}, "n": {"N": "1234"}, "m": {"M": {"a": {"BOOL": True}}}}

    assert usage.item_bytes(item) == (2 + 2) + (1 + 3) + (1 + 3 + 2 + 1)


def test_a_million_messages_cost_their_parts_at_list_price() -> None:
    listed = Prices(
        "2026-11",
        {
            "states": 0.00001,
            "lambda_requests": 0.1,
            "lambda_gb_seconds": 1.0,
            "dynamodb_reads": 0.01,
            "dynamodb_writes": 0.02,
            "sqs_requests": 0.03,
            "sns_publishes": 0.04,
            "api_requests": 0.05,
            "log_gigabytes": 0.5,
        },
        {"sms": 0.008, "email": 0.0002},
    )
    used = Usage(
        messages=2,
        states=4,
        reads=2,
        writes=6,
        calls={"sqs.SendMessage": 2, "sns.Publish": 4},
        invocations={"accept_message": 2, "start_delivery": 1},
        milliseconds={"accept_message": 3000.0, "start_delivery": 1000.0},
        log_bytes=1024**3,
    )

    cost = costs.per_million(used, listed, memory_mb=512)

    assert {part: round(dollars, 6) for part, dollars in cost.items()} == {
        "Step Functions": 20,
        "Lambda": (3 * 0.1 + 4 * 0.5 * 1.0) / 2 * 1e6,
        "DynamoDB": (2 * 0.01 + 6 * 0.02) / 2 * 1e6,
        "API Gateway": 2 * 0.05 / 2 * 1e6,
        "SQS": (2 + 2) * 0.03 / 2 * 1e6,
        "SNS": 4 * 0.04 / 2 * 1e6,
        "Logs": 0.5 / 2 * 1e6,
    }
    assert costs.channel_fees_per_million(["sms", "sms", "email"], listed) == pytest.approx(16_200)


def test_every_price_says_where_it_is_from() -> None:
    listed = prices.listed()
    entries = [*listed["aws"].values(), *listed["channels"].values()]

    assert all(one["source"].startswith("https://") for one in entries)
    assert {one["certainty"] for one in entries} <= {"high", "medium", "low"}
    assert prices.load().aws["states"] == 0.000025


def test_percentiles_lie_between_the_values_around_them() -> None:
    spread = figures.spread(number / 100 for number in range(101))

    assert spread is not None
    assert (spread.p50, spread.p95, spread.p99) == pytest.approx((0.5, 0.95, 0.99))
    assert figures.spread([]) is None
    assert figures.spread([0.2]) == figures.Spread(0.2, 0.2, 0.2)


def test_a_fallback_is_timed_from_the_failure_to_the_next_call() -> None:
    _, calls = fallen_back()

    assert figures.receipt_to_next_call(calls[::-1]) == pytest.approx([0.3])


def test_a_time_out_is_timed_from_the_end_of_the_wait() -> None:
    history = [
        {"type": "TaskStateEntered", "timestamp": POSTED_AT},
        {"type": "TaskStateEntered", "timestamp": POSTED_AT + timedelta(seconds=5.1)},
    ]
    calls = [call("whatsapp", 1, 0.1, "accepted"), call("sms", 2, 5.2, "TEXT_DELIVERED")]

    assert figures.timeout_to_next_call(history, calls) == pytest.approx([0.2])


def test_a_message_that_ended_as_planned_is_clean() -> None:
    assert verdict(FALLBACK, *fallen_back()) == "ok"


def test_an_attempt_that_was_taken_twice_is_duplicated() -> None:
    message, calls = fallen_back()

    assert verdict(FALLBACK, message, [*calls, calls[1]]) == "duplicated"


def test_a_message_without_an_end_or_a_call_is_lost() -> None:
    message, calls = fallen_back()

    assert verdict(FALLBACK, message | {"status": "in_progress"}, calls) == "lost"
    assert verdict(FALLBACK, message, calls[:1]) == "lost"


@pytest.mark.parametrize(
    "difference",
    [
        {"status": "undelivered"},
        {"attempts": [{"channel": "whatsapp", "status": "timed_out"}]},
        {"timeline": [{"event": "receipt", "word": "failed"}]},
    ],
    ids=["status", "attempts", "receipts"],
)
def test_a_message_that_ended_otherwise_is_wrong(difference: dict[str, Any]) -> None:
    message, calls = fallen_back()

    assert verdict(FALLBACK, message | difference, calls) == "wrong"


def test_verdicts_are_counted() -> None:
    found = judged(["ok", "wrong", "ok", "lost"])

    assert (found.messages, found.lost, found.duplicated, found.wrong) == (4, 1, 0, 1)
    assert not found.clean
    assert judged(["ok"]).clean


def test_the_mix_has_each_scenario_in_its_share() -> None:
    sent = mixed(40)

    assert [sent.count(one) for one in SCENARIOS] == [2 * one.share for one in SCENARIOS]
    assert sum(one.share for one in SCENARIOS) == 20


def test_a_burst_holds_no_planned_timeout() -> None:
    burst = mixed(100, SCENARIOS_WITHOUT_TIMEOUT)
    left_out = [(one.name, one.planned_timeout_seconds) for one in SCENARIOS if one not in burst]

    assert left_out == [("fallback by timeout", 5)]
    assert not any(one.planned_timeout_seconds for one in burst)


@pytest.mark.parametrize(
    ("request_", "units"), [(b'{"ConsistentRead": true}', 1), (b'{"ConsistentRead": false}', 0.5)]
)
def test_a_read_that_need_not_be_consistent_is_half_a_unit(request_: bytes, units: float) -> None:
    response = 200, {}, b'{"Items": [{"pk": {"S": "m1"}}]}'

    assert meter_cloud.consumed("Query", request_, response) == (units, 0)


def test_a_write_is_made_to_tell_its_units() -> None:
    asked = meter_cloud.with_consumed_capacity(
        b'{"TableName": "Messages", "Key": {"n": {"S": "}"}}} '
    )

    assert json.loads(asked) == {
        "TableName": "Messages",
        "Key": {"n": {"S": "}"}},
        "ReturnConsumedCapacity": "TOTAL",
    }


def run(
    per_second: float | None, messages: int, speed: float, lost: int = 0, last: float = 0.1
) -> dict[str, Any]:
    return {
        "name": f"{messages:,}",
        "per_second": per_second,
        "messages_per_second": speed,
        "verdicts": {"messages": messages, "lost": lost, "duplicated": 0, "wrong": 0},
        "latencies": {"receipt_to_next_call": {"p95": 0.05}},
        "first_quarter": {"p95": 0.1},
        "last_quarter": {"p95": last},
        "peaks": {"stack": 1_000},
    }


def judged_targets(*runs: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    measured = {
        "runs": runs,
        "imports": [{"name": "send_message", "ratio": 1.2}],
        "costs": [{"usage": {"states": 20, "messages": 10}}],
    }
    return {what: (found, met) for what, _, found, met in targets.targets(measured)}


def test_throughput_is_judged_under_the_greatest_pace_and_a_loss_anywhere() -> None:
    found = judged_targets(run(4, 120, 3.6, lost=1), run(15.5, 1000, 15.2), run(None, 100, 9.0))

    assert found["messages per second, 1,000 mixed, sustained"] == ("15.2", True)
    assert found["lost, sent twice or wrong, in all runs"] == ("1", False)


def test_a_stack_that_does_not_keep_up_is_slower_at_the_end() -> None:
    found = judged_targets(run(4, 120, 3.6), run(15.5, 1000, 14.9, last=0.7))

    assert [met for _, met in found.values()][:2] == [False, False]


def test_only_the_figures_of_the_page_are_replaced() -> None:
    page = publish.PAGE.read_text()
    begin, _, end = publish.between_markers(page, "some figures").partition("some figures")

    assert page.startswith(begin)
    assert page.endswith(end)
    assert end.startswith(f"\n{publish.END}")
    assert publish.between_markers(f"{begin}some figures{end}", "others") == f"{begin}others{end}"


def test_sizes_are_numbers_of_messages() -> None:
    assert arguments.sizes("100,5000") == [100, 5000]


@pytest.mark.parametrize("text", ["", "abc", "0", "-5", "100,", "1e3", "100;200"])
def test_what_is_no_list_of_sizes_is_refused_before_anything_starts(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="such as 100,1000,5000"):
        arguments.sizes(text)
