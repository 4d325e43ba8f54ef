"""The pace of a login as a row, and the moments that tell leases apart, alike in every database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from smtp_desk.sender.outbox.clock import restored, stored, to_ms
from smtp_desk.sender.routes.throttle import CLOSING, CONNECTION_LEASE, Login, ThrottleState


def state_of(row: Sequence[Any] | None, leased: int, closing: int) -> ThrottleState:
    """Return the state in a row of limit, moments and pause; the default without a row."""
    if row is None:
        return ThrottleState(leased=leased, closing=closing)
    limit, lowered_at, pause, paused_until, slow_since = row
    return ThrottleState(
        limit=limit,
        lowered_at=restored(lowered_at),
        pause=timedelta(milliseconds=pause),
        paused_until=restored(paused_until),
        slow_since=restored(slow_since),
        leased=leased,
        closing=closing,
    )


def state_row(state: ThrottleState, login: Login) -> tuple[object, ...]:
    """Return the values that `state_of` reads, and the login."""
    moments = (state.lowered_at, state.paused_until, state.slow_since)
    lowered_at, paused_until, slow_since = map(stored, moments)
    pause = state.pause // timedelta(milliseconds=1)
    return (state.limit, lowered_at, pause, paused_until, slow_since, str(login))


def bounds(now: datetime) -> dict[str, int]:
    """Return the moments, in milliseconds, between which a lease is held, or still counts."""
    return {
        "closed": to_ms(now - CLOSING),
        "now": to_ms(now),
        "farthest": to_ms(now + CONNECTION_LEASE),
    }
