"""The breaker: stops codes to where they are not entered, as in SMS pumping, in which someone has
codes sent to numbers that pay him a share of each message, and enters none of them.

It judges conversion, approved / started, of each prefix (a number without its last four digits)
and of each country:

- On verifications that are old enough to have been entered, in the order of their start, the newest
  first, until there are enough; an approval counts where its verification was started. So an attack
  on a prefix that was honest until then shows at once, and one that is slow shows as well: what is
  judged is up to 12 hours old.
- Below `codes_breaker_percent` it opens for 12 hours. What was started before that is then too old
  to be judged; if the attack goes on, it opens again.
- Users that can be told from the attackers still get codes: always a known recipient, who entered a
  code within the last 30 days that went to no second address, where it could have been read; and
  while a country is blocked, others on a prefix where a code was entered within 30 days, or on one
  that is not attacked. The latter are trials, two starts in 12 hours on each prefix and 10 codes
  an hour in the country, so that an attack on ever new prefixes gets no more.
- A recipient is judged by two verifications a day: one person who tries again and again, in vain,
  does not block the neighbours.

Twilio blocks a prefix for 12 hours, again and again as long as the fraud is observed
(www.twilio.com/docs/api/errors/60410), and never what its customer lists as safe
(www.twilio.com/docs/usage/global-safe-list). Vonage judges volume and conversion of a network and
blocks for longer each time (developer.vonage.com/verify/guides/velocity-rules,
developer.vonage.com/en/verify/verify-v2/guides/v2-anti-fraud). Coss judges conversion of prefixes
and countries, and lets through what it cannot judge (coss.com/docs/verify/fraud-guard). None of
them publishes a threshold. About 65 % of codes by SMS are entered, worldwide
(slideshare.net/SrivatsanSrinivasan2/top-7-phone-verification-challenges-45458883): then 1 sample in
17,000 of 15 codes is below 20 %, and none of 30 codes in 10 million.

It cannot tell an outage of delivery from an attack, and it does not see attackers who enter one
code in five.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from messaging.domain.limits import Cohort, Counter

BLOCK = timedelta(hours=12)
TRUST = timedelta(days=30)
# 97 of 100 users who enter a code have entered it by then, if half of them need 25 seconds and a
# fifth gets it on the second channel, 45 seconds later. A later approval still counts.
ENTRY_TIME = timedelta(minutes=3)
ENOUGH_OF_A_PREFIX = 15
ENOUGH_OF_A_COUNTRY = 30
JUDGED_OF_A_RECIPIENT = 2
TRIALS_OF_A_PREFIX = 2
TRIALS_OF_A_COUNTRY = 10


def approved_percent(cohorts: Sequence[Cohort], enough: int, now: datetime) -> float | None:
    """The conversion; None if too few codes are old enough."""
    started = approved = 0
    for cohort in cohorts:
        if now - BLOCK < cohort.began and cohort.ended + ENTRY_TIME <= now:
            started += cohort.started
            approved += cohort.approved
        if started >= enough:
            return 100 * approved / started
    return None


def is_trusted(counter: Counter, now: datetime) -> bool:
    """Whether a code of this recipient or prefix was entered within the last 30 days."""
    return counter.approved_at is not None and now - counter.approved_at < TRUST


def is_attacked(prefix: Counter, now: datetime) -> bool:
    """Whether the prefix, which is not trusted, has had its trials."""
    recent = (cohort.started for cohort in prefix.cohorts if now - BLOCK < cohort.began)
    return sum(recent) >= TRIALS_OF_A_PREFIX
