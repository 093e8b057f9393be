"""AWS Step Functions: the account's quotas, and how many messages per second they allow."""

from collections.abc import Iterator, Mapping

from operations.doctor.account import AccountReader, NotReadable, Response
from operations.doctor.examined import ExaminedStack, Pace
from operations.doctor.findings import Finding, about, limit, note, number, ok, unknown

# What a message enters: two states if its first channel delivers, two more for each fallback. The
# tests of the workflow's paths assert these numbers.
STATES_FIRST, STATES_PER_FALLBACK = 2, 2
FALLBACKS = ("its first channel delivers it", "one fallback is needed", "two fallbacks are needed")

SERVICE = "states"
PAGE = "docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"


def quotas(account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    """What StartExecution's, the transitions' and the open executions' quotas allow.

    An applied quota replaces AWS's default, and is listed only where it differs or is known:
    docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
    """
    found: dict[str, Response] = {}
    for operation in ("ListAWSDefaultServiceQuotas", "ListServiceQuotas"):
        try:
            found |= _by_name(account.read("service-quotas", operation, ServiceCode=SERVICE))
        except NotReadable as problem:
            yield unknown(f"Could not be read: {problem}.")
    if found:
        yield from judge(found, examined.pace, examined.region)


def _by_name(response: Response) -> dict[str, Response]:
    return {quota["QuotaName"]: quota for quota in response.get("Quotas", [])}


def judge(quotas: Mapping[str, Response], pace: Pace, region: str) -> Iterator[Finding]:
    """Sentences about the quotas by their names, applied ones before AWS's defaults."""
    for check in (_starts, _transitions, _open_executions):
        try:
            yield from check(quotas, pace, region)
        except NotReadable as problem:
            yield unknown(str(problem))


def _starts(quotas: Mapping[str, Response], pace: Pace, region: str) -> Iterator[Finding]:
    refill, bucket = (_quota(quotas, "StartExecution", each) for each in ("refill", "bucket"))
    text = (
        f"StartExecution: {number(refill['Value'])} per second, and {number(bucket['Value'])} at "
        f"once. The stack starts up to {number(pace.starts_per_second)} per second from its queue"
    )
    if pace.starts_per_second <= refill["Value"]:
        rest = number(refill["Value"] - pace.starts_per_second)
        yield ok(f"{text}, which leaves {rest} to callers that start executions directly.")
    else:
        yield limit(
            f"{text}: throttled starts are retried, so requests wait in the queue. Set "
            f"starts_per_second to at most {number(refill['Value'])}, or request a higher quota.",
            _request(refill, pace.starts_per_second, region),
        )


def _transitions(quotas: Mapping[str, Response], pace: Pace, region: str) -> Iterator[Finding]:
    refill = _quota(quotas, "StateTransition", "refill")
    rates = [
        refill["Value"] / (STATES_FIRST + depth * STATES_PER_FALLBACK)
        for depth in range(len(FALLBACKS))
    ]
    told = "; ".join(
        f"{about(rate)} messages per second if {each}"
        for rate, each in zip(rates, FALLBACKS, strict=True)
    )
    text = f"State transitions: {number(refill['Value'])} per second. They allow {told}."
    if pace.starts_per_second <= rates[-1]:
        yield ok(text)
    else:
        states = STATES_FIRST + (len(FALLBACKS) - 1) * STATES_PER_FALLBACK
        yield limit(
            f"{text} Beyond that, executions are slower. AWS raises the quota of a new account by "
            f"itself as it is used ({PAGE}).",
            _request(refill, pace.starts_per_second * states, region),
        )


def _open_executions(quotas: Mapping[str, Response], pace: Pace, _: str) -> Iterator[Finding]:
    most = _quota(quotas, "open", "executions")["Value"]
    minutes = most / pace.starts_per_second / 60
    yield note(
        f"Open executions: {number(most)}. At {number(pace.starts_per_second)} starts per second, "
        f"messages may wait {about(minutes)} minutes on average before that is reached."
    )


def _quota(quotas: Mapping[str, Response], *words: str) -> Response:
    """The quota whose name contains the words; Express workflows have others.

    Named as the Service Quotas console has them, "StartExecution throttle token refill rate per
    second"; the quota's code comes with it.
    """
    for name, quota in quotas.items():
        found = name.lower().replace(" ", "")
        if all(word.lower() in found for word in words) and not _concerns_others(found):
            return quota
    raise NotReadable(
        f"Service Quotas does not list the quota {' '.join(words)} of Step Functions; "
        f"AWS's defaults: {PAGE}"
    )


def _concerns_others(name: str) -> bool:
    return any(word in name for word in ("express", "map"))


def _request(quota: Response, desired: float, region: str) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {SERVICE} "
        f"--quota-code {quota['QuotaCode']} --desired-value {desired:.0f} --region {region}"
    )
