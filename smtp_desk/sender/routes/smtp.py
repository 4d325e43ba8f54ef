"""The route over an SMTP server: the customer's own, or the organisation's relay."""

import time
from dataclasses import dataclass
from typing import Final, final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding, Scope
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Stage
from smtp_desk.sender.mail.addressing import Addressed, Identity, addressed
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.routes.pool import PooledSession, SessionPool, UnavailableError
from smtp_desk.sender.routes.route import RouteResult, UnsendableError, writing
from smtp_desk.smtp.net.deadline import Clock
from smtp_desk.smtp.net.resolve import Resolver
from smtp_desk.smtp.session.envelope import Delivery, Status
from smtp_desk.smtp.session.limits import SENDER_LIMITS, SessionLimits
from smtp_desk.smtp.session.transaction import BeforeDot
from smtp_desk.smtp.wire.auth import Credential
from smtp_desk.smtp.wire.commands import CommandError

MAX_RECIPIENTS: Final = 100
"""Recipients of one transaction: what every server must take (RFC 5321, 4.5.3.1.8)."""

_TOO_MANY: Final = "recipient.throttled"
# What ends all that was to be sent, and not only what was.
_ENDS_ALL: Final = (Scope.ROUTE, Scope.PROCESS, Scope.NONE)


@dataclass(slots=True)
class _Dot:
    """Remembers whether the final dot was announced."""

    before: BeforeDot
    announced: bool = False

    def __call__(self) -> None:
        self.announced = True
        self.before()


@final
class SmtpRoute:
    """A `Route` over a pool of sessions with one server."""

    def __init__(  # noqa: PLR0917 - each a type of its own, and none has a default
        self,
        name: str,
        settings: ServerSettings,
        mode: Security,
        credential: Credential | None,
        identity: Identity,
        catalogue: Catalogue,
        *,
        resolver: Resolver | None = None,
        limits: SessionLimits = SENDER_LIMITS,
        clock: Clock = time.monotonic,
    ) -> None:
        """Prepare; nothing connects.

        Args:
            name: `CUSTOM` or `DEFAULT`.
            settings: The server.
            mode: How TLS begins, as the test has found.
            credential: Password or token; None for a server that knows us by our address.
            identity: Who emails come from.
            catalogue: Names causes.
            resolver: Finds the addresses; by default the system.
            limits: How long each part may take.
            clock: Tells the time.
        """
        self._name = name
        self._identity = identity
        self._catalogue = catalogue
        self._pool = SessionPool(
            settings, mode, credential, catalogue, limits=limits, resolver=resolver, clock=clock
        )

    @property
    def name(self) -> str:
        """`CUSTOM` or `DEFAULT`."""
        return self._name

    def send(
        self, message: OutboxMessage, recipients: tuple[str, ...], before_dot: BeforeDot
    ) -> tuple[RouteResult, ...]:
        """Send in one transaction; see `Route`.

        Recipients for whom it is one too many, for the server (RFC 5321, 4.5.3.1.10) or
        after `MAX_RECIPIENTS`, are REFUSED with `recipient.throttled`: they go in a
        transaction of their own, when what came of this one is written down.
        """
        batch, rest = recipients[:MAX_RECIPIENTS], recipients[MAX_RECIPIENTS:]
        with writing():
            mail = addressed(message, batch, self._identity)
        try:
            results = self._deliver(mail, batch, _Dot(before_dot))
        except UnavailableError as error:
            return tuple(_refused(recipient, error.finding) for recipient in recipients)
        return results + self._left_over(rest, results[-1])

    def probe(self) -> Finding | None:
        """Open a session, up to AUTH; see `Route`."""
        return self._pool.probe()

    def retire(self) -> None:
        """Take no new mail; see `Route`. What comes yet is given back with `session.cancelled`."""
        self._pool.retire()

    def close(self) -> None:
        """Cancel what runs, say goodbye to the server."""
        self._pool.close()

    def _deliver(
        self, mail: Addressed, recipients: tuple[str, ...], dot: _Dot
    ) -> tuple[RouteResult, ...]:
        with self._pool.session() as pooled:
            delivery = _hand_over(pooled, mail, dot)
            if pooled.session.usable or dot.announced or not pooled.reused:
                return self._results(recipients, delivery, pooled)
        # It was dead before this message: the server had closed it, or did so at MAIL.
        with self._pool.session(fresh=True) as pooled:
            delivery = _hand_over(pooled, mail, dot)
            return self._results(recipients, delivery, pooled)

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
        if last.finding is not None and last.finding.scope in _ENDS_ALL:
            return tuple(_refused(recipient, last.finding) for recipient in rest)
        too_many = SmtpFailure(Stage.RECIPIENT, _TOO_MANY, facts={"recipients": True})
        finding = self._catalogue.find(too_many, {})
        return tuple(_refused(recipient, finding) for recipient in rest)


def _hand_over(pooled: PooledSession, mail: Addressed, dot: _Dot) -> Delivery:
    try:
        return pooled.session.send(mail.envelope, mail.content, before_dot=dot, idle=pooled.idle)
    except CommandError as error:
        raise UnsendableError(str(error)) from error


def _refused(recipient: str, finding: Finding) -> RouteResult:
    words = str(finding.reply) if finding.reply is not None else ""
    return RouteResult(recipient, Status.REFUSED, words, finding)
