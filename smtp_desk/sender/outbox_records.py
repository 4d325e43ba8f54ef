"""What a person sees of the SQLite outbox and does to it."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final

from smtp_desk.sender import lifecycle
from smtp_desk.sender.clock import Clock, to_ms, utc_now, whole_ms
from smtp_desk.sender.database import Database
from smtp_desk.sender.entries import Entry, OutboxMessage, State
from smtp_desk.sender.identifiers import first_identifier
from smtp_desk.sender.outbox import (
    EVERYTHING,
    Counts,
    EntryNotFoundError,
    Limits,
    Page,
    Query,
)
from smtp_desk.sender.outbox_rows import (
    SELECT,
    entry_of,
    find_entry,
    find_message,
    update_entries,
)

_BATCH: Final = 1000  # rows that one transaction removes or moves: others get their turn
_PAGES: Final = 1000  # free pages given back to the disk at once

# `+state` keeps SQLite on the primary key, oldest first, where the finished ones are.
_FINISHED: Final = """
    SELECT id FROM entries WHERE +state IN ('accepted', 'dropped') ORDER BY id LIMIT ?
"""
_OLD: Final = """
    SELECT id FROM entries
    WHERE id < ? AND changed_at < ? AND +state IN ('accepted', 'dropped', 'refused')
    ORDER BY id LIMIT ?
"""


class SqliteRecords:
    """The `OutboxRecords` of a database.

    Args:
        database: The open database.
        clock: Returns this moment with a time zone.
        limits: How much the outbox takes and keeps.
    """

    def __init__(
        self, database: Database, clock: Clock = utc_now, limits: Limits | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits or Limits()

    def get(self, entry_id: str) -> Entry:
        """See `OutboxRecords.get`."""
        return self._database.read(lambda connection: _existing(connection, entry_id))

    def message(self, entry_id: str) -> OutboxMessage:
        """See `OutboxRecords.message`."""
        return self._database.read(lambda connection: find_message(connection, entry_id))

    def page(
        self, query: Query = EVERYTHING, *, before: str | None = None, limit: int = 200
    ) -> Page:
        """See `OutboxRecords.page`."""
        condition, values = _condition(query)
        if before:
            condition, values = f"{condition} AND id < ?", [*values, before]
        statement = f"{SELECT} WHERE {condition} ORDER BY id DESC LIMIT ?"
        rows = self._database.read(
            lambda connection: connection.execute(statement, (*values, limit + 1)).fetchall()
        )
        shown = tuple(map(entry_of, rows[:limit]))
        return Page(shown, shown[-1].id if len(rows) > limit else None)

    def counts(self, query: Query = EVERYTHING) -> Counts:
        """See `OutboxRecords.counts`."""
        condition, values = _condition(query)
        tables = "entries JOIN messages ON key = message" if query.kind else "entries"
        statement = (
            f"SELECT state, route, count(*) FROM {tables} WHERE {condition} GROUP BY state, route"  # noqa: S608 - constants and question marks
        )
        rows = self._database.read(
            lambda connection: connection.execute(statement, values).fetchall()
        )
        return Counts({(State(state), route): count for state, route, count in rows})

    def retry(self, entry_id: str) -> Entry:
        """See `OutboxRecords.retry`."""
        return self._replace(entry_id, lifecycle.retried)

    def drop(self, entry_id: str) -> Entry:
        """See `OutboxRecords.drop`."""
        return self._replace(entry_id, lifecycle.dropped)

    def hasten(self) -> int:
        """See `OutboxRecords.hasten`."""
        now = to_ms(self._now())

        def hasten_all(connection: sqlite3.Connection) -> int:
            return connection.execute(
                """
                UPDATE entries SET next_attempt_at = ?
                WHERE state = 'ready' AND doubts = 0 AND next_attempt_at > ?
                """,
                (now, now),
            ).rowcount

        return self._database.write(hasten_all)

    def prune(self) -> int:
        """See `OutboxRecords.prune`."""
        oldest = to_ms(self._now() - self._limits.kept_for)
        old = (first_identifier(oldest), oldest, _BATCH)
        removed = 0
        while count := self._database.write(lambda at: _remove(at, _OLD, old)):
            removed += count
        while count := self._database.write(self._remove_beyond):
            removed += count
        self._database.write(_give_pages_back)
        return removed

    def _now(self) -> datetime:
        return whole_ms(self._clock())

    def _replace(self, entry_id: str, rule: Callable[[Entry, datetime], Entry]) -> Entry:
        now = self._now()

        def replace(connection: sqlite3.Connection) -> Entry:
            entry = rule(_existing(connection, entry_id), now)
            update_entries(connection, (entry,))
            return entry

        return self._database.write(replace)

    def _remove_beyond(self, connection: sqlite3.Connection) -> int:
        (finished,) = connection.execute(
            "SELECT count(*) FROM entries WHERE state IN ('accepted', 'dropped')"
        ).fetchone()
        beyond = min(finished - self._limits.kept_rows, _BATCH)
        return remove_finished(connection, beyond) if beyond > 0 else 0


def remove_finished(connection: sqlite3.Connection, limit: int) -> int:
    """Remove the oldest accepted and dropped entries, at most `limit`; return how many."""
    return _remove(connection, _FINISHED, (limit,))


def used_octets(connection: sqlite3.Connection) -> int:
    """Return how much of the file is in use."""
    return _pragma(connection, "page_size") * (
        _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    )


def _remove(connection: sqlite3.Connection, selection: str, values: tuple[str | int, ...]) -> int:
    statement = f"DELETE FROM entries WHERE id IN ({selection})"  # noqa: S608 - one of the two above
    return connection.execute(statement, values).rowcount


def _give_pages_back(connection: sqlite3.Connection) -> None:
    for _ in range(min(_pragma(connection, "freelist_count"), _PAGES)):
        connection.execute("PRAGMA incremental_vacuum(1)")  # the module takes one step of each


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _existing(connection: sqlite3.Connection, entry_id: str) -> Entry:
    entry = find_entry(connection, entry_id)
    if entry is None:
        raise EntryNotFoundError(f"There is no entry {entry_id}.")
    return entry


def _condition(query: Query) -> tuple[str, list[str]]:
    """Return the WHERE condition of `Query.matches`, and its values."""
    conditions: list[str] = ["TRUE"]
    values: list[str] = []
    if query.states:
        conditions.append(f"state IN ({', '.join('?' * len(query.states))})")
        values += sorted(query.states)
    for column, value in (("route", query.route), ("kind", query.kind)):
        if value:
            conditions.append(f"{column} = ?")
            values.append(value)
    if query.text:
        conditions.append("(instr(searched, ?) OR instr(code, ?))")
        values += [query.text.casefold()] * 2
    return " AND ".join(conditions), values
