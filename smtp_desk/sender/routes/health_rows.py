"""The health of a route, and its events, as rows, the same in every database."""

import json
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from smtp_desk.sender.outbox.clock import from_ms, restored, stored, to_ms
from smtp_desk.sender.routes.health import (
    HealthEvent,
    HealthEventKind,
    RouteHealth,
    endings_of,
    written,
)

HEALTH: Final = """
    failures, resting_until, shut, code, probe_token, probe_until, out_since, fallbacks, uncertain,
    unknown, looked_at, endings
"""
"""The columns that `health_of` reads and, with the route behind them, `health_row` fills."""
EVENT: Final = "kind, route, at, code, out_since, fallbacks, endings"
"""The columns that `event_row` fills and, behind the id, `event_of` reads."""

EventRow: TypeAlias = tuple[int, str, str, int, str, int | None, int, str]


def health_of(route: str, row: Sequence[Any] | None) -> RouteHealth:
    """Return the health in a row of `HEALTH`; without a row nothing has happened yet."""
    if row is None:
        return RouteHealth(route=route)
    failures, resting, shut, code, token, probe, since, fallbacks, uncertain, unknown, *looks = row
    return RouteHealth(
        route=route,
        failures=failures,
        resting_until=restored(resting),
        shut=bool(shut),
        code=code,
        probe_token=token,
        probe_until=restored(probe),
        out_since=restored(since),
        fallbacks=fallbacks,
        uncertain=uncertain,
        unknown=tuple((recipient, of) for recipient, of in json.loads(unknown)),
        looked_at=restored(looks[0]),
        endings=endings_of(looks[1]),
    )


def health_row(health: RouteHealth) -> tuple[object, ...]:
    """Return the values of `HEALTH`, and the route."""
    return (
        health.failures,
        stored(health.resting_until),
        health.shut,
        health.code,
        health.probe_token,
        stored(health.probe_until),
        stored(health.out_since),
        health.fallbacks,
        health.uncertain,
        json.dumps(health.unknown),
        stored(health.looked_at),
        written(health.endings),
        health.route,
    )


def event_of(row: EventRow) -> HealthEvent:
    """Return the event in a row of its id and `EVENT`."""
    event_id, kind, route, at, code, since, fallbacks, endings = row
    return HealthEvent(
        id=event_id,
        kind=HealthEventKind(kind),
        route=route,
        at=from_ms(at),
        code=code,
        out_since=restored(since),
        fallbacks=fallbacks,
        endings=endings_of(endings),
    )


def event_row(event: HealthEvent) -> tuple[object, ...]:
    """Return the values of `EVENT`."""
    since, endings = stored(event.out_since), written(event.endings)
    at = to_ms(event.at)
    return (event.kind.value, event.route, at, event.code, since, event.fallbacks, endings)
