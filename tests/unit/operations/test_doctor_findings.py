"""What `make doctor` says of one part of an account, by what AWS replies about it."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operations.doctor import (
    alarms,
    concurrency,
    executions,
    senders,
    ses,
    social_messaging,
    spending,
)
from operations.doctor.concurrency import FunctionSeconds, assumed, measured
from operations.doctor.destinations import judge_destinations
from operations.doctor.examined import ExaminedStack, Pace
from operations.doctor.findings import Finding, Mark, about, limit, note, number
from tests.support.account import REGION, Json
from tests.unit.operations import accounts
from tests.unit.operations.accounts import TOPIC

PACE = Pace(starts_per_second=100, starter_concurrency=5)
STACK = ExaminedStack("Throughline", REGION, PACE, {}, {"ReceiptsTopicArn": TOPIC}, {}, ())
NUMBER = "+12065550123"


def told(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.mark.value, finding.text) for finding in findings]


def marks(findings: Iterable[Finding]) -> list[str]:
    return [finding.mark.value for finding in findings]


def test_a_finding_is_wrapped_and_its_command_is_not() -> None:
    command = "aws " + "x" * 120
    lines = list(limit("word " * 40, command).lines())

    assert lines[0].startswith("  LIMIT    word word")
    assert all(len(line) <= 100 for line in lines[:-1])
    assert lines[-1] == f"{' ' * 11}-> {command}"
    assert list(note("short").lines()) == ["  NOTE     short"]


@pytest.mark.parametrize(
    ("value", "written", "estimated"),
    [(0, "0", "0"), (5.55, "5.5", "5.5"), (16.7, "17", "17"), (1234.4, "1,234", "1,200")],
)
def test_a_number_is_written_as_a_person_does(value: float, written: str, estimated: str) -> None:
    assert (number(value), about(value)) == (written, estimated)


@pytest.mark.parametrize(
    ("total", "unreserved", "mark", "rate"),
    [
        (1000, 1000, "OK", "about 1,100 to 3,300 messages per second"),
        (1000, 96, "OK", "about 100 to 300 messages per second"),
        (1000, 94, "LIMIT", "about 99 to 300 messages per second"),
        (10, 10, "LIMIT", "about 5.6 to 17 messages per second"),
    ],
)
def test_concurrency_allows_what_the_durations_make_of_it(
    total: int, unreserved: int, mark: str, rate: str
) -> None:
    settings = accounts.concurrency(total, unreserved)["AccountLimit"]
    first, second = told(concurrency.judge(settings, PACE, assumed(), REGION))

    assert f"at most {number(total)} functions at once" in first[1]
    assert second[0] == mark
    assert rate in second[1]


def test_the_quota_that_is_asked_for_suffices_for_the_pace() -> None:
    settings = accounts.concurrency(1000)["AccountLimit"]
    *_, found = concurrency.judge(
        settings, Pace(1000, 20), FunctionSeconds(2.5, 2.5, "measured"), REGION
    )

    # 1,000 per second of 2.5 s, and 20 for the starter.
    assert "--desired-value 2600 " in found.remedy


def test_a_starter_that_takes_all_of_the_concurrency_is_named() -> None:
    settings = accounts.concurrency(10, 5)["AccountLimit"]
    *_, found = told(concurrency.judge(settings, PACE, assumed(), REGION))

    assert found[0] == "LIMIT"
    assert "leaves none for sending while requests are queued" in found[1]


def test_durations_are_measured_without_the_starter_that_waits_for_its_pace() -> None:
    durations = {"send_message": (20.0, 100.0), "record_receipt": (10.0, 200.0)}
    found = measured(durations | {"start_delivery": (900.0, 50.0)})

    assert found == FunctionSeconds(0.3, 0.3, "measured over 100 sends in 7 days")
    assert measured({"send_message": (20.0, 49.0)}) is None
    assert measured({}) is None


def by_name(response: Json) -> dict[str, Any]:
    return {one["QuotaName"]: one for one in response["Quotas"]}


def test_quotas_of_step_functions_allow_what_their_figures_say() -> None:
    found = told(
        executions.judge(by_name(accounts.quotas(starts=150, transitions=800)), PACE, REGION)
    )

    assert [mark for mark, _ in found] == ["OK", "OK", "NOTE"]
    assert "StartExecution: 150 per second" in found[0][1]
    assert "leaves 50 to callers" in found[0][1]
    assert "400 messages per second if its first" in found[1][1]
    assert "200 messages per second if one fallback" in found[1][1]
    assert "130 messages per second if two fallbacks" in found[1][1]


def test_a_pace_above_the_quota_of_starts_is_a_limit() -> None:
    found, *_ = executions.judge(by_name(accounts.quotas(starts=50)), PACE, REGION)

    assert found.mark == Mark.LIMIT
    assert "Set starts_per_second to at most 50" in found.text
    assert found.remedy.endswith(f"--quota-code L-STARTS --desired-value 100 --region {REGION}")


def test_a_quota_that_is_not_listed_is_said_to_be_unknown() -> None:
    few = {name: one for name, one in by_name(accounts.quotas()).items() if "Start" in name}
    found = told(executions.judge(few, PACE, REGION))

    assert [mark for mark, _ in found] == ["OK", "UNKNOWN", "UNKNOWN"]
    assert "does not list the quota StateTransition refill" in found[1][1]


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (accounts.ses(), ["OK", "OK"]),
        (accounts.ses(rate=14), ["LIMIT", "OK"]),
        (accounts.ses(day=-1), ["OK", "OK"]),
        (accounts.ses(day=200, sent=200), ["FIX", "OK"]),
        (accounts.ses(production=False), ["OK", "LIMIT"]),
        (accounts.ses(SendingEnabled=False), ["FIX", "OK", "OK"]),
        (accounts.ses(EnforcementStatus="SHUTDOWN"), ["FIX", "OK", "OK"]),
        (accounts.ses(EnforcementStatus="PROBATION"), ["LIMIT", "OK", "OK"]),
    ],
)
def test_an_account_of_ses(account: Json, expected: list[str]) -> None:
    assert marks(ses.judge_account(account, STACK)) == expected


def test_an_address_is_verified_by_itself_or_by_a_domain_above_it() -> None:
    assert ses.identities("hello@mail.example.org") == [
        "hello@mail.example.org",
        "mail.example.org",
        "example.org",
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, ["FIX"]),
        ({"example.org": accounts.identity()}, ["OK"]),
        ({"example.org": accounts.identity(dkim="FAILED")}, ["OK", "LIMIT"]),
        ({"a@example.org": accounts.identity(verified=False)}, ["FIX"]),
        (
            {
                "a@example.org": accounts.identity(verified=False),
                "example.org": accounts.identity(),
            },
            ["OK"],
        ),
    ],
)
def test_an_identity_of_ses(found: dict[str, Json], expected: list[str]) -> None:
    assert marks(ses.judge_identity("a@example.org", found, REGION)) == expected


@pytest.mark.parametrize(
    ("limits", "spent", "mark", "remedy"),
    [
        (accounts.spend_limits(1), None, "LIMIT", "Service Quotas"),
        (accounts.spend_limits(1), 1.0, "FIX", "Service Quotas"),
        (accounts.spend_limits(500), None, "OK", ""),
        (accounts.spend_limits(500), 399.0, "OK", ""),
        (accounts.spend_limits(500), 400.0, "LIMIT", "Service Quotas"),
        (accounts.spend_limits(500), 500.2, "FIX", "Service Quotas"),
        (
            accounts.spend_limits(500, enforced=50),
            50.0,
            "FIX",
            "set-text-message-spend-limit-override --monthly-limit 500",
        ),
    ],
)
def test_a_spend_limit(limits: Json, spent: float | None, mark: str, remedy: str) -> None:
    found = spending.judge_spending(limits["SpendLimits"][0], spent, "text-message")

    assert found.mark == mark
    assert remedy in found.remedy
    assert ("is reached, so every message is rejected" in found.text) == (mark == "FIX")


@pytest.mark.parametrize(
    ("name", "listed", "expected"),
    [
        (NUMBER, accounts.phone_number(), "OK"),
        ("12065550123", accounts.phone_number(), "OK"),
        ("phone-12065550123", accounts.phone_number(), "OK"),
        (accounts.phone_number()["PhoneNumberArn"], accounts.phone_number(), "OK"),
        ("+12065550199", accounts.phone_number(), "FIX"),
        (NUMBER, accounts.phone_number(Status="PENDING"), "FIX"),
        (NUMBER, accounts.phone_number(NumberCapabilities=["VOICE"]), "FIX"),
    ],
)
def test_a_phone_number_as_the_sender(name: str, listed: Json, expected: str) -> None:
    assert senders.PHONE.fullmatch(name)
    assert marks(senders.judge_phone_number(name, [listed], "sms"))[0] == expected


def test_what_aws_says_of_a_numbers_rate_and_of_its_replies_is_told() -> None:
    listed = accounts.phone_number(
        NumberType="TEN_DLC",
        MessageType="PROMOTIONAL",
        MessagingLimits={"RateLimits": {"SMS": 75}, "DailyMessageCaps": {"T-MOBILE": 2000}},
        TwoWayEnabled=True,
        TwoWayChannelArn=TOPIC,
    )
    sentences = " ".join(
        text for _, text in told(senders.judge_phone_number(NUMBER, [listed], "sms"))
    )

    assert "an active ten dlc number" in sentences
    assert "up to 75 message parts per second" in sentences
    assert "up to 2,000 messages a day to T-MOBILE" in sentences
    assert "category authentication and utility are TRANSACTIONAL" in sentences
    assert f"replies go to {TOPIC}" in sentences


def test_a_simulator_number_reaches_simulators_only() -> None:
    found = senders.judge_phone_number(
        NUMBER, [accounts.phone_number(NumberType="SIMULATOR")], "voice"
    )

    assert "simulator numbers only" in " ".join(text for _, text in told(found))


@pytest.mark.parametrize(
    ("pools", "numbers", "channel", "expected"),
    [
        ([accounts.pool()], [], "sms", "OK"),
        ([accounts.pool()], [accounts.IN_POOL], "voice", "OK"),
        ([accounts.pool()], [], "voice", "FIX"),
        ([accounts.pool()], [{**accounts.IN_POOL, "Status": "PENDING"}], "voice", "FIX"),
        ([accounts.pool(Status="CREATING")], [], "sms", "FIX"),
        ([accounts.pool("pool-other")], [], "sms", "FIX"),
    ],
)
def test_a_pool_as_the_sender(
    pools: list[Any], numbers: list[Any], channel: str, expected: str
) -> None:
    name = "pool-0123456789abcdef"

    assert senders.POOL.fullmatch(name)
    assert marks(senders.judge_pool(name, pools, numbers, channel))[0] == expected


def test_a_sender_id_is_for_its_countries() -> None:
    own = [accounts.sender_id("GB", "PROMOTIONAL"), accounts.sender_id("DE", "TRANSACTIONAL")]

    assert told(senders.judge_sender_id("ANASHOP", own, "sms")) == [
        (
            "OK",
            "sms_sender ANASHOP is a sender ID for DE, GB; SMS to other countries may be rejected.",
        ),
        ("NOTE", "sms_sender ANASHOP: recipients cannot reply to a sender ID."),
    ]
    assert marks(senders.judge_sender_id("OTHER", own, "sms")) == ["FIX"]


@pytest.mark.parametrize(
    ("name", "found", "mark", "text"),
    [
        ("notify", [], "NOTE", "the deployment creates a Notify configuration"),
        ("nc-1", [accounts.notify_configuration()], "OK", "from AWS's numbers to DE, US"),
        ("nc-1", [accounts.notify_configuration("PENDING")], "FIX", "which is PENDING, so no SMS"),
        (
            "nc-1",
            [accounts.notify_configuration("REJECTED", RejectionReason="A brand of another.")],
            "FIX",
            "REJECTED (A brand of another.)",
        ),
        ("nc-2", [accounts.notify_configuration()], "FIX", "It has: nc-1."),
        (
            accounts.notify_configuration()["NotifyConfigurationArn"],
            [accounts.notify_configuration()],
            "OK",
            "uses the Notify configuration Ana's shop, which is active",
        ),
    ],
)
def test_a_notify_configuration_as_the_sender(
    name: str, found: list[Any], mark: str, text: str
) -> None:
    assert senders.is_notify(name)
    (found_mark, found_text), *_ = told(senders.judge_notify(name, found))

    assert (found_mark, text in found_text) == (mark, True)


@pytest.mark.parametrize(
    ("tier", "allowed"),
    [
        ("BASIC", "allows 1 messages per second and 200 per day, and 10 per day to one number"),
        ("ADVANCED", "allows 25 messages per second, and 10 per day to one number"),
    ],
)
def test_the_tier_of_a_notify_configuration_is_a_limit(tier: str, allowed: str) -> None:
    *_, found = senders.judge_notify("nc-1", [accounts.notify_configuration(Tier=tier)])

    assert (found.mark, allowed in found.text) == (Mark.LIMIT, True)


@pytest.mark.parametrize(
    ("quality", "mark"), [("GREEN", "OK"), ("UNKNOWN", "OK"), ("YELLOW", "LIMIT"), ("RED", "LIMIT")]
)
def test_the_quality_of_a_whatsapp_number(quality: str, mark: str) -> None:
    (found,) = told(social_messaging.judge_number(accounts.whatsapp_number(quality)))

    assert found[0] == mark
    assert f"its quality is {quality}" in found[1]


WITH_CODES = replace(
    STACK,
    parameters={
        "WHATSAPP_CODE_TEMPLATE": "verification_code",
        "WHATSAPP_CODE_LANGUAGES": "en,pt_BR",
    },
)


@pytest.mark.parametrize(
    ("other", "missing"),
    [
        ({}, ""),
        ({"templateStatus": "PENDING"}, "in pt_BR:"),
        ({"templateCategory": "UTILITY"}, "in pt_BR:"),
        ({"templateName": "another"}, "in pt_BR:"),
        ({"templateLanguage": "pt_PT"}, "in pt_BR:"),
    ],
)
def test_the_template_of_codes_is_approved_in_each_language(
    other: dict[str, str], missing: str
) -> None:
    templates = [accounts.code_template("en"), accounts.code_template("pt_BR", **other)]
    found = social_messaging.judge_code_template(templates, "waba-1", WITH_CODES)

    assert found.mark == (Mark.LIMIT if missing else Mark.OK)
    assert missing in found.text
    assert ("create-whatsapp-message-template --id waba-1" in found.remedy) == bool(missing)


def test_the_template_that_is_proposed_is_that_of_cdk_json() -> None:
    template = json.loads(Path("docs/whatsapp-code-template.json").read_text())
    context = json.loads(Path("cdk.json").read_text())["context"]

    assert template["name"] == context["whatsapp_code_template"]
    assert template["language"] == context["whatsapp_code_languages"]
    assert template["category"] == "AUTHENTICATION"
    assert template["components"][-1]["buttons"][0]["otp_type"] == "COPY_CODE"


def test_a_whatsapp_account_without_a_destination_is_told_so() -> None:
    (found,) = social_messaging.judge_business_account(accounts.business_account(), STACK)

    assert found.mark == Mark.FIX
    assert "go nowhere" in found.text
    assert "replaces" not in found.remedy


@pytest.mark.parametrize(
    ("destination", "mark"),
    [
        ({"Enabled": True, "SnsDestination": {"TopicArn": TOPIC}}, "OK"),
        ({"Enabled": False, "SnsDestination": {"TopicArn": TOPIC}}, "FIX"),
        ({"Enabled": True, "SnsDestination": {"TopicArn": f"{TOPIC}-2"}}, "FIX"),
        ({"Enabled": True}, "FIX"),
    ],
)
def test_an_event_destination(destination: Json, mark: str) -> None:
    assert marks(judge_destinations("a-set", [destination], STACK)) == [mark]


@pytest.mark.parametrize(
    ("arn", "mark"), [("PendingConfirmation", "LIMIT"), (f"{accounts.ALARM_TOPIC}:1", "OK")]
)
def test_a_subscription_to_the_alarms(arn: str, mark: str) -> None:
    assert marks(alarms.judge(accounts.subscription(arn)["Subscriptions"])) == [mark]


def test_a_topic_of_alarms_that_nobody_reads_is_a_limit() -> None:
    assert marks(alarms.judge([])) == ["LIMIT"]
