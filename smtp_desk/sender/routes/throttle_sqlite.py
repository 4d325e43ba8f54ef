"""Connections and rate of all processes in the outbox database."""

import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final, final

from smtp_desk.sender.outbox.clock import (
    UtcClock,
    from_ms,
    to_ms,
    utc_now,
    whole_ms,
)
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.routes import throttle as rules
from smtp_desk.sender.routes.processes import is_alive
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
    SELECT most, lowered_at, pause, paused_until, slow_since FROM throttles WHERE login = ?
"""
_STORE: Final = """
    INSERT OR REPLACE INTO throttles (most, lowered_at, pause, paused_until, slow_since, login)
    VALUES (?, ?, ?, ?, ?, ?)
"""
# A lease that is further ahead than any can be stands for a clock that was wrong.
_HELD: Final = "until > :now AND until <= :farthest"
_CLOSING: Final = "until > :closed AND until <= :now"
# All of these are put together of constants alone.
_COUNT: Final = f"""
    SELECT count(*) FILTER (WHERE {_HELD}), count(*) FILTER (WHERE {_CLOSING})
    FROM connection_leases WHERE login = :login
"""  # noqa: S608
_TOKENS: Final = f"SELECT token FROM connection_leases WHERE login = :login AND {_HELD}"  # noqa: S608
_PROLONG: Final = f"""
    UPDATE connection_leases SET until = :until WHERE token = :token AND token IN (
        SELECT token FROM connection_leases WHERE login = :login AND {_HELD}
        ORDER BY id LIMIT :most
    )
"""  # noqa: S608
_END: Final = "UPDATE connection_leases SET until = ? WHERE token = ?"
_FORGET: Final = f"DELETE FROM connection_leases WHERE NOT ({_HELD} OR {_CLOSING})"  # noqa: S608


@final
class SqliteThrottle(Throttle):
    """A `Throttle` that all processes with the same database share.

    Args:
        database: The open database.
        clock: Returns this moment with a time zone.
    """

    def __init__(self, database: Database, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def lease(self, login: Login) -> ConnectionLease | datetime:
        now = self._now()
        lease = ConnectionLease(login, f"{os.getpid()}-{new_token()}", now + CONNECTION_LEASE)

        def insert(connection: sqlite3.Connection) -> ConnectionLease | datetime:
            _forget(connection, now)
            state = _state(connection, login, now)
            if paused := state.paused(now):
                return paused
            if state.leased - _ended(connection, login, now) >= state.connections(now):
                return now + RENEW_EVERY
            connection.execute(
                "INSERT INTO connection_leases (token, login, until) VALUES (?, ?, ?)",
                (lease.token, str(login), to_ms(lease.until)),
            )
            return lease

        return self._database.write(insert, durable=False)

    def renew(self, leases: Iterable[ConnectionLease]) -> tuple[ConnectionLease, ...]:
        held, now = tuple(leases), self._now()
        until = now + CONNECTION_LEASE

        def prolong(connection: sqlite3.Connection) -> tuple[ConnectionLease, ...]:
            return tuple(
                replace(lease, until=until)
                for lease in held
                if _prolong(connection, lease, now, until)
            )

        return self._database.write(prolong, durable=False) if held else ()

    def release(self, leases: Iterable[ConnectionLease], *, opened: bool = True) -> None:
        # One that never began counts as closed long ago.
        until = to_ms(self._now()) if opened else 0
        ended = [(until, lease.token) for lease in leases]
        if ended:
            self._database.write(lambda at: at.executemany(_END, ended), durable=False)

    def state(self, login: Login) -> ThrottleState:
        now = self._now()
        return self._database.read(lambda connection: _state(connection, login, now))

    def take_turns(self, login: Login, wanted: int, per_hour: int = 0) -> Turns:
        now = self._now()
        if paused := self.state(login).paused(now):
            return Turns(0, paused)
        if per_hour <= 0:
            return Turns(wanted, now)
        minute = to_ms(now) // MINUTE_MS

        def count(connection: sqlite3.Connection) -> Turns:
            rows = connection.execute(
                "SELECT minute, sent FROM sent_by_minute WHERE login = ?", (str(login),)
            ).fetchall()
            granted, again = rules.turns(dict(rows), minute, wanted, per_hour)
            connection.executemany(
                "DELETE FROM sent_by_minute WHERE login = ? AND minute = ?",
                [(str(login), each) for each, _ in rows if not rules.counts(each, minute)],
            )
            connection.execute(
                """
                INSERT INTO sent_by_minute (login, minute, sent) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET sent = sent + excluded.sent
                """,
                (str(login), minute, granted),
            )
            return Turns(granted, now if again is None else from_ms(again * MINUTE_MS))

        return self._database.write(count, durable=False)

    def record_slow(self, login: Login) -> ThrottleState:
        return self._change(login, rules.slowed)

    def record_acceptance(self, login: Login) -> None:
        before, now = self.state(login), self._now()
        if rules.accepted(before, now) != before:
            self._change(login, rules.accepted)

    def _now(self) -> datetime:
        return whole_ms(self._clock())

    def _change(
        self, login: Login, rule: Callable[[ThrottleState, datetime], ThrottleState]
    ) -> ThrottleState:
        now = self._now()

        def change(connection: sqlite3.Connection) -> ThrottleState:
            after = rule(_state(connection, login, now), now)
            _store(connection, login, after)
            return after

        return self._database.write(change, durable=False)


def _state(connection: sqlite3.Connection, login: Login, now: datetime) -> ThrottleState:
    leased, closing = connection.execute(_COUNT, {"login": str(login), **bounds(now)}).fetchone()
    return state_of(connection.execute(_FIND, (str(login),)).fetchone(), leased, closing)


def _store(connection: sqlite3.Connection, login: Login, state: ThrottleState) -> None:
    connection.execute(_STORE, state_row(state, login))


def _prolong(
    connection: sqlite3.Connection, lease: ConnectionLease, now: datetime, until: datetime
) -> bool:
    """Renew a lease that isn't over and is among the oldest, as many as the limit allows."""
    _forget(connection, now)
    most = _state(connection, lease.login, now).connections(now)
    return bool(
        connection.execute(
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


def _forget(connection: sqlite3.Connection, now: datetime) -> None:
    """Remove the leases of connections that no longer count."""
    connection.execute(_FORGET, bounds(now))


def _ended(connection: sqlite3.Connection, login: Login, now: datetime) -> int:
    """End the leases of processes that ended without releasing them; return how many.

    All processes with one database file are on one machine, so their ids identify them. Where
    they don't, as between containers, there may be too many connections for a while.
    """
    rows = connection.execute(_TOKENS, {"login": str(login), **bounds(now)}).fetchall()
    dead = [(to_ms(now), token) for (token,) in rows if not is_alive(token.partition("-")[0])]
    connection.executemany(_END, dead)
    return len(dead)
