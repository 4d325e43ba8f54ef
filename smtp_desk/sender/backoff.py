"""When to try again: delays that grow, with jitter, for four days."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

LIFETIME: Final = timedelta(days=4)
"""After this a failed attempt is the last (RFC 5321, 4.5.4.1 asks for four to five days)."""

FEWEST_TRIES: Final = 12
"""No email is given up before so many attempts, which are half a day of trying.

The life of one can pass without any: the computer slept, or its clock was wrong or is.
"""

MORE_LIFE: Final = timedelta(days=1)
"""What an email lives on that had fewer attempts in its life."""

RESEND_AFTER: Final = timedelta(minutes=15)
"""From an unanswered final dot to its one re-send."""

LONGEST_DELAY: Final = timedelta(hours=4)
"""No attempt is further ahead; one that is stands for a clock that was wrong, and is due."""

_FIRST_DELAY: Final = timedelta(minutes=1)
_JITTER: Final = 0.25


def delay(tries: int, random: Callable[[], float]) -> timedelta:
    """Return how long to wait after the attempt that follows `tries` postponed ones.

    One minute, doubling, each shortened by up to a quarter so that many entries do not
    come back at one moment; never more than `LONGEST_DELAY`.

    Args:
        tries: `Entry.tries` of the entry that just failed, from 0 on.
        random: Returns a number from 0 to 1, such as `random.random`.
    """
    doublings = min(tries, 16)
    longest = min(_FIRST_DELAY * (1 << doublings), LONGEST_DELAY)
    return longest * (1 - _JITTER * random())
