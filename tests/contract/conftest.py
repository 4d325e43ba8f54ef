"""Each contract of the sender runs for every engine that ships."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest

from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.control_postgres import PostgresControl
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import Outbox, OutboxLimits
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_postgres import PostgresHealth
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import Routes
from smtp_desk.sender.routes.throttle_postgres import PostgresThrottle
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
from smtp_desk.sender.sender import Sender
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox, MemoryThrottle
from tests.sender.outboxes import TurnedClock, lay_empty
from tests.sender.post_office import FixedRoutes
from tests.sender.ways import CATALOGUE, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from smtp_desk.sender.routes.health import Health
    from smtp_desk.sender.routes.throttle import Throttle


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


AnyDatabase: TypeAlias = Database | PostgresDatabase | None


@pytest.fixture(
    params=[
        "sqlite",
        "memory",
        pytest.param("postgres", marks=pytest.mark.needs("postgres")),
    ]
)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyDatabase]:
    """The database, or None for memory."""
    if request.param == "memory":
        yield None
    elif request.param == "sqlite":
        with Database(lay_empty(tmp_path / "state" / "outbox.sqlite3")) as opened:
            yield opened
    else:
        url = request.getfixturevalue("postgres").empty_database()
        with PostgresDatabase(read_address(url, {})) as shared:
            yield shared


@pytest.fixture
def make_outbox(database: AnyDatabase, clock: TurnedClock) -> Callable[[OutboxLimits], Outbox]:
    def make(limits: OutboxLimits) -> Outbox:
        match database:
            case Database():
                return SqliteOutbox(database, clock, limits)
            case PostgresDatabase():
                return PostgresOutbox(database, clock, limits)
        return MemoryOutbox(clock, limits)

    return make


@pytest.fixture
def outbox(make_outbox: Callable[[OutboxLimits], Outbox]) -> Outbox:
    return make_outbox(OutboxLimits())


@pytest.fixture
def control(database: AnyDatabase, outbox: Outbox, clock: TurnedClock) -> Control:
    """Of the same storage as `outbox`."""
    match database:
        case Database():
            return SqliteControl(database, clock)
        case PostgresDatabase():
            return PostgresControl(database, clock)
    assert isinstance(outbox, MemoryOutbox)
    return outbox.control


@pytest.fixture
def health(database: AnyDatabase, clock: TurnedClock) -> Health:
    match database:
        case Database():
            return SqliteHealth(database, clock)
        case PostgresDatabase():
            return PostgresHealth(database, clock)
    return MemoryHealth(clock)


@pytest.fixture
def throttle(database: AnyDatabase, clock: TurnedClock) -> Throttle:
    match database:
        case Database():
            return SqliteThrottle(database, clock)
        case PostgresDatabase():
            return PostgresThrottle(database, clock)
    return MemoryThrottle(clock)


@pytest.fixture
def way() -> Way:
    """The one route of `sender`; it accepts all."""
    return Way()


@pytest.fixture
def sender(
    outbox: Outbox, health: Health, way: Way, clock: TurnedClock, tmp_path: Path
) -> Iterator[Sender]:
    routes = FixedRoutes(Routes(custom=way))
    with Sender(outbox, health, routes, Templates(tmp_path), CATALOGUE, clock=clock) as sender:
        yield sender
