"""The health of the routes in memory, as `testing` offers it."""

import itertools
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import final

from smtp_desk.sender.outbox.clock import UtcClock, utc_now, whole_ms
from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.routes import health as route_health
from smtp_desk.sender.routes.health import (
    EVENT_LEASE,
    KEPT_EVENTS,
    Ending,
    HealthEvent,
    RouteHealth,
    Verdict,
)


@final
class MemoryHealth(route_health.Health):
    """A `Health` in memory.

    Args:
        clock: Returns this moment with a time zone.
    """

    def __init__(self, clock: UtcClock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._routes: dict[str, RouteHealth] = {}
        self._events: dict[int, HealthEvent] = {}
        self._taken: dict[int, datetime] = {}
        self._numbers = itertools.count(1)

    def may_use(self, route: str) -> Verdict:
        with self._lock:
            now = whole_ms(self._clock())
            verdict, after = route_health.asked(self.status(route), now, new_token())
            self._routes[route] = after
            return verdict

    def status(self, route: str) -> RouteHealth:
        with self._lock:
            return self._routes.get(route, RouteHealth(route=route))

    def record_success(self, route: str, probe: str = "") -> None:
        self._change(route, lambda health, now: route_health.succeeded(health, now, probe))

    def record_failure(self, route: str, code: str, probe: str = "") -> None:
        self._change(route, lambda health, now: route_health.failed(health, code, now, probe))

    def record_uncertain(self, route: str) -> RouteHealth:
        return self._change(route, lambda health, _: route_health.left_uncertain(health))

    def record_refusal(self, route: str, code: str, recipient: str, message_id: str) -> None:
        self._change(
            route,
            lambda health, now: route_health.refused(health, code, recipient, message_id, now),
        )

    def record_fallback(self, route: str, count: int = 1) -> None:
        self._change(route, lambda health, _: route_health.fell_back(health, count))

    def may_look(self, route: str) -> bool:
        with self._lock:
            now, health = whole_ms(self._clock()), self.status(route)
            self._routes[route] = route_health.looked(health, now)
            return route_health.is_look_due(health, now)

    def record_endings(self, route: str, endings: Iterable[Ending]) -> None:
        found = tuple(endings)
        self._change(route, lambda health, _: route_health.ending(health, found))

    def forget(self, route: str, recipient: str) -> None:
        self._change(route, lambda health, _: route_health.without(health, recipient))

    def reopen(self, route: str) -> None:
        self._change(route, lambda health, _: route_health.reopened(health))

    def try_again(self, route: str) -> None:
        self._change(route, route_health.to_be_tried)

    def take_event(self) -> HealthEvent | None:
        with self._lock:
            now = whole_ms(self._clock())
            for number, event in self._events.items():
                taken_until = self._taken.get(number, now)
                if not now < taken_until <= now + EVENT_LEASE:
                    self._taken[number] = now + EVENT_LEASE
                    return event
            return None

    def acknowledge(self, event: HealthEvent) -> None:
        with self._lock:
            self._events.pop(event.id, None)

    def _change(
        self, route: str, rule: Callable[[RouteHealth, datetime], RouteHealth]
    ) -> RouteHealth:
        with self._lock:
            now, before = whole_ms(self._clock()), self.status(route)
            after = rule(before, now)
            self._routes[route] = after
            if event := route_health.event_between(before, after, now, next(self._numbers)):
                self._events[event.id] = event
                for forgotten in list(self._events)[:-KEPT_EVENTS]:
                    del self._events[forgotten]
            return after
