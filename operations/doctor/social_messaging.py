"""AWS End User Messaging Social: whether the WhatsApp number is linked and its events come here."""

from collections.abc import Iterator, Sequence

from operations.doctor.account import AccountReader, NotInAccount, Response
from operations.doctor.examined import ExaminedStack
from operations.doctor.findings import Finding, fix, limit, note, ok

SERVICE = "socialmessaging"
CONSOLE = "console.aws.amazon.com/social-messaging"
COMMAND = (
    "aws socialmessaging put-whatsapp-business-account-event-destinations --id {account} "
    "--event-destinations eventDestinationArn={topic} --region {region}"
)
CREATE_TEMPLATE = (
    "aws socialmessaging create-whatsapp-message-template --id {account} "
    "--template-definition fileb://docs/whatsapp-code-template.json --region {region}"
)


def sender(account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    """Whether the number exists, its quality, and where the events of its account go."""
    name = examined.parameter("WHATSAPP_SENDER")
    if not name:
        yield note("whatsapp_sender is empty: the stack sends no WhatsApp messages.")
        return
    try:
        found = account.read(SERVICE, "GetLinkedWhatsAppBusinessAccountPhoneNumber", id=name)
    except NotInAccount:
        linked = account.read(SERVICE, "ListLinkedWhatsAppBusinessAccounts")
        yield judge_missing(name, linked.get("linkedAccounts", []))
        return
    yield from judge_number(found["phoneNumber"])
    waba = found["linkedWhatsAppBusinessAccountId"]
    business = account.read(SERVICE, "GetLinkedWhatsAppBusinessAccount", id=waba)
    yield from judge_business_account(business["account"], examined)
    if examined.parameter("WHATSAPP_CODE_TEMPLATE"):
        listed = account.read(SERVICE, "ListWhatsAppMessageTemplates", id=waba)
        yield judge_code_template(listed["templates"], waba, examined)


def judge_missing(name: str, linked: Sequence[Response]) -> Finding:
    """A sentence about a number that the account does not have."""
    accounts = ", ".join(f"{one['wabaName']} ({one['id']})" for one in linked)
    if not accounts:
        return fix(
            f"whatsapp_sender {name}: no WhatsApp Business Account is linked in this Region, so "
            "every WhatsApp message is rejected.",
            f"Link one in the console: {CONSOLE}",
        )
    return fix(
        f"whatsapp_sender {name}: no linked account has this number. Linked: {accounts}.",
        f"aws socialmessaging get-linked-whatsapp-business-account --id {linked[0]['id']} lists "
        "its numbers: set the phoneNumberId of one in cdk.json, then make deploy.",
    )


def judge_number(found: Response) -> Iterator[Finding]:
    """A sentence about a WhatsAppPhoneNumberDetail; Meta rates quality GREEN, YELLOW or RED.

    docs.aws.amazon.com/social-messaging/latest/userguide/managing-phone-numbers_status.html
    """
    text = (
        f"whatsapp_sender is {found['displayPhoneNumber']}, {found['displayPhoneNumberName']}; "
        f"its quality is {found['qualityRating']}."
    )
    if found["qualityRating"] in ("YELLOW", "RED"):
        yield limit(f"{text} Meta lowers the limit of numbers with a low quality.", CONSOLE)
    else:
        yield ok(text)


def judge_code_template(
    templates: Sequence[Response], waba: str, examined: ExaminedStack
) -> Finding:
    """A sentence about the template that carries codes, in each of its languages. Meta writes the
    status and the category in capitals.
    """
    name = examined.parameter("WHATSAPP_CODE_TEMPLATE")
    approved = {
        one["templateLanguage"]
        for one in templates
        if one["templateName"] == name
        and (one["templateCategory"], one["templateStatus"]) == ("AUTHENTICATION", "APPROVED")
    }
    wanted = examined.parameter("WHATSAPP_CODE_LANGUAGES").split(",")
    if missing := [one for one in wanted if one not in approved]:
        return limit(
            f"whatsapp_code_template {name} is not an approved authentication template in "
            f"{', '.join(missing)}: a code in these languages fails on WhatsApp, and its next step "
            "follows.",
            CREATE_TEMPLATE.format(account=waba, region=examined.region),
        )
    return ok(f"whatsapp_code_template {name} is approved in {', '.join(wanted)}.")


def judge_business_account(found: Response, examined: ExaminedStack) -> Iterator[Finding]:
    """Sentences about a LinkedWhatsAppBusinessAccount, which has one event destination."""
    if found["registrationStatus"] != "COMPLETE":
        yield fix(
            f"The WhatsApp Business Account {found['wabaName']} is not registered completely.",
            f"Complete the registration in the console: {CONSOLE}",
        )
    destinations = [one["eventDestinationArn"] for one in found["eventDestinations"]]
    topic = examined.receipts_topic
    command = COMMAND.format(
        account=found["id"], topic=topic or "<ReceiptsTopicArn>", region=examined.region
    )
    if topic is None:
        yield note("After the deployment, send WhatsApp's events to the stack's topic.", command)
    elif topic in destinations:
        yield ok("The events of the WhatsApp account go to the stack's receipts topic.")
    else:
        where = f"to {', '.join(destinations)}" if destinations else "nowhere"
        yield fix(
            f"The events of the WhatsApp account go {where}, so no receipt arrives here and every "
            "wait times out.",
            f"{command}{'  (replaces the destination above)' if destinations else ''}",
        )
