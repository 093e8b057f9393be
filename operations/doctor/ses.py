"""Amazon SES: whether the sender is verified, and how many emails the account may send."""

from collections.abc import Iterator, Mapping
from email.utils import parseaddr

from operations.doctor.account import AccountReader, NotInAccount, Response
from operations.doctor.examined import ExaminedStack, Pace
from operations.doctor.findings import Finding, fix, limit, note, number, ok

PRODUCTION = (
    "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL "
    "--website-url https://… --region {region}"
)
UNLIMITED = -1


def sending(account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    """The account's state and its quotas in the Region."""
    yield from judge_account(account.read("sesv2", "GetAccount"), examined)


def judge_account(found: Response, examined: ExaminedStack) -> Iterator[Finding]:
    """Sentences about GetAccount.

    docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
    """
    if not found.get("SendingEnabled") or found.get("EnforcementStatus") == "SHUTDOWN":
        yield fix(
            f"SES does not send: sending is {_state(found)}.",
            "Read the reason on the reputation page of the SES console, and answer its case; "
            "aws sesv2 put-account-sending-attributes --sending-enabled if you disabled it.",
        )
    elif found.get("EnforcementStatus") == "PROBATION":
        yield limit(
            "SES reviews the account because of its reputation.", "The SES console says why."
        )
    yield from _quota(found.get("SendQuota", {}), examined.pace)
    if found.get("ProductionAccessEnabled"):
        yield ok("The account has production access: email goes to any address.")
    else:
        yield limit(
            "The account is in the sandbox of SES: email goes to verified addresses and to the "
            "mailbox simulator only.",
            PRODUCTION.format(region=examined.region),
        )


def _state(found: Response) -> str:
    paused = found.get("EnforcementStatus") == "SHUTDOWN"
    return "paused by AWS (SHUTDOWN)" if paused else "disabled in this Region"


def _quota(quota: Response, pace: Pace) -> Iterator[Finding]:
    rate, most, sent = (
        quota.get(name, 0) for name in ("MaxSendRate", "Max24HourSend", "SentLast24Hours")
    )
    text = f"SES sends up to {number(rate)} emails per second"
    if most == UNLIMITED:
        text += ", without a limit per day."
    else:
        text += f" and {number(most)} in 24 hours; {number(sent)} were sent in the last 24."
    console = "Request a higher sending quota on the account dashboard of the SES console."
    if UNLIMITED < most <= sent:
        yield fix(f"{text} Until some of these are older, every email is rejected.", console)
    elif rate < pace.starts_per_second:
        yield limit(
            f"{text} The stack starts up to {number(pace.starts_per_second)} messages per second; "
            "an email above SES's rate is throttled and retried.",
            console,
        )
    else:
        yield ok(text)


def identity(account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    """Whether the sender's address, or a domain above it, is verified."""
    address = parseaddr(examined.parameter("EMAIL_SENDER"))[1]
    if not address:
        yield note("email_sender is empty: the stack sends no email.")
        return
    found: dict[str, Response] = {}
    for name in identities(address):
        try:
            found[name] = account.read("sesv2", "GetEmailIdentity", EmailIdentity=name)
        except NotInAccount:
            continue
    yield from judge_identity(address, found, examined.region)


def identities(address: str) -> list[str]:
    """What may be verified for an address: itself, its domain, or a domain that contains it.

    docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    labels = address.rpartition("@")[2].split(".")
    return [address, *(".".join(labels[first:]) for first in range(len(labels) - 1))]


def judge_identity(address: str, found: Mapping[str, Response], region: str) -> Iterator[Finding]:
    """Sentences about GetEmailIdentity of each of the address's identities that exists."""
    domain = address.rpartition("@")[2]
    verified = [name for name, one in found.items() if one.get("VerifiedForSendingStatus")]
    if not found:
        yield fix(
            f"email_sender {address}: neither the address nor its domain is an identity of SES in "
            f"{region}, so every email is rejected.",
            f"aws sesv2 create-email-identity --email-identity {domain} --region {region}, then "
            "its DNS records; or verify the address alone. Or set your own email_sender.",
        )
    elif not verified:
        name = next(iter(found))
        yield fix(
            f"email_sender {address}: the identity {name} is not verified "
            f"({found[name].get('VerificationStatus', 'PENDING')}), so every email is rejected.",
            f"Add the DNS records that the SES console shows for {name}, or open the link that "
            "SES has sent to it.",
        )
    else:
        yield ok(f"email_sender {address}: the identity {verified[0]} is verified.")
        yield from _dkim(verified[0], found[verified[0]])


def _dkim(name: str, found: Response) -> Iterator[Finding]:
    status = found.get("DkimAttributes", {}).get("Status", "NOT_STARTED")
    if status != "SUCCESS":
        yield limit(
            f"DKIM of {name} is {status}: mailbox providers reject or filter mail without it.",
            "Publish the CNAME records that the SES console shows under DKIM.",
        )
