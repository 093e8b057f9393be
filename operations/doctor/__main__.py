"""The command: examines one service after the other, prints the findings, and ends with 1 if there
is something to fix.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from operations import stack
from operations.doctor import (
    alarms,
    concurrency,
    destinations,
    executions,
    senders,
    ses,
    social_messaging,
    spending,
)
from operations.doctor.account import AccountReader, NotReadable
from operations.doctor.examined import ExaminedStack, examine
from operations.doctor.findings import Finding, Mark, count, unknown

Check = Callable[[AccountReader, ExaminedStack], Iterable[Finding]]

PHONES = "AWS End User Messaging SMS"


def main() -> None:
    findings: list[Finding] = []
    stack.run_command(lambda: report(AccountReader.create(), findings))
    sys.exit(1 if count(findings, Mark.FIX) else 0)


def report(account: AccountReader, findings: list[Finding]) -> Iterator[str]:
    """The lines to print; adds what it finds to the findings."""
    examined, first = examine(account)
    for heading, checks in sections(examined, first):
        yield heading
        for check in checks:
            for finding in run(check, account, examined):
                findings.append(finding)
                yield from finding.lines()
        yield ""
    yield summary(findings)


def sections(
    examined: ExaminedStack, first: list[Finding]
) -> Iterator[tuple[str, tuple[Check, ...]]]:
    """The headings and what is checked under each."""
    yield "Stack", (lambda *_: first,)
    yield "AWS Lambda", (concurrency.concurrency,)
    yield "AWS Step Functions", (executions.quotas,)
    yield "WhatsApp", (social_messaging.sender,)
    yield PHONES, (spending.tier,)
    yield "SMS", _phone_checks(examined, "sms")
    yield "Email", _email_checks(examined)
    yield "Voice", _phone_checks(examined, "voice")
    if examined.deployed:
        yield "Alarms", (alarms.subscriptions,)


def _email_checks(examined: ExaminedStack) -> tuple[Check, ...]:
    if not examined.parameter("EMAIL_SENDER"):
        return (ses.identity,)
    return (ses.sending, ses.identity, destinations.email_destination)


def _phone_checks(examined: ExaminedStack, channel: str) -> tuple[Check, ...]:
    """A channel without a sender has nothing else to be checked."""
    name = examined.parameter(f"{channel.upper()}_SENDER")
    if not name:
        return (partial(senders.sender, channel=channel),)
    return (
        partial(senders.sender, channel=channel),
        lambda account, _: spending.spending(account, channel, notify=senders.is_notify(name)),
        partial(destinations.message_destination, channel=channel),
    )


def run(check: Check, account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    """Its findings; what the account does not answer is one of them, and the next check goes on."""
    try:
        yield from check(account, examined)
    except NotReadable as problem:
        yield unknown(f"Could not be read: {problem}.")


def summary(findings: list[Finding]) -> str:
    broken, unread = (count(findings, mark) for mark in (Mark.FIX, Mark.UNKNOWN))
    sentences = [
        f"{broken} to FIX: until then, messages are not delivered or get no receipt."
        if broken
        else "Nothing to fix in what was read.",
        *([f"{unread} could not be read."] if unread else []),
    ]
    return " ".join(sentences)


if __name__ == "__main__":
    main()
