"""For the tests of programs that send: a sender that keeps its emails, in one line.

    from smtp_desk.sender.testing import MemorySender

    sender = MemorySender()
    sign_up("ann@example.org", sender)
    assert sender.sent[0]["Subject"] == "Bo invites you"

Its parts, an outbox and the health of routes in memory, keep the same contract as those on disk,
within one process.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Self, final

from smtp_desk.core.address import mailbox_key
from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.core.findings.finding import Finding
from smtp_desk.sender.mail.addressing import Identity, addressed
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.outbox.memory import MemoryOutbox
from smtp_desk.sender.routes.health import Ending
from smtp_desk.sender.routes.health_memory import MemoryHealth
from smtp_desk.sender.routes.route import (
    CUSTOM,
    RouteResult,
    Routes,
    Upcoming,
    nothing_upcoming,
    writing,
)
from smtp_desk.sender.routes.throttle_memory import MemoryThrottle
from smtp_desk.sender.sender import Sender
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.smtp.session.transaction import BeforeDot
from smtp_desk.store.resources import read_catalogue

__all__ = ["MemoryHealth", "MemoryOutbox", "MemorySender", "MemoryThrottle", "SentEmail"]

_UNCONFIRMED: Final = "message.unconfirmed"


@dataclass(frozen=True, slots=True)
class SentEmail:
    """An email that would have been sent.

    Attributes:
        recipients: Its recipients: one address, unless it is a message of the standard library.
        kind: Its kind; `foreign` for a message of the standard library.
        message: The whole message, as a server would have received it.
    """

    recipients: tuple[str, ...]
    kind: str
    message: EmailMessage = field(repr=False)

    def __getitem__(self, name: str) -> str:
        """Return the header field `name`; "" if it has none."""
        return str(self.message.get(name, ""))

    @property
    def text(self) -> str:
        """Its plain text; "" if it has none."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """Its HTML; "" if it has none."""
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


@final
class _MemoryRoute:
    """A route that keeps what it is given."""

    name = CUSTOM

    def __init__(self, identity: Identity, catalogue: Catalogue) -> None:
        self.sent: list[SentEmail] = []
        self.failures: dict[str, str] = {}
        self._identity = identity
        self._catalogue = catalogue
        self._routes = Routes(custom=self, from_email=identity.from_email, company_name="Example")
        self._lock = threading.Lock()

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,  # noqa: ARG002 - the interface of routes
        upcoming: Upcoming = nothing_upcoming,  # noqa: ARG002 - as above
    ) -> tuple[RouteResult, ...]:
        """Keep the message for those who were not to fail."""
        results = tuple(map(self._result, recipients))
        accepted = tuple(each.recipient for each in results if each.status is Status.ACCEPTED)
        with writing():
            content = addressed(message, accepted or recipients, self._identity).content
        if any(each.status is not Status.REFUSED for each in results):
            before_dot()
        if accepted:
            parsed = message_from_bytes(content, policy=policy.default)
            with self._lock:
                self.sent.append(SentEmail(accepted, message.kind, parsed))
        return results

    def probe(self) -> Finding | None:
        """Work."""

    def endings(self) -> tuple[Ending, ...]:
        """Have nothing that ends."""
        return ()

    def abandon(self) -> None:
        """Have nothing to end."""

    def retire(self) -> None:
        """Have nothing to close."""

    def close(self) -> None:
        """Have nothing to close."""

    def routes(self) -> Routes:
        """Be the one route there is."""
        return self._routes

    def _result(self, recipient: str) -> RouteResult:
        code = self.failures.get(mailbox_key(recipient), "")
        if not code:
            return RouteResult(recipient, Status.ACCEPTED, "250 2.0.0 kept in memory")
        status = Status.UNCERTAIN if code == _UNCONFIRMED else Status.REFUSED
        return RouteResult(recipient, status, finding=cause(self._catalogue, code))


@final
class MemorySender(Sender):
    """A `Sender` for tests: the same rules, an outbox in memory, and a server that keeps emails.

    Args:
        clock: Returns the current time, with a time zone; for `send_at`, move it on and call
            `drain`.
        from_email: The configured From email.
        templates: The folder of templates that replace the built-in ones; None for none.
    """

    def __init__(
        self,
        clock: UtcClock = utc_now,
        *,
        from_email: str = "desk@example.org",
        templates: Path | None = None,
    ) -> None:
        catalogue = read_catalogue()
        self._codes: Final = frozenset(catalogue.codes)
        self._route: Final = _MemoryRoute(Identity(from_email), catalogue)
        super().__init__(
            MemoryOutbox(clock),
            MemoryHealth(clock),
            self._route,
            Templates(templates),
            catalogue,
            clock=clock,
        )

    @classmethod
    def from_settings(cls, environ: Mapping[str, str] | None = None) -> Self:  # noqa: ARG003 - it has none
        """Return a sender without reading settings, for programs that call the class itself."""
        return cls()

    @property
    def sent(self) -> list[SentEmail]:
        """The emails that would have been sent, oldest first."""
        return self._route.sent

    def fail(self, recipient: str, code: str = "recipient.unknown") -> None:
        """Let emails to `recipient` fail from now on.

        Args:
            recipient: The address, however it is spelled.
            code: The code of a finding, such as `recipient.mailbox_full` or `connect.refused`,
                with its usual effect: emails are refused, or they wait. `message.unconfirmed`
                makes them uncertain, and "" lets them be accepted again.

        Raises:
            ValueError: There is no finding with this code.
        """
        if code and code not in self._codes:
            raise ValueError(f"There is no finding {code!r}.")
        self._route.failures[mailbox_key(recipient)] = code
