"""Each contract of the sender runs for every engine that ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import Outbox, OutboxLimits
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox, MemoryThrottle
from tests.sender.outboxes import TurnedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from smtp_desk.sender.routes.health import Health
    from smtp_desk.sender.routes.throttle import Throttle


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(params=["sqlite", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database | None]:
    """The database, or None for memory."""
    if request.param == "memory":
        yield None
        return
    with Database(tmp_path / "state" / "outbox.sqlite3") as opened:
        yield opened


@pytest.fixture
def make_outbox(database: Database | None, clock: TurnedClock) -> Callable[[OutboxLimits], Outbox]:
    def make(limits: OutboxLimits) -> Outbox:
        return SqliteOutbox(database, clock, limits) if database else MemoryOutbox(clock, limits)

    return make


@pytest.fixture
def outbox(make_outbox: Callable[[OutboxLimits], Outbox]) -> Outbox:
    return make_outbox(OutboxLimits())


@pytest.fixture
def control(database: Database | None, outbox: Outbox, clock: TurnedClock) -> Control:
    """Of the same storage as `outbox`."""
    if database:
        return SqliteControl(database, clock)
    assert isinstance(outbox, MemoryOutbox)
    return outbox.control


@pytest.fixture
def health(database: Database | None, clock: TurnedClock) -> Health:
    return SqliteHealth(database, clock) if database else MemoryHealth(clock)


@pytest.fixture
def throttle(database: Database | None, clock: TurnedClock) -> Throttle:
    return SqliteThrottle(database, clock) if database else MemoryThrottle(clock)
