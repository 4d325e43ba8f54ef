"""Moments in UTC, to the millisecond, so that what is compared equals what is stored."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

UtcClock: TypeAlias = Callable[[], datetime]
"""Returns this moment with a time zone. Intervals within a process need a monotonic one."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def utc_now() -> datetime:
    """Return this moment by the system's clock."""
    return datetime.now(UTC)


def to_ms(moment: datetime) -> int:
    """Return the whole milliseconds from 1970 to `moment`, which has a time zone."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the moment `milliseconds` after 1970, in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


def whole_ms(moment: datetime) -> datetime:
    """Return `moment` in UTC, without fractions of a millisecond."""
    return from_ms(to_ms(moment))


def stored(moment: datetime | None) -> int | None:
    """Return the column value for `moment`; NULL for None."""
    return None if moment is None else to_ms(moment)


def restored(milliseconds: int | None) -> datetime | None:
    """Return the moment for a column value."""
    return None if milliseconds is None else from_ms(milliseconds)
