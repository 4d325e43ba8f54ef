"""A process that sends until it is killed: what the kill test kills."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
from smtp_desk.sender.sender import Sender
from smtp_desk.smtp.net.deadline import Cancel
from tests.sender.post_office import FixedRoutes, mail
from tests.sender.ways import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event

    from smtp_desk.sender.outbox.entries import OutboxMessage
    from smtp_desk.sender.routes.throttle import Throttle


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a process sends from and to; goes to another process.

    Attributes:
        folder: of the outbox.
        port: of the server, on 127.0.0.1.
        ca_pem: that the server's certificate comes from.
        default_port: of the default service; 0 for none.
    """

    folder: Path
    port: int
    ca_pem: str
    default_port: int = 0

    @contextlib.contextmanager
    def sender(self, clock: UtcClock = utc_now) -> Iterator[tuple[Sender, SqliteOutbox]]:
        """A sender there, and its outbox."""
        with Database(self.folder / "outbox.sqlite3") as database:
            throttle = SqliteThrottle(database, clock)
            routes = Routes(
                custom=self._route(CUSTOM, self.port, throttle),
                default=self._route(DEFAULT, self.default_port, throttle),
            )
            outbox = SqliteOutbox(database, clock)
            health = SqliteHealth(database, clock)
            source, templates = FixedRoutes(routes), Templates(self.folder / "templates")
            with Sender(outbox, health, source, templates, CATALOGUE, clock=clock) as sender:
                yield sender, outbox

    def _route(self, name: str, port: int, throttle: Throttle) -> SmtpRoute | None:
        settings = ServerSettings(
            host="127.0.0.1",
            port=port,
            from_email="ann@example.org",
            username="desk",
            ca_pem=self.ca_pem,
        )
        identity = Identity(settings.from_email)
        secret, mode = Secret("s3cret"), Security.STARTTLS
        route = SmtpRoute(name, settings, mode, secret, identity, CATALOGUE, throttle)
        return route if port else None


def send_for_ever(place: Place, name: str, started: Event) -> None:
    """Send one email after the other, and many at once, in turns."""
    with place.sender() as (sender, _):
        started.set()
        for number in itertools.count():
            some = [short(f"{name}-{number}-{each}") for each in range(6)]
            sender.send(some[0])
            for _ in sender.send_many(some[1:]):
                pass


def drain_for_ever(place: Place, _name: str, started: Event) -> None:
    """Work off the outbox, as `smtp-desk worker` does."""
    with place.sender() as (sender, _):
        started.set()
        sender.drain(Cancel(), once=False)


def short(number: str) -> OutboxMessage:
    """A short email to one recipient."""
    return mail(number, ("bo@example.test",), b"Hello.\r\n")
