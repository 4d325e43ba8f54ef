"""The last 24 hours by the hour: the emails stored then, their results and routes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from smtp_desk.sender.outbox.control import HOUR, Activity
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.route import DEFAULT

HOURS: Final = 24
DAY: Final = timedelta(hours=HOURS)


class DayResult(StrEnum):
    """The result of an email, as the chart shows it; dropped ones are left out."""

    CUSTOM = "custom"
    DEFAULT = "default"
    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"


_RESULTS: Final = {
    EntryState.READY: DayResult.WAITING,
    EntryState.SENDING: DayResult.WAITING,
    EntryState.IN_DOUBT: DayResult.WAITING,
    EntryState.HELD: DayResult.UNCERTAIN,
    EntryState.REFUSED: DayResult.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour.

    Attributes:
        begin: When it began.
        counts: The number of emails stored in it, by result.
    """

    begin: datetime
    counts: Mapping[DayResult, int]

    @property
    def total(self) -> int:
        """The number of all its emails."""
        return sum(self.counts.values())


def hours_of(activity: Activity, since: datetime) -> tuple[Hour, ...]:
    """Return the hours of a day from `since` on, the oldest first.

    Emails stored later, by a clock that was ahead, count in the last hour.
    """
    counted = [Counter[DayResult]() for _ in range(HOURS)]
    for (hour, state, route), count in activity.items():
        if (result := _result(state, route)) is not None:
            counted[min(hour, HOURS - 1)][result] += count
    return tuple(Hour(since + number * HOUR, counts) for number, counts in enumerate(counted))


def totals(hours: Sequence[Hour]) -> Mapping[DayResult, int]:
    """Return the number of emails in all these hours, by result."""
    return {each: sum(hour.counts.get(each, 0) for hour in hours) for each in DayResult}


def _result(state: EntryState, route: str) -> DayResult | None:
    if state is EntryState.ACCEPTED:
        return DayResult.DEFAULT if route == DEFAULT else DayResult.CUSTOM
    return _RESULTS.get(state)
