"""A `Control` in the outbox database, for all processes that share it."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, final

from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.clock import UtcClock, from_ms, to_ms, utc_now, whole_ms
from smtp_desk.sender.outbox.control import (
    HOUR,
    PRESENCE,
    Activity,
    Control,
    Erased,
    erase_in_batches,
)
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState, OutboxEntry, first_identifier
from smtp_desk.sender.outbox.queries import SQLITE, Reader
from smtp_desk.sender.outbox.rows import find_entry

_ACTIVITY: Final = """
    SELECT (created_at - :since) / :hour, state, route, count(*) FROM entries
    WHERE id >= :first AND created_at >= :since GROUP BY 1, 2, 3
"""
# As `lifecycle.made_due` with each entry's own finding.
_CAUSES: Final = """
    SELECT code, count(*) FROM entries WHERE doubts = 0 AND code <> ''
    AND (state = 'refused' OR (state = 'ready' AND next_attempt_at > ?)) GROUP BY code
"""
_WORKERS: Final = "SELECT count(*) FROM workers WHERE until > ? AND until <= ?"


def is_paused(connection: sqlite3.Connection) -> bool:
    """Whether sending is paused, read within the caller's transaction."""
    return connection.execute("SELECT 1 FROM sending_pause").fetchone() is not None


def sqlite_reader(connection: sqlite3.Connection) -> Reader:
    """Return what reads entries within the caller's transaction."""
    return Reader(lambda asked, values: connection.execute(asked, values).fetchall(), SQLITE)


@final
class SqliteControl(Control):
    """A `Control` on disk.

    Args:
        database: The open database; `sqlite.SqliteOutbox` shares it.
        clock: Returns this moment with a time zone.
    """

    def __init__(self, database: Database, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def pause(self) -> None:
        self._write(
            "INSERT OR IGNORE INTO sending_pause (only_one, since) VALUES (1, ?)",
            to_ms(self._now()),
        )

    def resume(self) -> None:
        self._write("DELETE FROM sending_pause")

    def paused_since(self) -> datetime | None:
        row = self._database.read(
            lambda connection: connection.execute("SELECT since FROM sending_pause").fetchone()
        )
        return from_ms(row[0]) if row else None

    def entries_to(self, recipient: str) -> tuple[str, ...]:
        return self._database.read(
            lambda connection: sqlite_reader(connection).entries_to(recipient)
        )

    def erase(self, entry_ids: Iterable[str]) -> Erased:
        erased = erase_in_batches(
            entry_ids, lambda batch: self._database.write(partial(self._erase, batch))
        )
        # What was erased stands in the log until it is emptied.
        self._database.empty_log()
        return erased

    def activity(self, since: datetime) -> Activity:
        milliseconds = to_ms(since)
        asked = {
            "since": milliseconds,
            "first": first_identifier(milliseconds),
            "hour": HOUR // timedelta(milliseconds=1),
        }
        rows = self._database.read(
            lambda connection: connection.execute(_ACTIVITY, asked).fetchall()
        )
        return {(hour, EntryState(state), route): count for hour, state, route, count in rows}

    def causes(self) -> Mapping[str, int]:
        now = to_ms(self._now())
        return dict(
            self._database.read(lambda connection: connection.execute(_CAUSES, (now,)).fetchall())
        )

    def announce(self, worker: str) -> None:
        until = to_ms(self._now() + PRESENCE)
        self._write("INSERT OR REPLACE INTO workers (name, until) VALUES (?, ?)", worker, until)

    def leave(self, worker: str) -> None:
        self._write("DELETE FROM workers WHERE name = ?", worker)

    def workers(self) -> int:
        now = self._now()
        asked = (to_ms(now), to_ms(now + PRESENCE))
        (count,) = self._database.read(
            lambda connection: connection.execute(_WORKERS, asked).fetchone()
        )
        return int(count)

    def _now(self) -> datetime:
        return whole_ms(self._clock())

    def _write(self, statement: str, *values: str | int) -> None:
        self._database.write(lambda connection: connection.execute(statement, values))

    def _erase(self, entry_ids: Iterable[str], connection: sqlite3.Connection) -> Erased:
        now = self._now()
        known = (find_entry(connection, entry_id) for entry_id in entry_ids)
        found = [entry for entry in known if entry is not None]
        gone = [entry for entry in found if lifecycle.may_be_erased(entry, now)]
        connection.executemany("DELETE FROM entries WHERE id = ?", ((each.id,) for each in gone))
        by_state = Counter(entry.state for entry in gone)
        shared = sum(_is_kept(connection, entry) for entry in gone)
        return Erased(by_state, len(found) - len(gone), shared)


def _is_kept(connection: sqlite3.Connection, entry: OutboxEntry) -> bool:
    """Whether another entry still needs the message of an erased one."""
    key = int(entry.message_key)
    return connection.execute("SELECT 1 FROM messages WHERE key = ?", (key,)).fetchone() is not None
