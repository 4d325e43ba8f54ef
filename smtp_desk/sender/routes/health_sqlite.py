"""The health of the routes in the outbox database."""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, final

from smtp_desk.sender.outbox.clock import (
    UtcClock,
    to_ms,
    utc_now,
    whole_ms,
)
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.routes import health as route_health
from smtp_desk.sender.routes.health import (
    EVENT_LEASE,
    KEPT_EVENTS,
    Ending,
    HealthEvent,
    Probe,
    RouteHealth,
    Verdict,
)
from smtp_desk.sender.routes.health_rows import (
    EVENT,
    HEALTH,
    event_of,
    event_row,
    health_of,
    health_row,
)

_SELECT: Final = f"SELECT {HEALTH} FROM route_health WHERE route = ?"  # noqa: S608 - constant
_REPLACE: Final = f"""
    INSERT OR REPLACE INTO route_health ({HEALTH}, route)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - constant
_INSERT_EVENT: Final = f"""
    INSERT INTO health_events ({EVENT}, taken_until)
    VALUES (?, ?, ?, ?, ?, ?, ?, 0)
"""  # noqa: S608 - constant
_FREE_EVENT: Final = f"""
    SELECT id, {EVENT} FROM health_events
    WHERE taken_until <= ? OR taken_until > ? ORDER BY id LIMIT 1
"""  # noqa: S608 - constant


@final
class SqliteHealth(route_health.Health):
    """A `Health` that all processes with the same database share.

    Args:
        database: The open database.
        clock: Returns this moment with a time zone.
    """

    def __init__(self, database: Database, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def may_use(self, route: str) -> Verdict:
        verdict, _ = route_health.asked(self.status(route), self._now(), "")
        if not isinstance(verdict, Probe):
            return verdict
        now, token = self._now(), new_token()

        def ask(connection: sqlite3.Connection) -> Verdict:
            given, after = route_health.asked(_find(connection, route), now, token)
            _store(connection, after)
            return given

        return self._database.write(ask)

    def status(self, route: str) -> RouteHealth:
        return self._database.read(lambda connection: _find(connection, route))

    def record_success(self, route: str, probe: str = "") -> None:
        now = self._now()
        before = self.status(route)
        if route_health.succeeded(before, now, probe) != before:
            self._change(route, lambda health: route_health.succeeded(health, now, probe))

    def record_failure(self, route: str, code: str, probe: str = "") -> None:
        now = self._now()
        self._change(route, lambda health: route_health.failed(health, code, now, probe))

    def record_uncertain(self, route: str) -> RouteHealth:
        return self._change(route, route_health.left_uncertain)

    def record_refusal(self, route: str, code: str, recipient: str, message_id: str) -> None:
        now = self._now()
        self._change(
            route,
            lambda health: route_health.refused(health, code, recipient, message_id, now),
            durable=False,
        )

    def record_fallback(self, route: str, count: int = 1) -> None:
        self._change(route, lambda health: route_health.fell_back(health, count), durable=False)

    def may_look(self, route: str) -> bool:
        now = self._now()
        before = self.status(route)
        if route_health.looked(before, now) == before:
            return False

        def ask(connection: sqlite3.Connection) -> bool:
            health = _find(connection, route)
            _store(connection, route_health.looked(health, now))
            return route_health.is_look_due(health, now)

        return self._database.write(ask)

    def record_endings(self, route: str, endings: Iterable[Ending]) -> None:
        found = tuple(endings)
        if route_health.ending(before := self.status(route), found) != before:
            self._change(route, lambda health: route_health.ending(health, found))

    def forget(self, route: str, recipient: str) -> None:
        self._change(route, lambda health: route_health.without(health, recipient))

    def reopen(self, route: str) -> None:
        self._change(route, route_health.reopened)

    def try_again(self, route: str) -> None:
        now = self._now()
        self._change(route, lambda health: route_health.to_be_tried(health, now))

    def take_event(self) -> HealthEvent | None:
        now = to_ms(self._now())
        lease = to_ms(self._now() + EVENT_LEASE)

        def claim(connection: sqlite3.Connection) -> HealthEvent | None:
            row = connection.execute(_FREE_EVENT, (now, lease)).fetchone()
            if row is None:
                return None
            connection.execute(
                "UPDATE health_events SET taken_until = ? WHERE id = ?", (lease, row[0])
            )
            return event_of(row)

        waiting = self._database.read(
            lambda connection: connection.execute(_FREE_EVENT, (now, lease)).fetchone()
        )
        return self._database.write(claim) if waiting else None

    def acknowledge(self, event: HealthEvent) -> None:
        self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM health_events WHERE id = ?", (event.id,)
            )
        )

    def _now(self) -> datetime:
        return whole_ms(self._clock())

    def _change(
        self, route: str, rule: Callable[[RouteHealth], RouteHealth], *, durable: bool = True
    ) -> RouteHealth:
        now = self._now()

        def change(connection: sqlite3.Connection) -> RouteHealth:
            before = _find(connection, route)
            after = rule(before)
            if after != before:
                _store(connection, after)
            if event := route_health.event_between(before, after, now):
                _tell(connection, event)
            return after

        return self._database.write(change, durable=durable)


def _find(connection: sqlite3.Connection, route: str) -> RouteHealth:
    return health_of(route, connection.execute(_SELECT, (route,)).fetchone())


def _store(connection: sqlite3.Connection, health: RouteHealth) -> None:
    connection.execute(_REPLACE, health_row(health))


def _tell(connection: sqlite3.Connection, event: HealthEvent) -> None:
    cursor = connection.execute(_INSERT_EVENT, event_row(event))
    connection.execute(
        "DELETE FROM health_events WHERE id <= ?", ((cursor.lastrowid or 0) - KEPT_EVENTS,)
    )
