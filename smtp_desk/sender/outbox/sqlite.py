"""The outbox in an SQLite database that several processes share."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, final

from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.clock import UtcClock, from_ms, to_ms, utc_now, whole_ms
from smtp_desk.sender.outbox.control_sqlite import is_paused, sqlite_reader
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import (
    FINISHED,
    Change,
    Claim,
    IdentifierSource,
    MarkInDoubt,
    OutboxEntry,
    OutboxMessage,
    first_identifier,
    new_token,
)
from smtp_desk.sender.outbox.lifecycle import LONGEST_DELAY
from smtp_desk.sender.outbox.outbox import (
    EVERYTHING,
    Counts,
    EntryNotFoundError,
    EntryPage,
    Outbox,
    OutboxFullError,
    OutboxLimits,
    Query,
)
from smtp_desk.sender.outbox.rows import (
    COLUMNS,
    FORGET_KEYS,
    entry_of,
    find_entry,
    find_message,
    insert_entries,
    insert_message,
    refuse_known,
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
_REMOVED_AT_ONCE: Final = 100

# One selection for each end of each index, longest due first. The index is named: SQLite
# without statistics takes another one and sorts all that is ready for each claim.
# As `lifecycle.made_due`.
_MAKE_DUE: Final = """
    UPDATE entries SET next_attempt_at = :now WHERE state = 'ready' AND doubts = 0
    AND send_at IS NULL AND next_attempt_at > :now AND :cause IN ('', code)
"""
_REVIVE: Final = """
    UPDATE entries SET state = 'ready', changed_at = :now, next_attempt_at = :now,
        expires_at = :end, tries = 0, only_route = '', doubt_token = '', untold = 0
    WHERE state = 'refused' AND doubts = 0 AND :cause = code AND :cause <> ''
"""
_WHERE: Final = "JOIN messages ON key = message WHERE"
_LEASED: Final = f"INDEXED BY entries_leased {_WHERE}"
_READY: Final = f"INDEXED BY entries_ready {_WHERE} state = 'ready' AND send_at IS NULL AND"
_LATER: Final = f"INDEXED BY entries_later {_WHERE} send_at IS NOT NULL AND state = 'ready' AND"
_FREE: Final = (
    f"{_LEASED} state = 'sending' AND lease_until <= :now ORDER BY lease_until, id",
    f"{_LEASED} state = 'sending' AND lease_until > :farthest_lease ORDER BY lease_until, id",
    f"{_READY} next_attempt_at <= :now ORDER BY next_attempt_at, id",
    f"{_READY} next_attempt_at > :farthest_attempt ORDER BY next_attempt_at, id",
    f"{_LATER} send_at <= :now ORDER BY send_at, id",
)
_ABANDONED_IN_DOUBT: Final = (
    f"{_LEASED} state = 'in_doubt' AND lease_until <= :now ORDER BY lease_until, id",
    f"{_LEASED} state = 'in_doubt' AND lease_until > :farthest_lease ORDER BY lease_until, id",
)
_NEXT_IN_DOUBT: Final = """
    SELECT min(lease_until) FROM entries WHERE state = 'in_doubt' AND lease_until IS NOT NULL
"""
_NEXT: Final = """
    SELECT min(moment) FROM (
        SELECT min(next_attempt_at) AS moment
            FROM entries INDEXED BY entries_ready WHERE state = 'ready' AND send_at IS NULL
        UNION ALL SELECT min(send_at) FROM entries INDEXED BY entries_later
            WHERE send_at IS NOT NULL AND state = 'ready'
        UNION ALL SELECT min(lease_until) FROM entries
            WHERE state = 'sending' AND lease_until IS NOT NULL
        UNION ALL SELECT min(lease_until) FROM entries
            WHERE state = 'in_doubt' AND lease_until IS NOT NULL
    )
"""


@final
class SqliteOutbox(Outbox):
    """An `Outbox` on disk.

    Args:
        database: The open database; `health_sqlite.SqliteHealth` may share it.
        clock: Returns this moment with a time zone.
        limits: How much it accepts and keeps. `total_octets` counts the used part of the
            whole file.
    """

    def __init__(
        self, database: Database, clock: UtcClock = utc_now, limits: OutboxLimits | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits or OutboxLimits()
        self._identifiers = IdentifierSource()

    def add(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxEntry, ...]:
        stored, now = lifecycle.admitted(messages, self._limits), self._now()
        return self._database.write(
            lambda connection: self._insert(connection, self._queued(connection, stored, now))
        )

    def add_claimed(
        self, messages: Iterable[OutboxMessage], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        stored, now = lifecycle.admitted(messages, self._limits), self._now()
        token = new_token()

        def insert(connection: sqlite3.Connection) -> tuple[OutboxEntry, ...]:
            queued = self._queued(connection, stored, now)
            if is_paused(connection):
                return self._insert(connection, queued)
            take = lifecycle.claimed_at_once
            taken = [take(entry, owner, token, now, lease) for entry in queued]
            return self._insert(connection, taken)

        entries = self._database.write(insert)
        keyed = any(message.key for message in stored)
        return tuple(Claim(entry, token, awaited=True, keyed=keyed) for entry in entries)

    def claim(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return self._claim(_FREE, owner, limit, lease)

    def claim_in_doubt(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return self._claim(_ABANDONED_IN_DOUBT, owner, limit, lease)

    def apply(self, changes: Iterable[Change]) -> frozenset[str]:
        wanted, now = tuple(changes), self._now()

        def change_all(connection: sqlite3.Connection) -> frozenset[str]:
            lost = set()
            paused = marks and is_paused(connection)
            for change in wanted:
                entry = find_entry(connection, change.claim.entry.id)
                held_back = paused and isinstance(change, MarkInDoubt)
                rule = lifecycle.given_back if held_back else lifecycle.changed
                after = entry and rule(entry, change, now)
                if after is None or held_back:
                    lost.add(change.claim.entry.id)
                if after is not None:
                    update_entries(connection, (after,))
            return frozenset(lost)

        marks = any(isinstance(change, MarkInDoubt) for change in wanted)
        durable = marks or any(change.claim.keyed for change in wanted)
        return self._database.write(change_all, durable=durable) if wanted else frozenset()

    def next_due(self) -> datetime | None:
        now = self._now()

        def find(connection: sqlite3.Connection) -> datetime | None:
            free = _allowed(connection, _FREE)
            selections = (*free, *_ABANDONED_IN_DOUBT)
            if any(_found(connection, selection, now, 1) for selection in selections):
                return now
            (moment,) = connection.execute(_NEXT if free else _NEXT_IN_DOUBT).fetchone()
            return None if moment is None else from_ms(moment)

        return self._database.read(find)

    def get(self, entry_id: str) -> OutboxEntry:
        return self._database.read(lambda connection: _existing(connection, entry_id))

    def message(self, entry_id: str) -> OutboxMessage:
        return self._database.read(lambda connection: find_message(connection, entry_id))

    def page(
        self, query: Query = EVERYTHING, *, before: str | None = None, limit: int = 200
    ) -> EntryPage:
        searched = self._limits.searched
        return self._database.read(
            lambda at: sqlite_reader(at).page(query, before, limit, searched)
        )

    def counts(self, query: Query = EVERYTHING) -> Counts:
        return self._database.read(lambda connection: sqlite_reader(connection).counts(query))

    def retry(self, entry_id: str) -> OutboxEntry:
        return self._replace(entry_id, lifecycle.retried)

    def drop(self, entry_id: str) -> OutboxEntry:
        return self._replace(entry_id, lifecycle.dropped)

    def mark_told(self, entry_ids: Iterable[str]) -> None:
        told = [(entry_id,) for entry_id in entry_ids]
        self._database.write(
            lambda connection: connection.executemany(
                "UPDATE entries SET untold = 0 WHERE id = ?", told
            )
        )

    def make_due(self, cause: str = "") -> int:
        now = self._now()
        asked = {"cause": cause, "now": to_ms(now), "end": to_ms(now + lifecycle.LIFETIME)}
        return self._database.write(
            lambda connection: sum(
                connection.execute(each, asked).rowcount for each in (_MAKE_DUE, _REVIVE)
            )
        )

    def prune(self) -> int:
        oldest = to_ms(self._now() - self._limits.kept_for)
        old = (first_identifier(oldest), oldest, _BATCH)
        forgotten = (to_ms(self._now() - self._limits.keys_for),)
        self._database.write(lambda connection: connection.execute(FORGET_KEYS, forgotten))
        removed = 0
        while count := self._database.write(lambda at: _remove(at, _OLD, old)):
            removed += count
        while count := self._database.write(self._remove_beyond):
            removed += count
        self._database.write(_give_pages_back)
        return removed

    def _now(self) -> datetime:
        return whole_ms(self._clock())

    def _replace(
        self, entry_id: str, rule: Callable[[OutboxEntry, datetime], OutboxEntry]
    ) -> OutboxEntry:
        now = self._now()

        def replace(connection: sqlite3.Connection) -> OutboxEntry:
            entry = rule(_existing(connection, entry_id), now)
            update_entries(connection, (entry,))
            return entry

        return self._database.write(replace)

    def _remove_beyond(self, connection: sqlite3.Connection) -> int:
        finished = sqlite_reader(connection).counts(EVERYTHING).of(*FINISHED)
        beyond = min(finished - self._limits.kept_rows, _BATCH)
        return _remove_finished(connection, beyond) if beyond > 0 else 0

    def _queued(
        self, connection: sqlite3.Connection, messages: Sequence[OutboxMessage], now: datetime
    ) -> list[OutboxEntry]:
        """Store the messages and return their entries, not stored yet."""
        refuse_known(connection, lifecycle.key_names(messages))
        milliseconds = to_ms(now)
        entries = []
        for message in messages:
            key = str(insert_message(connection, message, now))
            entries += [
                lifecycle.queued(
                    message,
                    entry_id=self._identifiers.next(milliseconds),
                    message_key=key,
                    recipient=recipient,
                    now=now,
                )
                for recipient in message.recipients
            ]
        return entries

    def _insert(
        self, connection: sqlite3.Connection, entries: list[OutboxEntry]
    ) -> tuple[OutboxEntry, ...]:
        insert_entries(connection, entries)
        while _used_octets(connection) > self._limits.total_octets:
            if not _remove_finished(connection, _REMOVED_AT_ONCE):
                raise OutboxFullError(self._limits.total_octets)
        return tuple(entries)

    def _claim(
        self, selections: tuple[str, ...], owner: str, limit: int, lease: timedelta
    ) -> tuple[Claim, ...]:
        now, token = self._now(), new_token()

        def claim(connection: sqlite3.Connection) -> tuple[OutboxEntry, ...]:
            found = [
                entry
                for selection in _allowed(connection, selections)
                for entry in _found(connection, selection, now, limit)
            ]
            found.sort(key=lifecycle.claim_order)
            taken = [lifecycle.claimed(entry, owner, token, now, lease) for entry in found[:limit]]
            update_entries(connection, taken)
            return tuple(taken)

        # Found in vain costs others no wait: a worker looks far more often than there is work.
        if not self._database.read(
            lambda connection: any(
                _found(connection, each, now, 1) for each in _allowed(connection, selections)
            )
        ):
            return ()
        return tuple(Claim(entry, token) for entry in self._database.write(claim, durable=False))


def _allowed(connection: sqlite3.Connection, selections: tuple[str, ...]) -> tuple[str, ...]:
    """Return what may be claimed: nothing to send while sending is paused."""
    return () if selections is _FREE and is_paused(connection) else selections


def _found(
    connection: sqlite3.Connection, selection: str, now: datetime, limit: int
) -> list[OutboxEntry]:
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entries {selection} LIMIT :limit",  # noqa: S608 - one of those above
        {
            "now": to_ms(now),
            "farthest_lease": to_ms(now + lifecycle.LONGEST_LEASE),
            "farthest_attempt": to_ms(now + LONGEST_DELAY),
            "limit": limit,
        },
    )
    return [entry_of(row) for row in rows]


def _remove_finished(connection: sqlite3.Connection, limit: int) -> int:
    """Remove the oldest accepted and dropped entries, at most `limit`; return how many."""
    return _remove(connection, _FINISHED, (limit,))


def _used_octets(connection: sqlite3.Connection) -> int:
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


def _existing(connection: sqlite3.Connection, entry_id: str) -> OutboxEntry:
    entry = find_entry(connection, entry_id)
    if entry is None:
        raise EntryNotFoundError(f"There is no entry {entry_id}.")
    return entry
