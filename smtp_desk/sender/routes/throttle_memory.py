"""The limits that all programs share, in memory, for tests."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import final

from smtp_desk.sender.outbox.clock import UtcClock, from_ms, to_ms, utc_now, whole_ms
from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.routes import throttle as throttling
from smtp_desk.sender.routes.throttle import (
    CLOSING,
    CONNECTION_LEASE,
    MINUTE_MS,
    RENEW_EVERY,
    ConnectionLease,
    Login,
    ThrottleState,
    Turns,
)


@final
class MemoryThrottle(throttling.Throttle):
    """A `Throttle` in memory.

    Args:
        clock: Returns this moment with a time zone.
    """

    def __init__(self, clock: UtcClock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._states: dict[str, ThrottleState] = {}
        self._leases: dict[str, ConnectionLease] = {}
        self._closing: list[tuple[str, datetime]] = []
        self._sent: dict[str, Counter[int]] = defaultdict(Counter)

    def lease(self, login: Login) -> ConnectionLease | datetime:
        with self._lock:
            now, state = self._now(), self.state(login)
            if paused := state.paused(now):
                return paused
            if state.leased >= state.connections(now):
                return now + RENEW_EVERY
            lease = ConnectionLease(login, new_token(), now + CONNECTION_LEASE)
            self._leases[lease.token] = lease
            return lease

    def renew(self, leases: Iterable[ConnectionLease]) -> tuple[ConnectionLease, ...]:
        with self._lock:
            now = self._now()
            prolonged = []
            for lease in leases:
                held = self._held(lease.login)[: self.state(lease.login).connections(now)]
                if any(each.token == lease.token for each in held):
                    prolonged.append(replace(lease, until=now + CONNECTION_LEASE))
                    self._leases[lease.token] = prolonged[-1]
            return tuple(prolonged)

    def release(self, leases: Iterable[ConnectionLease], *, opened: bool = True) -> None:
        with self._lock:
            for lease in leases:
                ended = self._leases.pop(lease.token, None)
                if ended is not None and opened:
                    self._closing.append((str(lease.login), self._now()))

    def state(self, login: Login) -> ThrottleState:
        with self._lock:
            known = self._states.get(str(login), ThrottleState())
            now, held = self._now(), self._held(login)
            self._closing = [each for each in self._closing if now - CLOSING < each[1] <= now]
            closing = sum(name == str(login) for name, _ in self._closing)
            return replace(known, leased=len(held), closing=closing)

    def take_turns(self, login: Login, wanted: int, per_hour: int = 0) -> Turns:
        with self._lock:
            now = self._now()
            if paused := self.state(login).paused(now):
                return Turns(0, paused)
            if per_hour <= 0:
                return Turns(wanted, now)
            minute, sent = to_ms(now) // MINUTE_MS, self._sent[str(login)]
            granted, again = throttling.turns(sent, minute, wanted, per_hour)
            sent[minute] += granted
            for each in [each for each in sent if not throttling.counts(each, minute)]:
                del sent[each]
            return Turns(granted, now if again is None else from_ms(again * MINUTE_MS))

    def record_slow(self, login: Login) -> ThrottleState:
        return self._change(login, throttling.slowed)

    def record_acceptance(self, login: Login) -> None:
        self._change(login, throttling.accepted)

    def _now(self) -> datetime:
        return whole_ms(self._clock())

    def _held(self, login: Login) -> list[ConnectionLease]:
        """Remove the leases that are over; return those of `login`, oldest first."""
        now = self._now()
        for token, lease in tuple(self._leases.items()):
            if not now < lease.until <= now + CONNECTION_LEASE:
                del self._leases[token]
        return [lease for lease in self._leases.values() if str(lease.login) == str(login)]

    def _change(
        self, login: Login, rule: Callable[[ThrottleState, datetime], ThrottleState]
    ) -> ThrottleState:
        with self._lock:
            after = rule(self.state(login), self._now())
            self._states[str(login)] = after
            return after
