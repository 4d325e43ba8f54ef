"""The health of the routes in a database that many machines share."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, final

from smtp_desk.sender.outbox.clock import (
    UtcClock,
    to_ms,
    whole_ms,
)
from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
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

_SELECT: Final = f"SELECT {HEALTH} FROM route_health WHERE route = %s"  # noqa: S608 - constant
_REPLACE: Final = f"""
    INSERT INTO route_health ({HEALTH}, route)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (route) DO UPDATE SET ({HEALTH}) = ROW (
        excluded.failures, excluded.resting_until, excluded.shut, excluded.code,
        excluded.probe_token, excluded.probe_until, excluded.out_since, excluded.fallbacks,
        excluded.uncertain, excluded.unknown, excluded.looked_at, excluded.endings
    )
"""  # noqa: S608 - constant
_INSERT_EVENT: Final = f"""
    INSERT INTO health_events ({EVENT}, taken_until)
    VALUES (%s, %s, %s, %s, %s, %s, %s, 0) RETURNING id
"""  # noqa: S608 - constant
_FREE_EVENT: Final = f"""
    SELECT id, {EVENT} FROM health_events
    WHERE taken_until <= %s OR taken_until > %s ORDER BY id LIMIT 1
"""  # noqa: S608 - constant
_CLAIM_EVENT: Final = f"{_FREE_EVENT} FOR UPDATE SKIP LOCKED"


@final
class PostgresHealth(route_health.Health):
    """A `Health` that all machines with the same database share.

    Args:
        database: The database.
        clock: Returns this moment; None for the database's clock.
    """

    def __init__(self, database: PostgresDatabase, clock: UtcClock | None = None) -> None:
        self._database = database
        self._clock = clock

    def may_use(self, route: str) -> Verdict:
        verdict = self._database.read(
            lambda transaction: route_health.asked(
                _find(transaction, route), self._now(transaction), ""
            )[0]
        )
        if not isinstance(verdict, Probe):
            return verdict
        token = new_token()

        def ask(transaction: PostgresTransaction) -> Verdict:
            transaction.lock(route)
            now = self._now(transaction)
            given, after = route_health.asked(_find(transaction, route), now, token)
            _store(transaction, after)
            return given

        return self._database.write(ask)

    def status(self, route: str) -> RouteHealth:
        return self._database.read(lambda transaction: _find(transaction, route))

    def record_success(self, route: str, probe: str = "") -> None:
        def changes(transaction: PostgresTransaction) -> bool:
            before = _find(transaction, route)
            return route_health.succeeded(before, self._now(transaction), probe) != before

        if self._database.read(changes):
            self._change(route, lambda health, now: route_health.succeeded(health, now, probe))

    def record_failure(self, route: str, code: str, probe: str = "") -> None:
        self._change(route, lambda health, now: route_health.failed(health, code, now, probe))

    def record_uncertain(self, route: str) -> RouteHealth:
        return self._change(route, lambda health, _: route_health.left_uncertain(health))

    def record_refusal(self, route: str, code: str, recipient: str, message_id: str) -> None:
        def refuse(health: RouteHealth, now: datetime) -> RouteHealth:
            return route_health.refused(health, code, recipient, message_id, now)

        self._change(route, refuse, durable=False)

    def record_fallback(self, route: str, count: int = 1) -> None:
        def fall_back(health: RouteHealth, _now: datetime) -> RouteHealth:
            return route_health.fell_back(health, count)

        self._change(route, fall_back, durable=False)

    def may_look(self, route: str) -> bool:
        def is_asked(transaction: PostgresTransaction) -> bool:
            before = _find(transaction, route)
            return route_health.looked(before, self._now(transaction)) != before

        def ask(transaction: PostgresTransaction) -> bool:
            transaction.lock(route)
            now, health = self._now(transaction), _find(transaction, route)
            _store(transaction, route_health.looked(health, now))
            return route_health.is_look_due(health, now)

        return self._database.read(is_asked) and self._database.write(ask)

    def record_endings(self, route: str, endings: Iterable[Ending]) -> None:
        found = tuple(endings)
        if route_health.ending(before := self.status(route), found) != before:
            self._change(route, lambda health, _: route_health.ending(health, found))

    def forget(self, route: str, recipient: str) -> None:
        self._change(route, lambda health, _: route_health.without(health, recipient))

    def reopen(self, route: str) -> None:
        self._change(route, lambda health, _: route_health.reopened(health))

    def try_again(self, route: str) -> None:
        self._change(route, route_health.to_be_tried)

    def take_event(self) -> HealthEvent | None:
        def look(transaction: PostgresTransaction) -> bool:
            bounds = self._bounds(transaction)
            return transaction.execute(_FREE_EVENT, bounds).fetchone() is not None

        def claim(transaction: PostgresTransaction) -> HealthEvent | None:
            bounds = self._bounds(transaction)
            row = transaction.execute(_CLAIM_EVENT, bounds).fetchone()
            if row is None:
                return None
            transaction.execute(
                "UPDATE health_events SET taken_until = %s WHERE id = %s", (bounds[1], row[0])
            )
            return event_of(row)

        return self._database.write(claim) if self._database.read(look) else None

    def acknowledge(self, event: HealthEvent) -> None:
        self._database.write(
            lambda transaction: transaction.execute(
                "DELETE FROM health_events WHERE id = %s", (event.id,)
            )
        )

    def _now(self, transaction: PostgresTransaction) -> datetime:
        return transaction.now if self._clock is None else whole_ms(self._clock())

    def _bounds(self, transaction: PostgresTransaction) -> tuple[int, int]:
        """Return this moment, and when an event that is taken now is free again."""
        now = self._now(transaction)
        return to_ms(now), to_ms(now + EVENT_LEASE)

    def _change(
        self,
        route: str,
        rule: Callable[[RouteHealth, datetime], RouteHealth],
        *,
        durable: bool = True,
    ) -> RouteHealth:
        def change(transaction: PostgresTransaction) -> RouteHealth:
            transaction.lock(route)
            now = self._now(transaction)
            before = _find(transaction, route)
            after = rule(before, now)
            if after != before:
                _store(transaction, after)
            if event := route_health.event_between(before, after, now):
                _tell(transaction, event)
            return after

        return self._database.write(change, durable=durable)


def _find(transaction: PostgresTransaction, route: str) -> RouteHealth:
    return health_of(route, transaction.execute(_SELECT, (route,)).fetchone())


def _store(transaction: PostgresTransaction, health: RouteHealth) -> None:
    transaction.execute(_REPLACE, health_row(health))


def _tell(transaction: PostgresTransaction, event: HealthEvent) -> None:
    row = transaction.execute(_INSERT_EVENT, event_row(event)).fetchone()
    if row is not None:
        transaction.execute("DELETE FROM health_events WHERE id <= %s", (row[0] - KEPT_EVENTS,))
