"""The benchmark's arithmetic: what it counts, prices, measures and calls wrong."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench import arguments, costs, figures, meter_cloud, publish, targets, usage
from bench.code_load import code_in
from bench.codes import CODE_SCENARIOS, to_many_recipients
from bench.costs import Pricing
from bench.scenarios import SCENARIOS, SCENARIOS_WITHOUT_TIMEOUT, mixed
from bench.usage import AwsCall, Invocation, Usage
from bench.verdicts import (
    APPROVED,
    TOO_LATE,
    CodeVerdicts,
    code_verdict,
    judged,
    judged_codes,
    verdict,
)
from messaging import metrics
from messaging.domain.statuses import MessageStatus
from messaging.pricing import prices
from messaging.pricing.prices import Prices

POSTED_AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
LISTED_COST = {"Step Functions": 50.0, "DynamoDB": 7.0}
FALLBACK = next(one for one in SCENARIOS if one.name == "fallback by receipt")

LISTED = Prices(
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
        "table_gigabyte_months": 0.2,
        "recovery_gigabyte_months": 0.3,
        "metric_months": 0.3,
        "key_requests": 0.000003,
        "traces": 0.000005,
    },
    {"sms": 0.008, "email": 0.0002},
)
USED = Usage(
    messages=2,
    states=4,
    reads=2,
    writes=6,
    calls={"sqs.SendMessage": 2, "sns.Publish": 4, "kms.GenerateMac": 2},
    invocations={"accept_message": 2, "start_delivery": 1},
    milliseconds={"accept_message": 3000.0, "start_delivery": 1000.0},
    log_bytes=1024**3,
)


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
    cost = costs.per_million(USED, LISTED, memory_mb=512)

    assert {part: round(dollars, 6) for part, dollars in cost.items()} == {
        "Step Functions": 20,
        "Lambda": (3 * 0.1 + 4 * 0.5 * 1.0) / 2 * 1e6,
        "DynamoDB": (2 * 0.01 + 6 * 0.02) / 2 * 1e6,
        "API Gateway": 2 * 0.05 / 2 * 1e6,
        "SQS": (2 + 2) * 0.03 / 2 * 1e6,
        "SNS": 4 * 0.04 / 2 * 1e6,
        "KMS": 2 * 0.000003 / 2 * 1e6,
        "Logs": round((1 + 2 * 270 / 1024**3) * 0.5 / 2 * 1e6, 6),
    }
    assert costs.channel_fees_per_million(["sms", "sms", "email"], LISTED) == pytest.approx(16_200)


def test_retries_storage_metrics_keys_and_traces_are_billed_beside_the_messages() -> None:
    first = replace(USED, states=4, metrics=("Sent/sms/throughline", "MessageSent/throughline"))
    busy = replace(first, states=8)
    pricing = Pricing(LISTED, 512)

    found = costs.further(first, busy, 45, 1024.0, pricing)

    assert [round(one.dollars, 6) for one in found] == [
        # Four more states in two messages, at the price of a state.
        pytest.approx(0.00001 * 1e6),
        pytest.approx(1024 * 1e6 / 1024**3 * 0.5, abs=1e-6),
        2 * 0.3,
        45 * 0.3,
        pytest.approx(8 * 8_640 * 0.000003),
        # Three invocations of two messages.
        pytest.approx(1.5 * 5),
    ]


def test_metrics_are_counted_by_name_and_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Throughline")
        patch.setenv("POWERTOOLS_SERVICE_NAME", "throughline")
        for channel in ("sms", "sms", "email"):
            metrics.count(metrics.Metric.SENT, channel)
        metrics.StatusMetrics().message_status_rose(
            MessageStatus.DELIVERED, timedelta(seconds=1), "sms", None
        )
    log = capsys.readouterr().out + '{"level":"INFO","message":"sent"}\n'

    assert usage.metrics_in(log) == [
        "MessageDelivered/throughline",
        "MessageTimeToDeliver/throughline",
        "Sent/email/throughline",
        "Sent/sms/throughline",
        "TimeToDeliver/sms/throughline",
    ]


def test_a_write_whose_condition_failed_is_billed_by_its_item() -> None:
    body = json.dumps({"__type": "Failed", "Item": {"text": {"S": "x" * 1_500}}}).encode()

    assert meter_cloud.consumed("UpdateItem", b"{}", (400, {}, body)) == (0, 2)


@pytest.mark.parametrize(
    ("before", "after", "units"), [(0, 0, 1), (1020, 100, 1), (100, 1021, 2), (3000, 1, 3)]
)
def test_a_write_is_billed_by_the_larger_item(before: int, after: int, units: int) -> None:
    items = [{"text": {"S": "x" * letters}} for letters in (before, after)]

    assert usage.write_units(items[0], items[1]) == units


def test_an_item_and_its_entry_in_the_index_are_stored() -> None:
    item = {"pk": {"S": "m1"}, "sk": {"S": "message"}, "text": {"S": "hello"}}
    listed = {"listed_under": {"S": "2026-11-24#1"}, "accepted_at": {"S": "x" * 24}}
    size, keys = usage.item_bytes({**item, **listed}), 2 + 2 + 2 + 7 + 12 + 12 + 11 + 24

    assert usage.stored_bytes([item]) == usage.item_bytes(item) + 100
    assert usage.stored_bytes([{**item, **listed}]) == size + 100 + keys + 100


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
    response: meter_cloud.HttpResponse = 200, {}, b'{"Items": [{"pk": {"S": "m1"}}]}'

    assert meter_cloud.consumed("Query", request_, response) == (units, 0)


@pytest.mark.parametrize(("consistent", "units"), [(True, 4), (False, 2)])
def test_a_batch_reads_each_of_its_keys(*, consistent: bool, units: float) -> None:
    keys = [{"pk": {"S": name}} for name in ("large", "small", "none")]
    asked = {"Messages": {"Keys": keys, "ConsistentRead": consistent}}
    items = [{"text": {"S": "x" * 5_000}}, {"text": {"S": "x"}}]
    response: meter_cloud.HttpResponse = (
        200,
        {},
        json.dumps({"Responses": {"Messages": items}}).encode(),
    )

    request = json.dumps({"RequestItems": asked}).encode()
    assert meter_cloud.consumed("BatchGetItem", request, response) == (units, 0)


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


def judged_targets(
    *runs: dict[str, Any], dollars: Mapping[str, float] = LISTED_COST
) -> dict[str, tuple[str, bool]]:
    measured = {
        "runs": runs,
        "code_runs": [],
        "imports": [{"name": "send_message", "ratio": 1.2}],
        "costs": [{"usage": {"states": 20, "messages": 10}, "dollars_per_million": dollars}],
    }
    return {what: (found, met) for what, _, found, met in targets.targets(measured)}


def test_throughput_is_judged_under_the_greatest_pace_and_a_loss_anywhere() -> None:
    found = judged_targets(run(4, 120, 3.6, lost=1), run(15.5, 1000, 15.2), run(None, 100, 9.0))

    assert found["messages per second, 1,000 mixed, sustained"] == ("15.2", True)
    assert found["lost, sent twice or wrong, in all runs"] == ("1", False)


def test_a_stack_that_does_not_keep_up_is_slower_at_the_end() -> None:
    found = judged_targets(run(4, 120, 3.6), run(15.5, 1000, 14.9, last=0.7))

    assert [met for _, met in found.values()][:2] == [False, False]


def test_a_message_delivered_first_costs_at_most_66_dollars_per_million() -> None:
    what = "AWS, US dollars per million messages delivered first"
    cheap = judged_targets(run(15.5, 1000, 15.2), dollars={"Step Functions": 50, "Logs": 16})
    dear = judged_targets(run(15.5, 1000, 15.2), dollars={"Step Functions": 50, "Logs": 16.01})

    assert (cheap[what], dear[what]) == (("66.00", True), ("66.01", False))


def test_a_right_code_is_approved_once_and_each_other_check_comes_too_late() -> None:
    assert code_verdict("ok", [APPROVED, TOO_LATE]) == "ok"
    assert code_verdict("ok", [APPROVED, APPROVED]) == "approved twice"
    assert code_verdict("ok", [TOO_LATE, TOO_LATE]) == "lost"
    assert code_verdict("ok", []) == "lost"
    assert code_verdict("ok", [APPROVED, "pending"]) == "wrong"
    assert code_verdict("duplicated", [APPROVED, TOO_LATE]) == "duplicated"
    assert code_verdict("wrong", [APPROVED, TOO_LATE]) == "wrong"


def test_verdicts_of_verifications_are_counted() -> None:
    found = judged_codes(["ok", "approved twice", "duplicated", "lost", "lost", "wrong"])

    assert found == CodeVerdicts(6, approved_twice=1, sent_twice=1, lost=2, wrong=1)
    assert not found.clean
    assert judged_codes(["ok"]).clean


def code_run(**changes: Any) -> dict[str, Any]:
    verdicts = dict.fromkeys(("lost", "sent_twice", "approved_twice", "wrong"), 0)
    return {
        "name": "1,000 verifications",
        "per_second": 10,
        "verdicts": verdicts | changes,
        "latencies": {"start_to_call": {"p95": 0.4}, "check": {"p95": 0.6}},
    }


def test_verifications_are_judged_by_what_went_wrong_and_by_their_latencies() -> None:
    codes = [code_run(approved_twice=1), code_run(lost=2)]
    cost = {"scenario": "code by WhatsApp", "dollars_per_million": {"KMS": 6, "Logs": 84.01}}
    measured = {"runs": [], "code_runs": codes, "costs": [cost]}
    found = {what: (found, met) for what, _, found, met in targets.targets(measured)}

    assert found == {
        "verifications lost, sent twice, approved twice or wrong, in all runs": ("3", False),
        "AWS, US dollars per million verifications, code by WhatsApp": ("90.01", False),
        "start of a verification to provider call, p95, 1,000 verifications": ("0.40 s", True),
        "response to the right code, p95, 1,000 verifications": ("0.60 s", False),
    }


@pytest.mark.parametrize(
    "content",
    [
        {"text": "123456 is your code. It expires in 10 minutes.\n\n@example.com #123456"},
        {"text": None, "template": {"parameters": ["123456", "123456"]}},
        {"text": "Your code: 123456", "subject": "Sign in", "html": "#999999"},
    ],
)
def test_a_code_is_read_from_what_the_phone_shows(content: dict[str, Any]) -> None:
    assert code_in(content) == "123456"
    assert code_in({"text": "Call 12065550100"}) is None


def test_each_of_a_thousand_verifications_has_a_recipient_of_its_own() -> None:
    sent = to_many_recipients(mixed(1_000, CODE_SCENARIOS))
    recipients = Counter(address for one in sent for address in set(one.to.values()))
    prefixes = Counter(address[:-4] for address in recipients if address.startswith("+"))

    assert set(recipients.values()) == {1}
    assert max(prefixes.values()) <= 5
    assert {len(one.to) for one in sent if one.name == "code by WhatsApp"} == {2}


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
