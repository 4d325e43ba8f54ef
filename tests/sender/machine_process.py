"""A machine that sends, or works the outbox off, until it is killed: many share one database."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.outbox import OutboxError
from smtp_desk.sender.routes.route import CUSTOM, Routes
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.sender import Sender
from smtp_desk.sender.storage import open_storage
from smtp_desk.smtp.net.deadline import Cancel
from tests.sender.post_office import FixedRoutes
from tests.sender.sending_process import short
from tests.sender.ways import CATALOGUE
from tests.servers.namespaces import enter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtp_desk.sender.outbox.entries import OutboxMessage
    from smtp_desk.sender.receipts import Receipt
    from smtp_desk.sender.routes.throttle import Throttle

_PAUSE_S: Final = 0.1  # a program has other work to do, too
_never = threading.Event()


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a machine knows; goes to another process.

    Attributes:
        folder: Its own files.
        url: Of the database.
        host: Of the mail server.
        port: Of the mail server.
        ca_pem: That the mail server's certificate comes from.
        namespace: The network that it is in; "" for that of all.
    """

    folder: Path
    url: str
    host: str
    port: int
    ca_pem: str
    namespace: str = ""

    def begin(self) -> None:
        """Be on this machine from now on."""
        logging.disable()  # it tells of each outage, and there are many
        if self.namespace:
            enter(self.namespace)

    @property
    def told(self) -> Path:
        """Where each email is noted of which a caller was told that it is stored."""
        return self.folder / "told"

    def route(self, throttle: Throttle) -> SmtpRoute:
        """The way out."""
        settings = ServerSettings(
            host=self.host,
            port=self.port,
            from_email="ann@example.org",
            username="desk",
            ca_pem=self.ca_pem,
        )
        identity, secret = Identity(settings.from_email), Secret("s3cret")
        mode = Security.STARTTLS
        return SmtpRoute(CUSTOM, settings, mode, secret, identity, CATALOGUE, throttle)

    @contextlib.contextmanager
    def sender(self) -> Iterator[Sender]:
        """A sender there."""
        storage = open_storage(self.folder / "outbox.sqlite3", self.url)
        with Sender(
            storage.outbox,
            storage.health,
            FixedRoutes(Routes(custom=self.route(storage.throttle))),
            Templates(self.folder / "templates"),
            CATALOGUE,
            clock=storage.clock,
            control=storage.control,
            wait_for=storage.wait_for,
        ) as sender:
            yield sender
        storage.close()

    def note(self, receipt: Receipt) -> None:
        """Note that a caller was told of an email, and whether it waits on this machine."""
        local = any(each.local for each in receipt.recipients)
        with self.told.open("a") as file:
            file.write(json.dumps([receipt.message_id, local]) + "\n")


def send_for_ever(machine: Machine, name: str) -> None:
    """Send and queue, one by one and many at once, in turns."""
    machine.begin()
    with machine.sender() as sender:
        for number in itertools.count():
            _never.wait(_PAUSE_S)
            some = [short(f"{name}-{number}-{each}") for each in range(6)]
            with contextlib.suppress(OutboxError):
                machine.note(sender.send(some[0], timeout=5))
                machine.note(sender.queue(some[1]))
                _send_many(machine, sender, some[2:])


def work_for_ever(machine: Machine, _name: str) -> None:
    """Work off the outbox, as `smtp-desk worker` does."""
    machine.begin()
    with machine.sender() as sender:
        sender.drain(Cancel(), once=False)


def _send_many(machine: Machine, sender: Sender, some: list[OutboxMessage]) -> None:
    for receipt in sender.send_many(some):
        machine.note(receipt)
