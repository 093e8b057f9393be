"""`make doctor` on accounts of each kind: what it prints, and how it ends."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from operations import stack
from operations.doctor import __main__ as doctor
from operations.doctor.account import AccountReader
from operations.doctor.examined import planned
from operations.doctor.findings import Finding, Mark
from tests.support.account import NUMBER, REGION, FakeAccount, Json, Reply
from tests.unit.operations import accounts
from tests.unit.operations.accounts import HALF, NEW, PRODUCTION, TOPIC, WABA, WHATSAPP

CDK = {
    "starts_per_second": 100,
    "starter_concurrency": 5,
    "whatsapp_sender": "phone-number-id-00000000000000000000000000000001",
    "sms_sender": "+12065550100",
    "email_sender": "Throughline <hello@example.com>",
    "voice_sender": "",
    "@aws-cdk/core:checkSecretUsage": True,
}


@pytest.fixture(autouse=True)
def _cdk_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text(json.dumps({"context": CDK}))
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    monkeypatch.setenv("STACK", "Throughline")


def examined(replies: Mapping[str, Reply], default: str | None = None) -> list[Finding]:
    findings: list[Finding] = []
    list(doctor.report(FakeAccount(replies, default).reader(), findings))
    return findings


def printed(
    replies: Mapping[str, Reply], monkeypatch: pytest.MonkeyPatch, default: str | None = None
) -> tuple[int, str]:
    """The exit code and the output of the command; one line a sentence."""
    reader = FakeAccount(replies, default).reader()
    monkeypatch.setattr(AccountReader, "create", lambda: reader)
    lines: list[str] = []
    monkeypatch.setattr(sys.stdout, "write", lines.append)
    with pytest.raises(SystemExit) as ended:
        doctor.main()
    return int(str(ended.value.code)), "".join(lines)


def marked(findings: list[Finding], mark: Mark) -> list[str]:
    return [finding.text for finding in findings if finding.mark == mark]


def test_a_production_account_has_nothing_to_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = printed(PRODUCTION, monkeypatch)

    assert code == 0
    assert output.endswith("Nothing to fix in what was read.\n")
    findings = examined(PRODUCTION)
    assert {finding.mark for finding in findings} == {Mark.OK, Mark.NOTE, Mark.LIMIT}
    # Only marketing: a transactional number may not send it.
    assert [text for text in marked(findings, Mark.LIMIT) if "PROMOTIONAL" not in text] == []


def test_a_production_account_is_told_what_its_figures_allow() -> None:
    found = " ".join(finding.text for finding in examined(PRODUCTION))

    # 995 left of 1,000; two functions beside the starter took 0.2 s each for each of 1,000 sends.
    assert "The other 995 allow about 2,500 messages per second, at 0.4 s of functions" in found
    assert "measured over 1,000 sends" in found
    assert "The stack starts up to 25 per second" in found
    assert "StartExecution: 300 per second, and 1,300 at once" in found
    assert "leaves 275 to callers" in found
    assert "2,500 messages per second if its first channel delivers it; 1,200" in found
    assert "830 messages per second if two fallbacks are needed" in found
    # A million at 25 per second: 40,000 seconds.
    assert "messages may wait 670 minutes" in found
    assert "The monthly spend limit is $500, $12.50 of it spent so far" in found


def test_a_new_account_is_told_all_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = printed(NEW, monkeypatch)

    assert code == 1
    assert output.endswith("3 to FIX: until then, messages are not delivered or get no receipt.\n")
    assert [text.partition(":")[0] for text in marked(examined(NEW), Mark.FIX)] == [
        "whatsapp_sender phone-number-id-00000000000000000000000000000001",
        "sms_sender +12065550100",
        "email_sender hello@example.com",
    ]
    assert f"There is no stack Throughline in {REGION} yet" in output
    assert "voice_sender is empty" in output


def test_a_new_account_is_told_its_limits_and_how_to_raise_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, output = printed(NEW, monkeypatch)

    # 5 of 10 are left beside start_delivery, and a send takes 0.3 to 0.9 s.
    limits = " ".join(marked(examined(NEW), Mark.LIMIT))
    assert "The other 5 allow about 5.6 to 17 messages per second, at 0.3 to 0.9 s" in limits
    assert "up to 1 emails per second and 200 in 24 hours; 0 were sent" in limits
    assert "1 of at most 10 are verified" in limits
    assert "The monthly spend limit is $1." in limits
    assert (
        "aws service-quotas request-service-quota-increase --service-code lambda "
        f"--quota-code L-B99A9384 --desired-value 1000 --region {REGION}\n"
    ) in output
    # 100 messages per second with two fallbacks enter 600 states.
    assert "State transitions: 500 per second" in limits
    assert f"--quota-code L-TRANSITIONS --desired-value 600 --region {REGION}\n" in output
    assert "aws sesv2 put-account-details --production-access-enabled" in output


def test_what_is_left_half_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = printed(HALF, monkeypatch)

    assert code == 1
    broken = "\n".join(marked(examined(HALF), Mark.FIX))
    assert "Business Account Ana's shop is not registered completely" in broken
    assert "sms_sender +12065550123 is PENDING" in broken
    assert "the identity mail.example.org is not verified (PENDING)" in broken
    assert "pool-0123456789abcdef has no active phone number with the capability VOICE" in broken
    assert "of the configuration set sms-set is missing" in broken
    assert "of the configuration set email-set is disabled" in broken
    assert "Alarms do not reach on-call@example.org yet" in output
    limits = "\n".join(marked(examined(HALF), Mark.LIMIT))
    assert "$450.00 of it spent so far. When it is reached" in limits


def test_events_of_whatsapp_that_go_elsewhere_are_sent_here_by_a_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = f"arn:aws:sns:{REGION}:{NUMBER}:another"
    replies = PRODUCTION | {
        "socialmessaging:GetLinkedWhatsAppBusinessAccount": accounts.whatsapp_account(elsewhere)
    }
    code, output = printed(replies, monkeypatch)

    assert code == 1
    assert f"go to {elsewhere}, so no receipt arrives" in " ".join(output.split())
    assert (
        f"aws socialmessaging put-whatsapp-business-account-event-destinations --id {WABA} "
        f"--event-destinations eventDestinationArn={TOPIC} --region {REGION}"
    ) in output


def test_without_any_permission_each_missing_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = printed({}, monkeypatch, default="AccessDeniedException no")

    assert code == 0
    findings = examined({}, default="AccessDeniedException no")
    unread = marked(findings, Mark.UNKNOWN)
    assert all("the permission " in text and text.endswith(" is missing.") for text in unread)
    assert {text.split("the permission ")[1].split()[0] for text in unread} == {
        "cloudformation:DescribeStacks",
        "lambda:GetAccountSettings",
        "servicequotas:ListAWSDefaultServiceQuotas",
        "servicequotas:ListServiceQuotas",
        "social-messaging:GetLinkedWhatsAppBusinessAccountPhoneNumber",
        "sms-voice:DescribeAccountAttributes",
        "sms-voice:DescribePhoneNumbers",
        "sms-voice:DescribeSpendLimits",
        "ses:GetAccount",
        "ses:GetEmailIdentity",
    }
    assert f"{len(unread)} could not be read." in output


@pytest.mark.parametrize("denied", sorted(PRODUCTION))
def test_one_missing_permission_hides_only_what_needs_it(denied: str) -> None:
    findings = examined(PRODUCTION | {denied: "AccessDeniedException no"})

    unread = marked(findings, Mark.UNKNOWN)
    assert unread
    assert all(denied.partition(":")[2] in text for text in unread)
    assert len(marked(findings, Mark.OK)) > 5


@pytest.mark.parametrize("code", ["UnknownOperationException", "InvalidAction", "400"])
def test_a_service_that_is_not_there_could_not_be_read(code: str) -> None:
    findings = examined(PRODUCTION | {"sesv2:GetAccount": code})

    assert marked(findings, Mark.UNKNOWN) == [
        "Could not be read: ses:GetAccount is not available here."
    ]


def test_another_error_is_shown_as_aws_words_it() -> None:
    findings = examined(PRODUCTION | {"sesv2:GetAccount": "InternalFailure Try again."})

    assert marked(findings, Mark.UNKNOWN) == [
        "Could not be read: ses:GetAccount failed: InternalFailure Try again."
    ]


def test_an_endpoint_that_does_not_answer_is_not_available() -> None:
    def unreachable(_: Json) -> Json:
        raise EndpointConnectionError(endpoint_url="https://email.eu-central-1.amazonaws.com")

    findings = examined(PRODUCTION | {"sesv2:GetAccount": unreachable})

    assert marked(findings, Mark.UNKNOWN) == [
        "Could not be read: ses:GetAccount has no answer in this Region."
    ]


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_credentials_that_are_not_valid_end_the_command(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        examined({}, default=code)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_IN_PROGRESS"])
def test_a_stack_that_is_not_deployed_whole_is_named(status: str) -> None:
    findings = examined(NEW | {"cloudformation:DescribeStacks": accounts.stack(status)})

    assert f"The stack Throughline is {status}" in marked(findings, Mark.FIX)[0]


def test_a_stack_on_this_machine_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    first, *_ = examined(PRODUCTION)

    assert (first.mark, "not an AWS account" in first.text) == (Mark.NOTE, True)


def test_the_senders_are_those_that_are_deployed() -> None:
    replies = PRODUCTION | {
        "lambda:GetFunctionConfiguration": accounts.functions(SMS_SENDER="+12065550199")
    }

    (broken,) = marked(examined(replies), Mark.FIX)
    assert broken.startswith("sms_sender +12065550199: the account has no such phone number")
    assert "It has: +12065550123, +12065550125." in broken


def test_before_the_deployment_events_of_whatsapp_are_a_next_step() -> None:
    replies = NEW | {
        "socialmessaging:GetLinkedWhatsAppBusinessAccountPhoneNumber": {
            "phoneNumber": accounts.whatsapp_number(),
            "linkedWhatsAppBusinessAccountId": WABA,
        },
        "socialmessaging:GetLinkedWhatsAppBusinessAccount": accounts.whatsapp_account(),
    }

    remedies = [finding.remedy for finding in examined(replies)]
    assert any("eventDestinationArn=<ReceiptsTopicArn>" in remedy for remedy in remedies)


def test_a_number_of_another_account_is_answered_with_the_linked_ones() -> None:
    replies = PRODUCTION | {
        "socialmessaging:GetLinkedWhatsAppBusinessAccountPhoneNumber": "ResourceNotFoundException",
        "socialmessaging:ListLinkedWhatsAppBusinessAccounts": {
            "linkedAccounts": [accounts.business_account(TOPIC)]
        },
    }

    (broken,) = marked(examined(replies), Mark.FIX)
    assert broken == (
        f"whatsapp_sender {WHATSAPP}: no linked account has this number. "
        f"Linked: Ana's shop ({WABA})."
    )


def test_a_stack_without_an_alarm_address_is_told_so() -> None:
    resources = [
        one
        for one in accounts.RESOURCES["StackResourceSummaries"]
        if one["PhysicalResourceId"] != accounts.ALARM_TOPIC
    ]
    listed = {"cloudformation:ListStackResources": {"StackResourceSummaries": resources}}

    notes = marked(examined(PRODUCTION | listed), Mark.NOTE)
    assert any("alarm_email is empty" in text for text in notes)


def test_a_channel_without_a_sender_is_not_examined_further() -> None:
    nobody = dict.fromkeys(("WHATSAPP_SENDER", "SMS_SENDER", "EMAIL_SENDER", "VOICE_SENDER"), "")
    account = FakeAccount(
        PRODUCTION | {"lambda:GetFunctionConfiguration": accounts.functions(**nobody)}
    )
    findings: list[Finding] = []
    list(doctor.report(account.reader(), findings))

    assert [text for text in marked(findings, Mark.NOTE) if "is empty" in text] == [
        "whatsapp_sender is empty: the stack sends no WhatsApp messages.",
        "sms_sender is empty: the stack sends no SMS.",
        "email_sender is empty: the stack sends no email.",
        "voice_sender is empty: the stack makes no calls.",
    ]
    asked = {call.partition(":")[0] for call in account.calls}
    assert not asked & {"sesv2", "socialmessaging"}


def test_cdk_json_has_what_is_read_before_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found = planned("Throughline", REGION)

    assert found.pace.starts_per_second > 0
    assert {f"{each}_SENDER" for each in ("WHATSAPP", "SMS", "EMAIL", "VOICE")} <= set(
        found.parameters
    )
