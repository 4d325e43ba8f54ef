"""The outbox in an SQLite database that several processes share."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, final

from smtp_desk.sender import lifecycle
from smtp_desk.sender.backoff import LONGEST_DELAY
from smtp_desk.sender.clock import Clock, from_ms, to_ms, utc_now
from smtp_desk.sender.database import Database
from smtp_desk.sender.entries import Change, Claim, Entry, OutboxMessage
from smtp_desk.sender.identifiers import IdentifierSource, new_token
from smtp_desk.sender.outbox import Limits, OutboxFullError
from smtp_desk.sender.outbox_records import SqliteRecords, remove_finished, used_octets
from smtp_desk.sender.outbox_rows import (
    COLUMNS,
    entry_of,
    find_entry,
    insert_entries,
    insert_message,
    update_entries,
)

_REMOVED_AT_ONCE: Final = 100

# One selection for each end of each index, longest due first. The index is named: SQLite
# without statistics takes another one and sorts all that is ready for each claim.
_LEASED: Final = "INDEXED BY entries_leased JOIN messages ON key = message WHERE"
_READY: Final = "INDEXED BY entries_ready JOIN messages ON key = message WHERE state = 'ready' AND"
_FREE: Final = (
    f"{_LEASED} state = 'sending' AND lease_until <= :now ORDER BY lease_until, id",
    f"{_LEASED} state = 'sending' AND lease_until > :farthest_lease ORDER BY lease_until, id",
    f"{_READY} next_attempt_at <= :now ORDER BY next_attempt_at, id",
    f"{_READY} next_attempt_at > :farthest_attempt ORDER BY next_attempt_at, id",
)
_ABANDONED_IN_DOUBT: Final = (
    f"{_LEASED} state = 'in_doubt' AND lease_until <= :now ORDER BY lease_until, id",
    f"{_LEASED} state = 'in_doubt' AND lease_until > :farthest_lease ORDER BY lease_until, id",
)
_NEXT: Final = """
    SELECT min(moment) FROM (
        SELECT min(next_attempt_at) AS moment
            FROM entries INDEXED BY entries_ready WHERE state = 'ready'
        UNION ALL SELECT min(lease_until) FROM entries
            WHERE state = 'sending' AND lease_until IS NOT NULL
        UNION ALL SELECT min(lease_until) FROM entries
            WHERE state = 'in_doubt' AND lease_until IS NOT NULL
    )
"""


@final
class SqliteOutbox(SqliteRecords):
    """An `Outbox` on disk.

    Args:
        database: The open database; `health_sqlite.SqliteHealth` may share it.
        clock: Returns this moment with a time zone.
        limits: How much it takes and keeps. `total_octets` counts the used part of the
            whole file.
    """

    def __init__(
        self, database: Database, clock: Clock = utc_now, limits: Limits | None = None
    ) -> None:
        super().__init__(database, clock, limits)
        self._identifiers = IdentifierSource()

    def add(self, messages: Iterable[OutboxMessage]) -> tuple[Entry, ...]:
        """See `OutboxQueue.add`."""
        stored, now = self._admitted(messages), self._now()
        return self._database.write(
            lambda connection: self._insert(connection, self._queued(connection, stored, now))
        )

    def add_claimed(
        self, messages: Iterable[OutboxMessage], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        """See `OutboxQueue.add_claimed`."""
        stored, now, token = self._admitted(messages), self._now(), new_token()

        def insert(connection: sqlite3.Connection) -> tuple[Entry, ...]:
            queued = self._queued(connection, stored, now)
            taken = [lifecycle.claimed(entry, owner, token, now, lease) for entry in queued]
            return self._insert(connection, taken)

        return tuple(Claim(entry, token) for entry in self._database.write(insert))

    def claim(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """See `OutboxQueue.claim`."""
        return self._claim(_FREE, owner, limit, lease)

    def claim_in_doubt(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """See `OutboxQueue.claim_in_doubt`."""
        return self._claim(_ABANDONED_IN_DOUBT, owner, limit, lease)

    def apply(self, changes: Iterable[Change]) -> frozenset[str]:
        """See `OutboxQueue.apply`."""
        wanted, now = tuple(changes), self._now()

        def change_all(connection: sqlite3.Connection) -> frozenset[str]:
            lost = set()
            for change in wanted:
                entry = find_entry(connection, change.claim.entry.id)
                after = entry and lifecycle.changed(entry, change, now)
                if after is None:
                    lost.add(change.claim.entry.id)
                else:
                    update_entries(connection, (after,))
            return frozenset(lost)

        return self._database.write(change_all) if wanted else frozenset()

    def next_due(self) -> datetime | None:
        """See `OutboxQueue.next_due`."""
        now = self._now()

        def find(connection: sqlite3.Connection) -> datetime | None:
            selections = (*_FREE, *_ABANDONED_IN_DOUBT)
            if any(_found(connection, selection, now, 1) for selection in selections):
                return now
            (moment,) = connection.execute(_NEXT).fetchone()
            return None if moment is None else from_ms(moment)

        return self._database.read(find)

    def _admitted(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxMessage, ...]:
        stored = tuple(messages)
        for message in stored:
            lifecycle.admit(message, self._limits)
        return stored

    def _queued(
        self, connection: sqlite3.Connection, messages: Iterable[OutboxMessage], now: datetime
    ) -> list[Entry]:
        """Store the messages and return their entries, not stored yet."""
        milliseconds = to_ms(now)
        entries = []
        for message in messages:
            key = str(insert_message(connection, message))
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

    def _insert(self, connection: sqlite3.Connection, entries: list[Entry]) -> tuple[Entry, ...]:
        insert_entries(connection, entries)
        while used_octets(connection) > self._limits.total_octets:
            if not remove_finished(connection, _REMOVED_AT_ONCE):
                raise OutboxFullError(self._limits.total_octets)
        return tuple(entries)

    def _claim(
        self, selections: Iterable[str], owner: str, limit: int, lease: timedelta
    ) -> tuple[Claim, ...]:
        now, token = self._now(), new_token()

        def take(connection: sqlite3.Connection) -> tuple[Entry, ...]:
            found = [
                entry
                for selection in selections
                for entry in _found(connection, selection, now, limit)
            ]
            found.sort(key=lifecycle.claim_order)
            taken = [lifecycle.claimed(entry, owner, token, now, lease) for entry in found[:limit]]
            update_entries(connection, taken)
            return tuple(taken)

        # Found in vain costs others no wait: a worker looks far more often than there is work.
        if not self._database.read(
            lambda connection: any(_found(connection, each, now, 1) for each in selections)
        ):
            return ()
        return tuple(Claim(entry, token) for entry in self._database.write(take))


def _found(
    connection: sqlite3.Connection, selection: str, now: datetime, limit: int
) -> list[Entry]:
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
