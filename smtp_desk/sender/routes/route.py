"""What a route is: a way by which an email leaves this machine.

There are two: `custom`, the customer's own server, and `default`, the default email
service. `smtp_route.SmtpRoute` speaks to a server, `sendmail_route.SendmailRoute` to the
machine's MTA; tests/contract/test_route.py is what any other has to pass.

The routes of this moment, and what else the saved settings say of sending.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from smtp_desk.core.findings.finding import Finding
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.routes.health import Ending
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.session.envelope import Status

if TYPE_CHECKING:
    from smtp_desk.smtp.session.transaction import BeforeDot

Upcoming: TypeAlias = Callable[[], tuple[OutboxMessage, tuple[str, ...]] | None]
"""Asked right before the dot what this thread sends next by the same route; None for nothing."""


def nothing_upcoming() -> None:
    """Name no message: an `Upcoming` where none is known."""


CUSTOM: Final = "custom"
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class RouteResult:
    """What came of one recipient on one route.

    Attributes:
        recipient: The address.
        status: ACCEPTED: the route took the responsibility. REFUSED: it surely did not.
            UNCERTAIN: it may have.
        reply: The words that decided, safe to show; "" where there were none.
        finding: Why it is not ACCEPTED; its scope says what comes next.
    """

    recipient: str
    status: Status
    reply: str = ""
    finding: Finding | None = None


class UnsendableError(Exception):
    """A message can't be written as it should be: a fault of ours, and none of the route."""


class NoTurnError(Exception):
    """No email may go by the route in time: all connections are in use, or it would be too fast.

    Attributes:
        again_at: When it is worth to ask again; None for soon.
    """

    def __init__(self, again_at: datetime | None = None) -> None:
        super().__init__("now is not the time to send")
        self.again_at = again_at


@contextmanager
def writing() -> Iterator[None]:
    """Tell whatever goes wrong while a message is written for a route as `UnsendableError`."""
    try:
        yield
    except Exception as error:
        raise UnsendableError(str(error)) from error


class Route(Protocol):
    """A way out. Many threads may use it at once."""

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
        """Hand over one message, built for this route, and return what came of each recipient.

        Nothing that a server, a program or the network does is raised: it stands in the
        results. A connection that was open already and proves dead is replaced once.

        Args:
            message: What to send; its own `recipients` do not count.
            recipients: To whom: one address, unless the message is another program's.
            before_dot: Called right before the message is given away for good; if it
                raises, the message surely does not leave, and what it raised is raised
                here. It may be called a second time, after a dead connection.
            patience: Until when it may wait for its turn.
            upcoming: What it names may be begun with this message: `send` it next, or `abandon`.

        Raises:
            NoTurnError: It did not come; nothing was sent.
            OutboxUnavailableError: What all processes share is not known; nothing was sent.
            UnsendableError: The message can't be written; nothing was sent.
            Exception: What `before_dot` raised, or a fault of our own.
        """
        ...

    def abandon(self) -> None:
        """End what was begun of a message that does not come next in this thread after all."""
        ...

    def probe(self) -> Finding | None:
        """Try the route without a message, up to AUTH; return what ended it, or None.

        For a minute after a refused sign-in `send` gives the same finding without another
        login, unless a probe succeeds; who may ask after that, the health of routes says.
        """
        ...

    def endings(self) -> tuple[Ending, ...]:
        """Return what it needs and that ends soon, as far as its newest session told."""
        ...

    def retire(self) -> None:
        """Take no new mail: what runs ends, then each connection is closed. Other settings hold."""
        ...

    def close(self) -> None:
        """Say goodbye to all servers; what runs is cancelled, nothing may be sent after."""
        ...


def always() -> bool:
    """Say that these are still the settings that are saved."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The ways out that the saved settings give.

    Attributes:
        custom: The customer's own server, or why it can't be used; None where it is not
            configured or switched off.
        default: The default email service, or why it can't be used; None where it is the
            outbox: mail waits until a route works.
        resend_uncertain: Whether an email without an answer is sent once more.
        current: Whether these are still what is saved.
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
