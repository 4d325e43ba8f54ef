"""A dispatcher over an outbox in memory, and what a test asks of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from smtp_desk.sender.attempts import ONLY_ROUTE, MessageAttempt
from smtp_desk.sender.dispatcher import Dispatcher
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.outbox.outbox import OutboxLimits
from smtp_desk.sender.routes.route import Routes
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox
from tests.sender.outboxes import TurnedClock
from tests.sender.ways import CATALOGUE, Way

if TYPE_CHECKING:
    from smtp_desk.core.findings.finding import Finding
    from smtp_desk.sender.outbox.entries import OutboxEntry
    from smtp_desk.sender.receipts import Receipt

LEASE: Final = timedelta(minutes=10)


class Post:
    """A dispatcher, what stands around it, and one message at a time to deliver."""

    def __init__(self, custom: Way | Finding | None, default: Way | Finding | None) -> None:
        self.clock = TurnedClock()
        self.outbox = MemoryOutbox(self.clock, OutboxLimits())
        self.health = MemoryHealth(self.clock)
        self.routes = Routes(custom=custom, default=default)
        self.dispatcher = Dispatcher(
            self.outbox, self.health, CATALOGUE, clock=self.clock, random=lambda: 0.0
        )

    def send(
        self,
        *recipients: str,
        kind: str = "invitation",
        only: str = "",
        routes: Routes | None = None,
    ) -> Receipt:
        metadata = {ONLY_ROUTE: only} if only else {}
        message = OutboxMessage(
            message_id="<1@example.org>",
            kind=kind,
            payload=b"",
            recipients=recipients or ("ann@example.org",),
            metadata=metadata,
        )
        claims = self.outbox.add_claimed((message,), "test", LEASE)
        return self.dispatcher.deliver(MessageAttempt.of(claims, message, routes or self.routes))

    def again(self) -> Receipt:
        """Deliver what is due, as the worker does."""
        claims = self.outbox.claim("worker", 10, LEASE)
        message = self.outbox.message(claims[0].entry.id)
        return self.dispatcher.deliver(MessageAttempt.of(claims, message, self.routes))

    @property
    def entries(self) -> list[OutboxEntry]:
        return sorted(self.outbox.page().entries, key=lambda entry: entry.recipient)

    @property
    def entry(self) -> OutboxEntry:
        (entry,) = self.entries
        return entry


def fates(outcome: Receipt) -> list[tuple[str, str]]:
    return [(str(each.status), each.route) for each in outcome.recipients]
