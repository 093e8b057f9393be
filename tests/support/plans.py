"""Plans for tests, made of their attempts."""

from itertools import groupby

from messaging.channels.catalog import channels
from messaging.domain.plan import Plan, PlannedAttempt, PlannedStep

CHANNELS = tuple(channels())


def plan_of(*attempts: PlannedAttempt) -> Plan:
    """The plan with these attempts; a step of several is a broadcast."""
    steps = []
    for number, group in groupby(attempts, key=lambda attempt: attempt.step):
        held = tuple(group)
        steps.append(PlannedStep(number, held, broadcast=len(held) > 1))
    return Plan(tuple(steps))
