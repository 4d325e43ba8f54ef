"""The Delivery page without a window: an outbox in memory, and a list that a test can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.app.delivery.listing import Part, Span, edits, place
from smtp_desk.app.delivery.presenter import DeliveryPresenter
from smtp_desk.app.delivery.rows import ID, DeliveryRow
from smtp_desk.app.delivery.state import DeliveryState
from smtp_desk.app.services import Services
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox
from tests.app.faces import DeferredRunner
from tests.sender.outboxes import TurnedClock

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sender.outbox.outbox import Outbox
    from smtp_desk.sender.routes.health import Health


def services_with(home: Path, clock: TurnedClock, outbox: Outbox, health: Health) -> Services:
    """Services of a home whose outbox and health are these."""
    made = Services.sandbox(home)
    services = Services(
        paths=made.paths, credentials=made.credentials, store=made.store, now=clock, sandboxed=True
    )
    vars(services).update(outbox=outbox, health=health)
    if isinstance(outbox, MemoryOutbox):
        vars(services).update(control=outbox.control)
    return services


class ShownList:
    """Does with parts what a model of Qt does."""

    def __init__(self) -> None:
        self.rows: list[DeliveryRow] = []
        self.states: list[DeliveryState] = []
        self.parts = 0

    def render(self, state: DeliveryState) -> None:
        self.states.append(state)

    def show_part(self, part: Part) -> None:
        self.parts += 1
        if part.anew:
            self.rows = []
        start = place(self.rows, part.above, behind=True) if part.above else 0
        end = place(self.rows, part.until, behind=True) if part.until else len(self.rows)
        for edit in reversed(edits(self.rows[start:end], part.rows)):
            self.rows[start + edit.start : start + edit.end] = edit.rows

    @property
    def ids(self) -> list[str]:
        return [row[ID] for row in self.rows]

    def span(self, first: int, last: int) -> Span:
        above = self.rows[first - 1][ID] if first else ""
        return Span(above, tuple(row[ID] for row in self.rows[first : last + 1]))


class Page:
    """The presenter, its list, and all that stands behind it."""

    def __init__(
        self,
        home: Path,
        clock: TurnedClock | None = None,
        outbox: Outbox | None = None,
        health: Health | None = None,
    ) -> None:
        self.clock = clock or TurnedClock()
        self.outbox = outbox or MemoryOutbox(self.clock)
        self.health = health or MemoryHealth(self.clock)
        self.services = services_with(home, self.clock, self.outbox, self.health)
        self.runner = DeferredRunner()
        self.view = ShownList()
        self.presenter = DeliveryPresenter(self.services, self.runner, self.view)

    @property
    def state(self) -> DeliveryState:
        return self.view.states[-1]

    def look(self, span: Span | None = None) -> None:
        """Refresh, and wait for it."""
        self.presenter.refresh(span or Span())
        self.runner.finish()

    def choose(self, entry_id: str) -> None:
        self.presenter.select(entry_id)
        self.runner.finish()
