"""What a person does to the running stack: forgets a message, examines it, rotates the key."""

import json
import os
import subprocess
import sys
import uuid

from local.template import STARTERS, STARTS_PER_SECOND
from tests.e2e.conftest import ROOT, Throughline

REACHED, OPTED_OUT = "+12065550104", "+12065550110"
SMS = {"channel": "sms"}


def operation(
    throughline: Throughline, name: str, *words: str
) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **throughline.environment, "PYTHONPATH": "functions"}
    return subprocess.run(
        [sys.executable, "-m", f"operations.{name}", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def table(throughline: Throughline) -> str:
    name = throughline.environment["MESSAGES_TABLE"]
    pages = throughline.table.get_paginator("scan").paginate(TableName=name)
    return json.dumps([page["Items"] for page in pages])


def test_a_forgotten_message_has_left_no_trace_but_its_id(throughline: Throughline) -> None:
    mark, key = f"mark{uuid.uuid4().hex}", uuid.uuid4().hex
    body = {
        "to": {"sms": OPTED_OUT, "email": f"ana+{mark}@example.com"},
        "content": {"text": mark, "subject": mark},
        "steps": [SMS, {"channel": "email"}],
        "metadata": {"order": mark},
    }
    sent = throughline.post(body, Idempotency_Key=key).body["id"]
    kept = throughline.send({"to": {"sms": REACHED}, "content": {"text": "Hi"}, "steps": [SMS]})
    told = throughline.finished(sent)
    throughline.finished(kept)
    provider_id = told["attempts"][1]["provider_id"]
    before = table(throughline)
    assert (mark in before, provider_id in before) == (True, True)

    ended = operation(throughline, "forget", sent)

    assert ended.returncode == 0, ended.stderr
    left = table(throughline)
    assert (mark in left, provider_id in left) == (False, False)
    assert left.count(sent) == 1
    assert throughline.get(sent).status == 404
    assert throughline.get(kept).status == 200
    # The key is free again, and what comes now is a message of its own.
    assert throughline.post(body, Idempotency_Key=key).body["id"] != sent


def test_only_a_message_that_has_ended_is_forgotten(throughline: Throughline) -> None:
    silent = {
        "to": {"sms": "+12065550159"},
        "content": {"text": "Hi"},
        "steps": [{"channel": "sms", "wait_seconds": 5}],
    }
    sent = throughline.send(silent)
    refusal = operation(throughline, "forget", sent)

    assert refusal.returncode == 1
    assert sent in refusal.stderr
    assert throughline.finished(sent)["status"] == "undelivered"
    assert "no message" in operation(throughline, "forget", "nobody").stderr


def test_the_doctor_says_what_it_can_read_here_and_what_not(throughline: Throughline) -> None:
    ended = operation(throughline, "doctor")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = " ".join(ended.stdout.split())
    assert "NOTE This is a stack on this machine, not an AWS account" in told
    region = throughline.environment["AWS_REGION"]
    assert f"OK The stack Throughline is deployed in {region}" in told
    # The pace of the local run, read from the deployed function and its queue.
    assert f"start_delivery occupies up to {STARTERS} of these" in told
    assert f"The stack starts up to {STARTS_PER_SECOND} per second" in told
    for action in (
        *("servicequotas:ListServiceQuotas", "ses:GetAccount", "sms-voice:DescribePhoneNumbers"),
        "social-messaging:GetLinkedWhatsAppBusinessAccountPhoneNumber",
    ):
        assert f"UNKNOWN Could not be read: {action} is not available here." in told
    assert "Nothing to fix in what was read." in told


def test_a_rotated_key_opens_and_the_one_before_does_not(throughline: Throughline) -> None:
    before = throughline.environment["THROUGHLINE_API_KEY"]
    ended = operation(throughline, "rotate_key")

    assert ended.returncode == 0, ended.stderr
    secret = ended.stdout.split("--secret-id ")[1].split()[0]
    secrets = throughline.session.client(
        "secretsmanager", endpoint_url=throughline.environment["AWS_ENDPOINT_URL"]
    )
    after = secrets.get_secret_value(SecretId=secret)["SecretString"]
    assert after not in ended.stdout
    assert throughline.post({}, X_Api_Key=before).status == 403
    assert throughline.post({}, X_Api_Key=after).status == 400
    throughline.environment["THROUGHLINE_API_KEY"] = after
