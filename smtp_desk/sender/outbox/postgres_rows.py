"""Entries and messages as rows of the outbox on PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from smtp_desk.sender.outbox import lifecycle, rows
from smtp_desk.sender.outbox.clock import to_ms
from smtp_desk.sender.outbox.entries import OutboxEntry, OutboxMessage
from smtp_desk.sender.outbox.lifecycle import LONGEST_DELAY
from smtp_desk.sender.outbox.outbox import KeyKnownError
from smtp_desk.sender.outbox.postgres_database import PostgresTransaction
from smtp_desk.sender.outbox.postgres_migrations import SCHEMA
from smtp_desk.sender.outbox.rows import SELECT, entry_of

_REMOVING: Final = "remove"  # two at once would each leave the message to the other

_INSERT_MESSAGE: Final = rows.INSERT_MESSAGE.replace("?", "%s") + " RETURNING key"
_INSERT_ENTRY: Final = rows.INSERT_ENTRY.replace("?", "%s")
_UPDATE_ENTRY: Final = rows.UPDATE_ENTRY.replace("?", "%s")
_INSERT_KEY: Final = rows.INSERT_KEY.replace("?", "%s")
_FIND_KEYS: Final = """
    SELECT name, content, message, message_id FROM sending_keys WHERE name = ANY(%s)
"""
_SELECT_KEYED: Final = rows.SELECT_KEYED.replace("?", "%s")
_ROWS_OF: Final = f"{SELECT} WHERE id = ANY(%s) ORDER BY id FOR UPDATE OF entries"

_ENTRIES: Final = f"SELECT {rows.COLUMNS} FROM entries JOIN messages ON key = message WHERE"  # noqa: S608


def due_entries(
    transaction: PostgresTransaction,
    selection: str,
    now: datetime,
    limit: int,
    *,
    claiming: bool = False,
) -> list[OutboxEntry]:
    """Return the first entries of a selection.

    Args:
        transaction: The transaction.
        selection: The condition and the order.
        now: This moment.
        limit: The most to return.
        claiming: Skip what others are claiming at this moment, and lock these entries.
    """
    locking = " FOR UPDATE OF entries SKIP LOCKED" if claiming else ""
    found = transaction.execute(
        f"{_ENTRIES} {selection} LIMIT %(limit)s{locking}",
        {
            "now": to_ms(now),
            "farthest_lease": to_ms(now + lifecycle.LONGEST_LEASE),
            "farthest_attempt": to_ms(now + LONGEST_DELAY),
            "limit": limit,
        },
    )
    return [entry_of(row) for row in found]


def lock_entries(transaction: PostgresTransaction, entry_ids: list[str]) -> dict[str, OutboxEntry]:
    """Return those that exist, locked until the end of the transaction."""
    found = transaction.execute(_ROWS_OF, (entry_ids,))
    return {entry.id: entry for entry in map(entry_of, found)}


def change_entries(transaction: PostgresTransaction, entries: Iterable[OutboxEntry]) -> None:
    """Store the changed entries."""
    changed = [storable(rows.moving(entry)) for entry in entries]
    if changed:
        transaction.executemany(_UPDATE_ENTRY, changed)


def store_entries(transaction: PostgresTransaction, entries: Iterable[OutboxEntry]) -> None:
    """Store new entries of stored messages."""
    transaction.executemany(_INSERT_ENTRY, [storable(rows.new_row(each)) for each in entries])


def store_message(transaction: PostgresTransaction, message: OutboxMessage, now: datetime) -> str:
    """Store a message; return its key.

    Raises:
        KeyKnownError: A message with its sending key was stored before.
    """
    row = transaction.execute(_INSERT_MESSAGE, storable(rows.message_row(message))).fetchone()
    key = int(row[0]) if row else 0
    if message.key is not None:
        values = storable(rows.key_row(message.key, key, message.message_id, now))
        while not transaction.execute(_INSERT_KEY, values).rowcount:
            refuse_stored(transaction, [message.key.name])  # unless it was removed just now
    return str(key)


def refuse_stored(transaction: PostgresTransaction, names: Sequence[str]) -> None:
    """Raise an error if messages with these sending keys were stored before.

    Raises:
        KeyKnownError: With all that are known.
    """
    known = {}
    found = transaction.execute(_FIND_KEYS, (names,)).fetchall() if names else ()
    for name, content, message, message_id in found:
        entries = transaction.execute(_SELECT_KEYED, (message, message_id)).fetchall()
        known[name] = rows.known_key((content, message, message_id), entries)
    if known:
        raise KeyKnownError(known)


def store_absent(
    transaction: PostgresTransaction, message: OutboxMessage, entries: Sequence[OutboxEntry]
) -> None:
    """Store a message for those of its entries that are not there yet, as they stand."""
    wanted = [entry.id for entry in entries]
    found = transaction.execute("SELECT id FROM entries WHERE id = ANY(%s)", (wanted,))
    known = {entry_id for (entry_id,) in found}
    absent = [entry for entry in entries if entry.id not in known]
    if absent:
        key = store_message(transaction, message, transaction.now)
        store_entries(transaction, [replace(entry, message_key=key) for entry in absent])
        wake_workers(transaction)


def remove_where(transaction: PostgresTransaction, selection: str, values: Sequence[object]) -> int:
    """Remove entries, and messages without entries; return the number of entries."""
    transaction.lock(_REMOVING)
    sought = f"SELECT id FROM entries WHERE {selection}"  # noqa: S608 - constants of the callers
    gone = transaction.execute(
        f"DELETE FROM entries WHERE id IN ({sought}) RETURNING message",  # noqa: S608
        values,
    ).fetchall()
    transaction.execute(
        """
        DELETE FROM messages WHERE key = ANY(%s)
        AND NOT EXISTS (SELECT FROM entries WHERE message = key)
        """,
        ([key for (key,) in gone],),
    )
    return len(gone)


def wake_workers(transaction: PostgresTransaction) -> None:
    """Tell the workers, once it is committed, that there may be something to send."""
    transaction.execute("SELECT pg_notify(%s, '')", (SCHEMA,))


def storable(values: Sequence[object]) -> list[object]:
    """Return the text without NUL, which PostgreSQL can't store."""
    return [
        value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
        for value in values
    ]
