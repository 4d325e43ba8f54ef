"""The route through an SMTP server: the customer's own, or the organization's relay."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding, Scope
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Stage
from smtp_desk.sender.mail.addressing import Addressed, Identity, addressed
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.routes.health import Ending, Needed
from smtp_desk.sender.routes.pool import SessionPool, UnavailableError
from smtp_desk.sender.routes.pooled_session import Ahead, PooledSession
from smtp_desk.sender.routes.route import (
    RouteResult,
    UnsendableError,
    Upcoming,
    nothing_upcoming,
    writing,
)
from smtp_desk.sender.routes.share import Connection, ServerShare
from smtp_desk.sender.routes.throttle import Throttle
from smtp_desk.smtp.net.deadline import Clock, Deadline
from smtp_desk.smtp.net.resolve import Resolver
from smtp_desk.smtp.session.envelope import Delivery, Envelope, Status
from smtp_desk.smtp.session.limits import SENDER_LIMITS, SessionLimits
from smtp_desk.smtp.session.token_giver import SessionCredential
from smtp_desk.smtp.session.transaction import BeforeDot, Following
from smtp_desk.smtp.wire.commands import CommandError
from smtp_desk.smtp.wire.replies import Extensions

MAX_RECIPIENTS: Final = 100
"""Recipients of one transaction: what every server must take (RFC 5321, 4.5.3.1.8)."""

_TOO_MANY: Final = "recipient.throttled"
# How it looks where a server throws away what came behind a dot.
_SWALLOWED: Final = ("session.timeout", "session.protocol_error")
# What ends all that was to be sent, and not only what was.
_ENDS_ALL: Final = (Scope.ROUTE, Scope.PROCESS, Scope.NONE)


class _LeaseOverError(Exception):
    """Others may hold the connection's lease by now: no dot is sent on it."""


@dataclass(slots=True)
class _Dot:
    """Allows the final dot while the connection is ours, and remembers that it was announced."""

    before: BeforeDot
    share: ServerShare
    connection: Connection | None
    announced: bool = False

    def __call__(self) -> None:
        if self.connection is not None and not self.share.may_send(self.connection):
            raise _LeaseOverError
        self.announced = True
        self.before()


@final
class SmtpRoute:
    """A `Route` through a pool of sessions with one server."""

    def __init__(  # noqa: PLR0917 - each a type of its own, and none has a default
        self,
        name: str,
        settings: ServerSettings,
        mode: Security,
        credential: SessionCredential | None,
        identity: Identity,
        catalogue: Catalogue,
        throttle: Throttle,
        *,
        resolver: Resolver | None = None,
        limits: SessionLimits = SENDER_LIMITS,
        clock: Clock = time.monotonic,
        now: UtcClock = utc_now,
        ends: Callable[[], Iterable[Ending]] = tuple,
    ) -> None:
        """Prepare, without connecting.

        Args:
            name: `CUSTOM` or `DEFAULT`.
            settings: The server.
            mode: How TLS begins, as the test found.
            credential: Password or token, or the source of one; None for a server that recognizes
                us by our IP address.
            identity: The sender of emails.
            catalogue: Names causes.
            throttle: Shared by all processes that send.
            resolver: Finds the addresses; by default the system.
            limits: How long each part may take.
            clock: Returns the time.
            now: Returns this moment with a time zone.
            ends: Returns what else than the server's certificate expires soon.
        """
        self._name = name
        self._ends = ends
        self._identity = identity
        self._catalogue = catalogue
        self._share = ServerShare(throttle, settings, clock=clock, now=now)
        self._rides = True  # until the server shows that nothing may ride behind a dot
        self._pool = SessionPool(
            settings,
            mode,
            credential,
            catalogue,
            self._share,
            limits=limits,
            resolver=resolver,
            clock=clock,
        )

    @property
    def name(self) -> str:
        """`CUSTOM` or `DEFAULT`."""
        return self._name

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,
        upcoming: Upcoming = nothing_upcoming,
    ) -> tuple[RouteResult, ...]:
        """Send in one transaction; see `Route`.

        Recipients beyond the limit of the server (RFC 5321, 4.5.3.1.10; RFC 9422), of the hour or
        of `MAX_RECIPIENTS` are REFUSED with `recipient.throttled`: they get another
        transaction, once the result of this one is stored.
        """
        turns = self._share.take_turns(len(recipients), patience)
        batch = recipients[: min(turns, MAX_RECIPIENTS)]
        try:
            results = self._deliver(message, batch, before_dot, patience, upcoming)
        except UnavailableError as error:
            results = tuple(_refused(recipient, error.finding) for recipient in batch)
        results = self._told(results)
        return results + self._left_over(recipients[len(results) :], results[-1])

    def abandon(self) -> None:
        """Close the connection if a message was begun that won't be sent; see `Route`."""
        self._pool.abandon()

    def probe(self) -> Finding | None:
        """Open a session, up to AUTH; see `Route`."""
        return self._pool.probe()

    def endings(self) -> tuple[Ending, ...]:
        """Return what expires soon: the server's certificate, and what is our own; see `Route`."""
        end = self._pool.certificate_end
        seen = () if end is None else (Ending(end, Needed.SERVER_CERTIFICATE),)
        return (*seen, *self._ends())

    def retire(self) -> None:
        """Take no new mail; see `Route`. What comes yet is given back with `session.cancelled`."""
        self._pool.retire()

    def close(self) -> None:
        """Cancel what runs, and close the connections."""
        self._pool.close()

    def _deliver(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,
        upcoming: Upcoming,
    ) -> tuple[RouteResult, ...]:
        """Send to as many of the recipients as the server takes at once."""
        fresh = False
        while True:
            with self._pool.session(patience, fresh=fresh) as pooled:
                batch = _within_limits(recipients, pooled.session.extensions)
                mail = self._written(message, batch, pooled)
                if mail is None:
                    continue
                begun = pooled.session.begun
                dot = _Dot(before_dot, self._share, pooled.connection)
                try:
                    delivery = _hand_over(pooled, mail, dot, partial(self._begin, pooled, upcoming))
                except _LeaseOverError:
                    continue
                alive = pooled.session.usable or dot.announced
                if alive or fresh or not pooled.reused:
                    return self._results(batch, delivery, pooled)
                if begun and delivery.failure and delivery.failure.code in _SWALLOWED:
                    self._rides = False
            # It was dead before this message: the server had closed it, or did so at MAIL.
            fresh = True

    def _written(
        self, message: OutboxMessage, recipients: tuple[str, ...], pooled: PooledSession
    ) -> Addressed | None:
        """Return the message as it leaves; None where another was begun: that connection ends."""
        ahead, pooled.ahead = pooled.ahead, None
        if ahead is not None and ahead.message is message and ahead.recipients == recipients:
            return ahead.mail
        if pooled.session.begun:
            pooled.session.abort()
            return None
        with writing():
            return addressed(message, recipients, self._identity)

    def _begin(self, pooled: PooledSession, upcoming: Upcoming) -> tuple[Envelope, bytes] | None:
        """Return the message that may begin behind the dot of the one that is being sent."""
        # Where only so many may go in an hour each waits for its turn first.
        if not self._rides or self._share.counted or not pooled.takes_more():
            return None
        named = upcoming()
        if named is None or len(named[1]) > MAX_RECIPIENTS:
            return None
        message, recipients = named
        if _within_limits(recipients, pooled.session.extensions) != recipients:
            return None
        try:
            mail = addressed(message, recipients, self._identity)
        except Exception:  # noqa: BLE001 - told in its own turn
            return None
        pooled.ahead = Ahead(message, recipients, mail)
        return mail.envelope, mail.content

    def _told(self, results: tuple[RouteResult, ...]) -> tuple[RouteResult, ...]:
        """Tell all processes whether the server takes emails, or wants us to be slower."""
        slow = [each for each in results if each.finding and each.finding.scope is Scope.SLOW]
        if any(each.status is Status.ACCEPTED for each in results):
            self._share.accepted()
        elif slow and slow[0].finding is not None:
            scope = self._share.slow(slow[0].finding).scope
            return tuple(
                replace(each, finding=replace(each.finding, scope=scope))
                if each in slow and each.finding is not None
                else each
                for each in results
            )
        return results

    def _results(
        self, recipients: tuple[str, ...], delivery: Delivery, pooled: PooledSession
    ) -> tuple[RouteResult, ...]:
        named: dict[int, Finding] = {}  # one failure can be that of all recipients

        def finding(recipient: str, failure: SmtpFailure) -> Finding:
            if id(failure) not in named:
                named[id(failure)] = self._pool.finding(failure, pooled, recipient)
            return named[id(failure)]

        return tuple(
            RouteResult(
                recipient,
                result.status,
                str(result.reply) if result.reply is not None else "",
                finding(recipient, result.failure) if result.failure is not None else None,
            )
            for recipient, result in zip(recipients, delivery.results, strict=True)
        )

    def _left_over(self, rest: tuple[str, ...], last: RouteResult) -> tuple[RouteResult, ...]:
        """Return the results of those who were too many for one transaction."""
        if not rest:
            return ()
        if last.finding is not None and last.finding.scope in _ENDS_ALL:
            return tuple(_refused(recipient, last.finding) for recipient in rest)
        too_many = SmtpFailure(Stage.RECIPIENT, _TOO_MANY, facts={"recipients": True})
        finding = self._catalogue.find(too_many, {})
        return tuple(_refused(recipient, finding) for recipient in rest)


def _hand_over(pooled: PooledSession, mail: Addressed, dot: _Dot, following: Following) -> Delivery:
    send, idle = pooled.session.send, pooled.idle
    try:
        return send(mail.envelope, mail.content, before_dot=dot, following=following, idle=idle)
    except CommandError as error:
        raise UnsendableError(str(error)) from error


def _refused(recipient: str, finding: Finding) -> RouteResult:
    words = str(finding.reply) if finding.reply is not None else ""
    return RouteResult(recipient, Status.REFUSED, words, finding)


def _within_limits(recipients: tuple[str, ...], extensions: Extensions) -> tuple[str, ...]:
    """Return the first recipients, as many as the server takes at once (RFC 9422)."""
    batch = recipients[: extensions.most_recipients or len(recipients)]
    most = extensions.most_domains
    if most is None:
        return batch
    domains: set[str] = set()
    for at, recipient in enumerate(batch):
        domains.add(recipient.rpartition("@")[2].casefold())
        if len(domains) > most:
            return batch[:at]
    return batch
