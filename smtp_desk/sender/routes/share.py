"""This process's share of what a server accepts from all: connections, and emails per hour."""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, final

from smtp_desk.core.findings.finding import Finding, Scope
from smtp_desk.core.settings import ServerSettings
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.outage_log import OutageLog
from smtp_desk.sender.outbox.outbox import OutboxError
from smtp_desk.sender.routes.route import NoTurnError
from smtp_desk.sender.routes.throttle import (
    CONNECTION_LEASE,
    RENEW_EVERY,
    ConnectionLease,
    Login,
    Throttle,
)
from smtp_desk.smtp.net.deadline import Cancel, Clock, Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

# Where all connections are leased nobody tells when one is free.
_LOOK_AGAIN_S: Final = 0.2
# A busy server is ours to slow down for if one of us still has a connection after this.
_SECOND_LOOK_S: Final = 1.0
# What others heard is looked for so often, and told so often: an email is faster than that.
_NEWS_S: Final = 0.25
# Whoever holds one of the last connections leaves one to others for so long, now and then.
_YIELD_S: Final = 1.0
_TICK_S: Final = 1.0
_LEASE_S: Final = CONNECTION_LEASE.total_seconds()
_RENEW_S: Final = RENEW_EVERY.total_seconds()
# A probe or a test is one connection more rather than none: it waits so long for a lease,
_PATIENCE_S: Final = 5.0
# and looks so often: whoever cancels a test waits no longer.
_PATIENT_LOOK_S: Final = 0.05

_BUSY: Final = "greeting.busy"
_NOT_RENEWED: Final = "leases of connections could not be renewed: %s"

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Connection:
    """The right to one connection.

    Attributes:
        lease: The lease that others see.
        until: When it ends by our clock: no dot is sent after that.
        spent: Whether it may send no new email: the lease was lost, or is left to others.
    """

    lease: ConnectionLease
    until: float
    spent: bool = False


@final
class ServerShare:
    """Leases connections to one server for one login, and asks when the next email may be sent.

    Leases are renewed in their own thread as long as there are any. Every call except
    `release` may raise `OutboxUnavailableError`: then it isn't known what others do.

    Attributes:
        on_tick: Called about every second while there are leases, with whether all allowed
            connections are leased, so that others may be waiting for an unused one.
    """

    def __init__(
        self,
        throttle: Throttle,
        settings: ServerSettings,
        *,
        clock: Clock = time.monotonic,
        now: UtcClock = utc_now,
    ) -> None:
        """Prepare, without leasing anything.

        Args:
            throttle: Shared by all processes.
            settings: The server.
            clock: Returns the time.
            now: Returns this moment with a time zone.
        """
        self._throttle = throttle
        self._login = Login(settings.host, settings.port, settings.username)
        self._per_hour = settings.per_hour
        self._clock = clock
        self._now = now
        self._held: dict[str, Connection] = {}
        self._changed = threading.Condition()
        self._keeping = False
        self._yield_until = self._asked_at = self._told_at = float("-inf")
        self.on_tick: Callable[[bool], object] = bool

    def lease(self) -> Connection | None:
        """Lease one more connection; None if others have them all."""
        since = self._clock()
        if since < self._yield_until:
            return None
        lease = self._throttle.lease(self._login)
        if not isinstance(lease, ConnectionLease):
            return None
        connection = Connection(lease, since + _LEASE_S)
        with self._changed:
            self._held[lease.token] = connection
            self._keep()
        return connection

    def lease_patiently(self, cancel: Cancel | None = None) -> Connection | None:
        """Wait a little for the lease of one more connection; return None in the end.

        Args:
            cancel: Ends the wait.
        """
        cancel = cancel or Cancel()
        patience = Deadline.after(_PATIENCE_S)
        while (connection := self.lease()) is None and not (patience.passed or cancel.cancelled):
            with self._changed:
                self._changed.wait(_PATIENT_LOOK_S)
        return connection

    @property
    def counted(self) -> bool:
        """Whether the number of emails per hour is limited."""
        return bool(self._per_hour)

    @property
    def connected(self) -> int:
        """The number of connections of all processes."""
        return self._throttle.state(self._login).leased

    def release(self, connection: Connection, *, opened: bool = True) -> None:
        """Give it back after the connection was closed; `opened` if a session had begun on it."""
        with self._changed:
            self._held.pop(connection.lease.token, None)
            self._changed.notify_all()
        with suppress(OutboxError):  # it ends by itself
            self._throttle.release([connection.lease], opened=opened)

    def may_send(self, connection: Connection) -> bool:
        """Whether a dot may still be sent on it: others may hold the lease by now."""
        return self._clock() < connection.until

    def take_turns(self, wanted: int, patience: Deadline) -> int:
        """Wait for the turn of that many emails; return for how many it came, at least one.

        Raises:
            NoTurnError: It does not come in time.
        """
        while True:
            since = self._clock()
            if not self._per_hour and since < self._asked_at + _NEWS_S:
                return wanted
            turns = self._throttle.take_turns(self._login, wanted, self._per_hour)
            if turns.granted:
                self._asked_at = since
                return turns.granted
            wait = (turns.again_at - self._now()).total_seconds()
            if wait > patience.remaining:
                raise NoTurnError(turns.again_at)
            with self._changed:
                self._changed.wait(min(max(wait, 0.0), _LOOK_AGAIN_S))

    def told(self, finding: Finding, *, working: bool) -> Finding:
        """Return why a connection did not open, after considering our other connections.

        A server that is busy while some of us are connected, or were a moment ago, isn't out
        of service: we have too many connections.

        Args:
            finding: Why it did not open; its lease was given back.
            working: Whether another connection of this process works.
        """
        if finding.code != _BUSY:
            return finding
        second_look = Deadline.after(_SECOND_LOOK_S)
        while not working:
            state = self._throttle.state(self._login)
            if not (state.leased or state.closing):
                return finding
            # Who was only opening one, too, has failed by then.
            working = second_look.passed
            with self._changed:
                self._changed.wait(_LOOK_AGAIN_S)
        return replace(finding, scope=Scope.SLOW)

    def slow(self, finding: Finding) -> Finding:
        """Record that the server wants fewer connections or slower sending; return what comes next.

        The pause applies to all processes. If the server has accepted nothing for as long as it
        has been slow, it is out of service.
        """
        self._asked_at = float("-inf")
        state = self._throttle.record_slow(self._login)
        return replace(finding, scope=Scope.ROUTE) if state.is_outage(self._now()) else finding

    def accepted(self) -> None:
        """Record that the server accepted an email."""
        if self._clock() >= self._told_at + _NEWS_S:
            self._told_at = self._clock()
            self._throttle.record_acceptance(self._login)

    def _keep(self) -> None:
        if not self._keeping:
            thread = threading.Thread(target=self._renew_until_none, name="leases", daemon=True)
            with suppress(RuntimeError):  # none is to be had: they end, and are taken anew
                thread.start()
                self._keeping = True

    def _renew_until_none(self) -> None:
        renew_at = self._clock() + _RENEW_S
        away = OutageLog(_log, _NOT_RENEWED, "leases are renewed again", level=logging.WARNING)
        while True:
            end = self._clock() + _TICK_S
            with self._changed:
                while self._held and (left := end - self._clock()) > 0:
                    self._changed.wait(left)
                if not self._held:
                    self._keeping = False
                    return
                held = list(self._held.values())
            crowded = False
            try:
                state = self._throttle.state(self._login)
                crowded = state.leased >= state.connections(self._now())
                if self._clock() >= renew_at:
                    renew_at = self._clock() + _RENEW_S
                    self._renew(held, crowded=crowded)
                away.worked()
            except OutboxError as error:
                away.failed(error)
            self.on_tick(crowded)

    def _renew(self, held: list[Connection], *, crowded: bool) -> None:
        since = self._clock()
        renewed = {each.token: each for each in self._throttle.renew(one.lease for one in held)}
        for connection in held:
            lease = renewed.get(connection.lease.token)
            if lease is None:
                connection.spent = True
            else:
                connection.lease, connection.until = lease, since + _LEASE_S
        if crowded:
            # Somebody may wait for one, and can't tell.
            held[0].spent = True
            self._yield_until = self._clock() + _YIELD_S
