"""A sender over real sessions with two scripted servers, an outbox on disk and a turned clock."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.mail.addressing import FOREIGN, Identity
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import CUSTOM, Route, Routes
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.sender import Sender
from smtp_desk.sender.testing import MemoryThrottle
from smtp_desk.smtp.session.limits import SessionLimits
from tests.sender.outboxes import TurnedClock, lay_empty
from tests.sender.ways import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from smtp_desk.core.findings.finding import Finding
    from smtp_desk.sender.outbox.entries import OutboxEntry
    from smtp_desk.sender.routes.throttle import Throttle
    from tests.servers.certs import Certificates
    from tests.servers.scripted import ScriptedServer

HASTY: Final = SessionLimits(
    total=None, connect=5, greeting=0.4, tls=2, command=0.4, end=1.0, quit=0.4, patience=5
)
"""For a server that says nothing: soon given up, so a busy machine looks like such a server."""
PATIENT: Final = dataclasses.replace(HASTY, greeting=60, tls=60, command=60, end=60)
"""For every other server."""
RECIPIENTS: Final = ("ann@example.test", "bo@example.test")
BODY: Final = b"".join(b"%06d %s\r\n" % (number, b"x" * 64) for number in range(1000))


@dataclasses.dataclass
class FixedRoutes:
    """A source whose routes a test sets."""

    now: Routes

    def routes(self) -> Routes:
        return self.now

    def close(self) -> None:
        for way in (self.now.custom, self.now.default):
            if isinstance(way, SmtpRoute):
                way.close()


@dataclasses.dataclass
class PostOffice:
    """A sender and all that stands around it.

    Attributes:
        sender: Sends.
        outbox: Where its emails are.
        health: Of its routes.
        clock: To turn.
        source: Its routes.
    """

    sender: Sender
    outbox: SqliteOutbox
    health: SqliteHealth
    clock: TurnedClock
    source: FixedRoutes

    def settle(self, hours: int = 200) -> None:
        """Let time pass, and the worker work, until every entry is settled."""
        for _ in range(hours):
            if all(entry.state.settled for entry in self.entries):
                return
            self.clock.turn(hours=1)
            self.sender.drain()

    @property
    def entries(self) -> tuple[OutboxEntry, ...]:
        return self.outbox.page().entries


def mail(
    number: int | str, recipients: tuple[str, ...] = RECIPIENTS, body: bytes = BODY
) -> OutboxMessage:
    """A foreign message: the kind that has several recipients in one transaction."""
    message_id = f"<{number}@example.org>"
    header = f"From: ann@example.org\r\nSubject: Hello\r\nMessage-ID: {message_id}\r\n\r\n"
    return OutboxMessage(
        message_id=message_id, kind=FOREIGN, payload=header.encode() + body, recipients=recipients
    )


def route_to(
    server: ScriptedServer,
    certs: Certificates,
    name: str = CUSTOM,
    *,
    clock: Callable[[], float] = time.monotonic,
    throttle: Throttle | None = None,
    per_hour: int = 0,
    now: Callable[[], datetime] = utc_now,
    limits: SessionLimits = PATIENT,
) -> SmtpRoute:
    """A route over a scripted server that listens, or did."""
    settings = ServerSettings(
        host=server.host,
        port=server.port,
        from_email="ann@example.org" if name == CUSTOM else "relay@example.net",
        username="desk",
        ca_pem=certs.root.chain_file.read_text(),
        per_hour=per_hour,
    )
    return SmtpRoute(
        name,
        settings,
        Security.STARTTLS,
        Secret("s3cret"),
        Identity(settings.from_email),
        CATALOGUE,
        throttle or MemoryThrottle(),
        limits=limits,
        clock=clock,
        now=now,
    )


@contextlib.contextmanager
def opened(
    folder: Path,
    custom: Route | Finding | None,
    default: Route | Finding | None = None,
    clock: TurnedClock | None = None,
) -> Iterator[PostOffice]:
    """A post office whose outbox lies in `folder`."""
    clock = clock or TurnedClock()
    source = FixedRoutes(Routes(custom=custom, default=default))
    with Database(lay_empty(folder / "outbox.sqlite3")) as database:
        outbox, health = SqliteOutbox(database, clock), SqliteHealth(database, clock)
        sender = Sender(
            outbox,
            health,
            source,
            Templates(folder / "templates"),
            CATALOGUE,
            clock=clock,
            random=lambda: 0.0,
        )
        with sender:
            yield PostOffice(sender, outbox, health, clock, source)


def accepted(*servers: ScriptedServer) -> Counter[str]:
    """How often each recipient's mail was accepted by one of these servers."""
    messages = (message for server in servers for message in server.messages if message.accepted)
    return Counter(recipient for message in messages for recipient in message.recipients)


def arrived(server: ScriptedServer) -> Counter[str]:
    """How often the final dot of each recipient's mail arrived, whatever the answer."""
    return Counter(each for message in server.messages for each in message.recipients)
