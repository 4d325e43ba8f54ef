"""How many connections all our processes open to a server, and how fast they may send.

Servers count for each login, whatever the process, so the count is shared: a connection is leased
before it is opened. A reply that we are too many or too fast takes away one connection and makes
all processes pause; it never pauses the route.

`throttle_sqlite.SqliteThrottle` keeps it in the outbox database, `testing.MemoryThrottle` in
memory; any other has to pass tests/contract/test_throttle.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

MAX_CONNECTIONS: Final = 3
"""Connections to one server by one login at once."""

CONNECTION_LEASE: Final = timedelta(seconds=30)
"""A connection is ours so long; then others may open one instead."""

CLOSING: Final = timedelta(seconds=2)
"""A server may count a connection for so long after we closed it."""

RENEW_EVERY: Final = timedelta(seconds=10)
"""How often whoever holds leases renews them."""

RECOVER_AFTER: Final = timedelta(minutes=5)
"""One connection more so long after the limit fell."""

SLOW_AT_MOST: Final = timedelta(minutes=15)
"""A server that wants pauses for so long, and accepts nothing meanwhile, is out of service."""

MINUTE_MS: Final = 60_000

_FIRST_PAUSE: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(seconds=60)
_MINUTES: Final = 60  # of an hour; the present minute counts besides: never more in any hour


@dataclass(frozen=True, slots=True)
class Login:
    """The login for which a server counts connections and emails.

    Attributes:
        host: The server.
        port: Its port.
        username: The username; "" if the server recognizes us by our IP address.
    """

    host: str
    port: int
    username: str

    def __str__(self) -> str:
        """Return text that identifies it."""
        return f"{self.username}@{self.host.lower()}:{self.port}"


@dataclass(frozen=True, slots=True)
class ConnectionLease:
    """The right to one connection.

    Attributes:
        login: The login it belongs to.
        token: Identifies the lease; unique.
        until: When others may open a connection instead: no dot is sent after this.
    """

    login: Login
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Turns:
    """How many emails may be sent now.

    Attributes:
        granted: That many, counted as sent.
        again_at: When it is worth asking for more.
    """

    granted: int
    again_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleState:
    """How much a server accepts from one login; the default is one that never complained.

    Attributes:
        limit: The maximum of connections after it was last lowered.
        lowered_at: When it was lowered; None if it never was.
        pause: The length of the latest pause.
        paused_until: The end of that pause.
        slow_since: The first complaint since an email was accepted; None for none.
        leased: Connections leased at this moment.
        closing: Connections closed within `CLOSING`: without a lease, but perhaps still counted.
    """

    limit: int = MAX_CONNECTIONS
    lowered_at: datetime | None = None
    pause: timedelta = timedelta()
    paused_until: datetime | None = None
    slow_since: datetime | None = None
    leased: int = 0
    closing: int = 0

    def connections(self, now: datetime) -> int:
        """Return how many connections are allowed now."""
        if self.lowered_at is None or self.lowered_at > now:
            return MAX_CONNECTIONS
        return min(self.limit + (now - self.lowered_at) // RECOVER_AFTER, MAX_CONNECTIONS)

    def paused(self, now: datetime) -> datetime | None:
        """Return the end of the pause; None if there is none now."""
        until = self.paused_until
        return until if until and now < until <= now + _LONGEST_PAUSE else None

    def is_outage(self, now: datetime) -> bool:
        """Whether the server has been slow for so long that the route counts as out of service."""
        return self.slow_since is not None and now - self.slow_since >= SLOW_AT_MOST


def slowed(state: ThrottleState, now: datetime) -> ThrottleState:
    """Return the state after the server said that we are too many or too fast.

    Hearing it again while all processes are pausing changes nothing.
    """
    if state.paused(now):
        return state
    forgotten = state.paused_until is None or now - state.paused_until >= SLOW_AT_MOST
    pause = _FIRST_PAUSE if forgotten else min(2 * state.pause or _FIRST_PAUSE, _LONGEST_PAUSE)
    known = None if forgotten else state.slow_since
    return replace(
        state,
        limit=max(min(state.connections(now), state.leased or MAX_CONNECTIONS) - 1, 1),
        lowered_at=now,
        pause=pause,
        paused_until=now + pause,
        slow_since=now if known is None or known > now else known,
    )


def accepted(state: ThrottleState, now: datetime) -> ThrottleState:
    """Return the state after an email was accepted: the next pause is a short one again.

    Unless it was accepted sooner after a pause than the pause was long: then we may still be
    too fast.
    """
    calm = state.paused_until is None or now >= state.paused_until + state.pause
    return replace(state, slow_since=None, pause=timedelta() if calm else state.pause)


def turns(
    by_minute: dict[int, int], minute: int, wanted: int, per_hour: int
) -> tuple[int, int | None]:
    """Return how many of `wanted` emails may be sent in `minute`, and when there is room again.

    Args:
        by_minute: Emails sent in each minute since 1970, as far as they count.
        minute: The current minute.
        wanted: How many are to be sent.
        per_hour: How many may be sent in any hour.

    Returns:
        How many may be sent now; the minute in which more may be, None if that is at once.
    """
    counting = {each: sent for each, sent in by_minute.items() if counts(each, minute)}
    free = max(per_hour - sum(counting.values()), 0)
    if wanted <= free:
        return wanted, None
    return free, min(counting, default=minute) + _MINUTES + 1


def counts(sent_in: int, minute: int) -> bool:
    """Whether emails of one minute count in another; later minutes come from a wrong clock."""
    return minute - _MINUTES <= sent_in <= minute


class Throttle(Protocol):
    """The limits that all processes share. Each call may raise `OutboxUnavailableError`.

    A loss of power may forget what was recorded in the last second.
    """

    def lease(self, login: Login) -> ConnectionLease | datetime:
        """Lease one more connection, or return when it is worth asking again.

        A lease lasts `CONNECTION_LEASE`; renew it every `RENEW_EVERY`, and release it in the end.
        """

    def renew(self, leases: Iterable[ConnectionLease]) -> tuple[ConnectionLease, ...]:
        """Renew leases; return the renewed ones.

        The others are over, or exceed a lowered limit: their connections must take no new
        email, and send no dot after `ConnectionLease.until`.
        """

    def release(self, leases: Iterable[ConnectionLease], *, opened: bool = True) -> None:
        """Give leases back after their connections were closed.

        Args:
            leases: The leases.
            opened: Whether a session had begun on them.
        """

    def state(self, login: Login) -> ThrottleState:
        """Return how much the server accepts, and how many connections there are."""

    def take_turns(self, login: Login, wanted: int, per_hour: int = 0) -> Turns:
        """Ask to send that many emails now: none in a pause, and not more than `per_hour`.

        Args:
            login: The login.
            wanted: How many emails wait.
            per_hour: How many may be sent in any hour; 0 for no limit.
        """

    def record_slow(self, login: Login) -> ThrottleState:
        """Record that the server said that we are too many or too fast."""

    def record_acceptance(self, login: Login) -> None:
        """Record that the server accepted an email; costs no write if it never complained."""
