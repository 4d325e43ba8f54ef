"""Connections and rate of all machines in the database that they share."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final, final

from smtp_desk.sender.outbox.clock import (
    UtcClock,
    from_ms,
    to_ms,
    whole_ms,
)
from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from smtp_desk.sender.routes import throttle as rules
from smtp_desk.sender.routes.processes import is_alive, numbered_by
from smtp_desk.sender.routes.throttle import (
    CONNECTION_LEASE,
    MINUTE_MS,
    RENEW_EVERY,
    ConnectionLease,
    Login,
    Throttle,
    ThrottleState,
    Turns,
)
from smtp_desk.sender.routes.throttle_rows import bounds, state_of, state_row

_FIND: Final = """
    SELECT most, lowered_at, pause, paused_until, slow_since FROM throttles WHERE login = %s
"""
_STORE: Final = """
    INSERT INTO throttles (most, lowered_at, pause, paused_until, slow_since, login)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (login) DO UPDATE SET (most, lowered_at, pause, paused_until, slow_since) = ROW (
        excluded.most, excluded.lowered_at, excluded.pause, excluded.paused_until,
        excluded.slow_since
    )
"""
# A lease that is further ahead than any can be stands for a clock that was wrong.
_HELD: Final = "until > %(now)s AND until <= %(farthest)s"
_CLOSING: Final = "until > %(closed)s AND until <= %(now)s"
# All of these are put together of constants alone.
_COUNT: Final = f"""
    SELECT count(*) FILTER (WHERE {_HELD}), count(*) FILTER (WHERE {_CLOSING})
    FROM connection_leases WHERE login = %(login)s
"""  # noqa: S608
_PROLONG: Final = f"""
    UPDATE connection_leases SET until = %(until)s WHERE token = %(token)s AND token IN (
        SELECT token FROM connection_leases WHERE login = %(login)s AND {_HELD}
        ORDER BY id LIMIT %(most)s
    )
"""  # noqa: S608
_TOKENS: Final = f"""
    SELECT token FROM connection_leases WHERE login = %(login)s AND {_HELD}
"""  # noqa: S608
_END: Final = "UPDATE connection_leases SET until = %s WHERE token = ANY(%s)"
_FORGET: Final = f"""
    DELETE FROM connection_leases WHERE login = %(login)s AND NOT ({_HELD} OR {_CLOSING})
"""  # noqa: S608


@final
class PostgresThrottle(Throttle):
    """A `Throttle` that all machines with the same database share.

    Args:
        database: The database.
        clock: Returns this moment; None for the database's clock.
    """

    def __init__(self, database: PostgresDatabase, clock: UtcClock | None = None) -> None:
        self._database = database
        self._clock = clock

    def lease(self, login: Login) -> ConnectionLease | datetime:
        # As the lease of a process is read by others of its machine: see `_end_dead`.
        token = f"{os.getpid()}-{new_token()}@{numbered_by()}"

        def insert(transaction: PostgresTransaction) -> ConnectionLease | datetime:
            transaction.lock(str(login))
            now = self._now(transaction)
            _forget(transaction, login, now)
            _end_dead(transaction, login, now)
            state = _state(transaction, login, now)
            if paused := state.paused(now):
                return paused
            if state.leased >= state.connections(now):
                return now + RENEW_EVERY
            lease = ConnectionLease(login, token, now + CONNECTION_LEASE)
            transaction.execute(
                "INSERT INTO connection_leases (token, login, until) VALUES (%s, %s, %s)",
                (lease.token, str(login), to_ms(lease.until)),
            )
            return lease

        return self._database.write(insert, durable=False)

    def renew(self, leases: Iterable[ConnectionLease]) -> tuple[ConnectionLease, ...]:
        held = tuple(leases)

        def prolong(transaction: PostgresTransaction) -> tuple[ConnectionLease, ...]:
            for login in sorted({str(lease.login) for lease in held}):
                transaction.lock(login)
            now = self._now(transaction)
            until = now + CONNECTION_LEASE
            return tuple(
                replace(lease, until=until)
                for lease in held
                if _prolong(transaction, lease, now, until)
            )

        return self._database.write(prolong, durable=False) if held else ()

    def release(self, leases: Iterable[ConnectionLease], *, opened: bool = True) -> None:
        ended = [lease.token for lease in leases]

        def end(transaction: PostgresTransaction) -> None:
            # One that never began counts as closed long ago.
            until = to_ms(self._now(transaction)) if opened else 0
            transaction.execute(_END, (until, ended))

        if ended:
            self._database.write(end, durable=False)

    def state(self, login: Login) -> ThrottleState:
        return self._database.read(
            lambda transaction: _state(transaction, login, self._now(transaction))
        )

    def take_turns(self, login: Login, wanted: int, per_hour: int = 0) -> Turns:
        def look(transaction: PostgresTransaction) -> Turns | None:
            now = self._now(transaction)
            if paused := _state(transaction, login, now).paused(now):
                return Turns(0, paused)
            return Turns(wanted, now) if per_hour <= 0 else None

        def count(transaction: PostgresTransaction) -> Turns:
            transaction.lock(str(login))
            now = self._now(transaction)
            minute = to_ms(now) // MINUTE_MS
            sent = transaction.execute(
                "SELECT minute, sent FROM sent_by_minute WHERE login = %s", (str(login),)
            ).fetchall()
            granted, again = rules.turns(dict(sent), minute, wanted, per_hour)
            old = [each for each, _ in sent if not rules.counts(each, minute)]
            transaction.execute(
                "DELETE FROM sent_by_minute WHERE login = %s AND minute = ANY(%s)",
                (str(login), old),
            )
            transaction.execute(
                """
                INSERT INTO sent_by_minute AS known (login, minute, sent) VALUES (%s, %s, %s)
                ON CONFLICT (login, minute) DO UPDATE SET sent = known.sent + excluded.sent
                """,
                (str(login), minute, granted),
            )
            return Turns(granted, now if again is None else from_ms(again * MINUTE_MS))

        return self._database.read(look) or self._database.write(count, durable=False)

    def record_slow(self, login: Login) -> ThrottleState:
        return self._change(login, rules.slowed)

    def record_acceptance(self, login: Login) -> None:
        def changes(transaction: PostgresTransaction) -> bool:
            now = self._now(transaction)
            before = _state(transaction, login, now)
            return rules.accepted(before, now) != before

        if self._database.read(changes):
            self._change(login, rules.accepted)

    def _now(self, transaction: PostgresTransaction) -> datetime:
        return transaction.now if self._clock is None else whole_ms(self._clock())

    def _change(
        self, login: Login, rule: Callable[[ThrottleState, datetime], ThrottleState]
    ) -> ThrottleState:
        def change(transaction: PostgresTransaction) -> ThrottleState:
            transaction.lock(str(login))
            now = self._now(transaction)
            after = rule(_state(transaction, login, now), now)
            _store(transaction, login, after)
            return after

        return self._database.write(change, durable=False)


def _state(transaction: PostgresTransaction, login: Login, now: datetime) -> ThrottleState:
    counted = transaction.execute(_COUNT, {"login": str(login), **bounds(now)}).fetchone()
    leased, closing = counted or (0, 0)
    return state_of(transaction.execute(_FIND, (str(login),)).fetchone(), leased, closing)


def _store(transaction: PostgresTransaction, login: Login, state: ThrottleState) -> None:
    transaction.execute(_STORE, state_row(state, login))


def _prolong(
    transaction: PostgresTransaction, lease: ConnectionLease, now: datetime, until: datetime
) -> bool:
    """Renew a lease that isn't over and is among the oldest, as many as the limit allows."""
    _forget(transaction, lease.login, now)
    most = _state(transaction, lease.login, now).connections(now)
    return bool(
        transaction.execute(
            _PROLONG,
            {
                "until": to_ms(until),
                "token": lease.token,
                "login": str(lease.login),
                "most": most,
                **bounds(now),
            },
        ).rowcount
    )


def _forget(transaction: PostgresTransaction, login: Login, now: datetime) -> None:
    """Remove the leases of connections that no longer count."""
    transaction.execute(_FORGET, {"login": str(login), **bounds(now)})


def _end_dead(transaction: PostgresTransaction, login: Login, now: datetime) -> None:
    """End the leases of processes that ended without releasing them, if we know their ids."""
    here = numbered_by()
    found = transaction.execute(_TOKENS, {"login": str(login), **bounds(now)})
    tokens = [token for (token,) in found if here and token.partition("@")[2] == here]
    dead = [token for token in tokens if not is_alive(token.partition("-")[0])]
    if dead:
        transaction.execute(_END, (to_ms(now), dead))
