"""Routes: the ways by which emails leave this machine.

There are two: `custom`, the customer's own server, and `default`, the default email service.
`smtp.SmtpRoute` sends through a server, `sendmail.SendmailRoute` through the machine's MTA; any
other route has to pass tests/contract/test_route.py.

The routes of this moment, and what else the saved settings say of sending.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from smtp_desk.core.findings.finding import Finding
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.session.envelope import Status

if TYPE_CHECKING:
    from smtp_desk.sender.routes.health import Ending
    from smtp_desk.smtp.session.transaction import BeforeDot

Upcoming: TypeAlias = Callable[[], tuple[OutboxMessage, tuple[str, ...]] | None]
"""Asked right before the dot what this thread sends next by the same route; None for nothing."""


def nothing_upcoming() -> None:
    """Name no message: the `Upcoming` if none is known."""


CUSTOM: Final = "custom"
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class RouteResult:
    """The result for one recipient on one route.

    Attributes:
        recipient: The address.
        status: ACCEPTED: the route took responsibility. REFUSED: it certainly did not.
            UNCERTAIN: it may have.
        reply: The reply that decided, safe to show; "" if there was none.
        finding: Why it isn't ACCEPTED; its scope decides what comes next.
    """

    recipient: str
    status: Status
    reply: str = ""
    finding: Finding | None = None


class UnsendableError(Exception):
    """A message can't be written correctly: an error of this program, not of the route."""


class NoTurnError(Exception):
    """The route can't send in time: all connections are in use, or it would be too fast.

    Attributes:
        again_at: When it is worth asking again; None for soon.
    """

    def __init__(self, again_at: datetime | None = None) -> None:
        super().__init__("now is not the time to send")
        self.again_at = again_at


@contextmanager
def writing() -> Iterator[None]:
    """Raise any error while a message is written for a route as `UnsendableError`."""
    try:
        yield
    except Exception as error:
        raise UnsendableError(str(error)) from error


class Route(Protocol):
    """A way to send. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """`CUSTOM` or `DEFAULT`."""
        ...

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: "BeforeDot",
        patience: Deadline,
        upcoming: Upcoming = nothing_upcoming,
    ) -> tuple[RouteResult, ...]:
        """Send one message, built for this route, and return the result for each recipient.

        Failures of a server, a program or the network aren't raised: they are in the results. A
        connection that was open already and proves dead is replaced once.

        Args:
            message: The message; its own `recipients` don't count.
            recipients: The recipients: one address, unless the message is another program's.
            before_dot: Called right before the message is handed over for good. If it raises,
                the message certainly isn't sent, and the exception is raised here. It may be
                called a second time, after a dead connection.
            patience: When to stop waiting for its turn.
            upcoming: The message it names may be begun with this one: `send` it next, or
                `abandon`.

        Raises:
            NoTurnError: Its turn did not come; nothing was sent.
            OutboxUnavailableError: The state that all processes share isn't known; nothing was
                sent.
            UnsendableError: The message can't be written; nothing was sent.
            Exception: What `before_dot` raised, or an error of this program.
        """
        ...

    def abandon(self) -> None:
        """End what was begun of a message that this thread won't send next."""
        ...

    def probe(self) -> Finding | None:
        """Try the route without a message, up to AUTH; return what ended it, or None.

        For a minute after a refused sign-in `send` returns the same finding without another
        login, unless a probe succeeds; after that, the health of routes decides who may try.
        """
        ...

    def endings(self) -> "tuple[Ending, ...]":
        """Return what it needs and that expires soon, as far as its latest session showed."""
        ...

    def retire(self) -> None:
        """Accept no new emails, since settings changed; finish what runs, then close."""
        ...

    def close(self) -> None:
        """Close all connections; what runs is cancelled, and nothing may be sent afterwards."""
        ...


def always() -> bool:
    """Return true: these are still the saved settings."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The routes that the saved settings define.

    Attributes:
        custom: The customer's own server, or why it can't be used; None if it isn't configured
            or is switched off.
        default: The default email service, or why it can't be used; None if there is none:
            emails then wait in the outbox until a route works.
        resend_uncertain: Whether an email without an answer is sent once more.
        current: Whether these are still the saved settings.
        from_email: The address that emails come from if all goes well; for Message-IDs.
        company_name: For templates and the From of the default email service.
        notify: Who gets a mail of outages and refusals; "" for nobody.
    """

    custom: Route | Finding | None = None
    default: Route | Finding | None = None
    resend_uncertain: bool = True
    current: Callable[[], bool] = always
    from_email: str = "smtp-desk@localhost"
    company_name: str = ""
    notify: str = ""

    def of(self, name: str) -> Route | Finding | None:
        """Return the route `name`."""
        return {CUSTOM: self.custom, DEFAULT: self.default}.get(name)


class RouteSource(Protocol):
    """Where the routes come from."""

    def routes(self) -> Routes:
        """Return the routes of this moment; cheap where nothing was saved since."""
        ...

    def close(self) -> None:
        """Close them all; what runs is cancelled."""
        ...
