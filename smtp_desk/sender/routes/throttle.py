"""How many connections a server gets from all our processes, and how fast they may send.

Servers count for each login, whatever process, so the count is shared: a connection is
leased before it is opened. What says that we are too many or too fast takes one connection
from all and makes them pause; it never rests a route.

`throttle_sqlite.SqliteThrottle` keeps it in the outbox database, `testing.MemoryThrottle` in
memory; tests/contract/test_throttle.py is what any other has to pass.
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
    """Whom a server counts connections and emails for.

    Attributes:
        host: The server.
        port: Its port.
        username: Who signs in; "" where it knows us by our address.
    """

    host: str
    port: int
    username: str

    def __str__(self) -> str:
        """Return what tells it from all others."""
        return f"{self.username}@{self.host.lower()}:{self.port}"


@dataclass(frozen=True, slots=True)
class ConnectionLease:
    """The right to one connection.

    Attributes:
        login: To whom.
        token: Which; no two are equal.
        until: When others may open a connection instead: no dot is sent after this.
    """

    login: Login
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Turns:
    """How many emails may be sent now.

    Attributes:
        granted: So many, counted as sent.
        again_at: When it is worth to ask for more.
    """

    granted: int
    again_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleState:
    """How much a server takes from one login; the default is one that never complained.

    Attributes:
        limit: Connections at most, when it fell.
        lowered_at: When it fell; None where it never did.
        pause: The newest pause.
        paused_until: Its end.
        slow_since: The first complaint since an email was accepted; None for none.
        leased: Connections that are leased at this moment.
        closing: Connections that were closed within `CLOSING`: no lease, yet maybe still counted.
    """

    limit: int = MAX_CONNECTIONS
    lowered_at: datetime | None = None
    pause: timedelta = timedelta()
    paused_until: datetime | None = None
    slow_since: datetime | None = None
    leased: int = 0
    closing: int = 0

    def connections(self, now: datetime) -> int:
        """Return how many connections there may be now."""
        if self.lowered_at is None or self.lowered_at > now:
            return MAX_CONNECTIONS
        return min(self.limit + (now - self.lowered_at) // RECOVER_AFTER, MAX_CONNECTIONS)

    def paused(self, now: datetime) -> datetime | None:
        """Return the end of the pause; None where there is none now."""
        until = self.paused_until
        return until if until and now < until <= now + _LONGEST_PAUSE else None

    def is_outage(self, now: datetime) -> bool:
        """Whether the server has been slow for so long that the route is out of service."""
        return self.slow_since is not None and now - self.slow_since >= SLOW_AT_MOST


def slowed(state: ThrottleState, now: datetime) -> ThrottleState:
    """Return the state after the server said that we are too many or too fast.

    Whoever hears it while all pause already tells nothing new.
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
    """Return the state after an email was accepted: the next pause begins at its first length.

    Unless that came sooner after a pause than the pause was long: then it may be too fast yet.
    """
    calm = state.paused_until is None or now >= state.paused_until + state.pause
    return replace(state, slow_since=None, pause=timedelta() if calm else state.pause)


def turns(
    by_minute: dict[int, int], minute: int, wanted: int, per_hour: int
) -> tuple[int, int | None]:
    """Return how many of `wanted` emails may be sent in `minute`, and when there is room again.

    Args:
        by_minute: Emails sent in each minute since 1970, as far as they count.
        minute: The present one.
        wanted: How many are to be sent.
        per_hour: How many may be sent in any hour.

    Returns:
        How many now; the minute in which more may be, None where that is at once.
    """
    counting = {each: sent for each, sent in by_minute.items() if counts(each, minute)}
    free = max(per_hour - sum(counting.values()), 0)
    if wanted <= free:
        return wanted, None
    return free, min(counting, default=minute) + _MINUTES + 1


def counts(sent_in: int, minute: int) -> bool:
    """Whether emails of one minute count in another; later ones are those of a wrong clock."""
    return minute - _MINUTES <= sent_in <= minute


class Throttle(Protocol):
    """What all processes together may ask of a server. Each may raise `OutboxUnavailableError`.

    A loss of power may forget what was told in the last second.
    """

    def lease(self, login: Login) -> ConnectionLease | datetime:
        """Take the right to one more connection, or return when it is worth to ask again.

        It lasts `CONNECTION_LEASE`; renew it every `RENEW_EVERY`, release it in the end.
        """

    def renew(self, leases: Iterable[ConnectionLease]) -> tuple[ConnectionLease, ...]:
        """Prolong leases; return those that last longer now.

        The others are over, or one too many since the limit fell: their connections take no
        new email, and send no dot after `ConnectionLease.until`.
        """

    def release(self, leases: Iterable[ConnectionLease], *, opened: bool = True) -> None:
        """Give leases back: their connections are closed.

        Args:
            leases: Which.
            opened: Whether a session had begun on them.
        """

    def state(self, login: Login) -> ThrottleState:
        """Return how much the server takes, and how many connections there are."""

    def take_turns(self, login: Login, wanted: int, per_hour: int = 0) -> Turns:
        """Ask to send so many emails now: none in a pause, and not more than `per_hour`.

        Args:
            login: By whom.
            wanted: How many emails wait.
            per_hour: How many may be sent in any hour; 0 for any number.
        """

    def record_slow(self, login: Login) -> ThrottleState:
        """Tell that the server said that we are too many or too fast."""

    def record_acceptance(self, login: Login) -> None:
        """Tell that the server accepted an email; costs no write where it never complained."""
