"""Entries and messages as rows of the outbox database."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from smtp_desk.sender.outbox.clock import from_ms, restored, stored, to_ms
from smtp_desk.sender.outbox.entries import (
    Attempt,
    EntryState,
    Lease,
    OutboxEntry,
    OutboxMessage,
    SendingKey,
)
from smtp_desk.sender.outbox.outbox import (
    EntryNotFoundError,
    KeyKnownError,
    KnownKey,
    searched_text,
)

COLUMNS: Final = """
    id, message, message_id, kind, subject, recipient, size, created_at, expires_at,
    state, changed_at, next_attempt_at, tries, doubts, only_route, route, attempts,
    lease_owner, lease_token, lease_until, doubt_token, submitter, untold, send_at
"""
"""Of entries and messages; read each row with `entry_of`."""

SELECT: Final = f"SELECT {COLUMNS} FROM entries JOIN messages ON key = message"  # noqa: S608 - constant

SELECT_MESSAGE: Final = """
    SELECT message_id, kind, payload, recipient, subject, metadata
    FROM entries JOIN messages ON messages.key = entries.message WHERE id = ?
"""
"""The message of an entry; read it with `message_of`."""

# These are PostgreSQL's, too, which writes another sign for a value.
INSERT_MESSAGE: Final = """
    INSERT INTO messages (message_id, kind, subject, size, metadata, payload)
    VALUES (?, ?, ?, ?, ?, ?)
"""
INSERT_ENTRY: Final = """
    INSERT INTO entries (
        expires_at, state, changed_at, next_attempt_at, tries, doubts, only_route, route, code,
        attempts, lease_owner, lease_token, lease_until, doubt_token, untold, send_at, id,
        message, recipient, searched, created_at, submitter
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_ENTRY: Final = """
    UPDATE entries SET
        expires_at = ?, state = ?, changed_at = ?, next_attempt_at = ?, tries = ?, doubts = ?,
        only_route = ?, route = ?, code = ?, attempts = ?, lease_owner = ?, lease_token = ?,
        lease_until = ?, doubt_token = ?, untold = ?, send_at = ?
    WHERE id = ?
"""

Row = tuple[
    str, int, str, str, str, str, int, int, int,
    str, int, int, int, int, str, str, str,
    str, str, int | None, str, str, int, int | None,
]  # fmt: skip

# Of a message whose key is used again by another, the Message-ID is another.
INSERT_KEY: Final = """
    INSERT INTO sending_keys (name, content, message, message_id, created_at)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
FIND_KEY: Final = "SELECT content, message, message_id FROM sending_keys WHERE name = ?"
FORGET_KEYS: Final = "DELETE FROM sending_keys WHERE created_at < ?"
SELECT_KEYED: Final = f"{SELECT} WHERE key = ? AND message_id = ? ORDER BY id"


def insert_message(connection: sqlite3.Connection, message: OutboxMessage, now: datetime) -> int:
    """Store a message, whose sending key is new; return its own key."""
    key = connection.execute(INSERT_MESSAGE, message_row(message)).lastrowid or 0
    if message.key is not None:
        connection.execute(INSERT_KEY, key_row(message.key, key, message.message_id, now))
    return key


def refuse_known(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Raise an error if messages with these sending keys were stored before.

    Raises:
        KeyKnownError: With all that are known.
    """
    known = {}
    for name in names:
        if found := connection.execute(FIND_KEY, (name,)).fetchone():
            entries = connection.execute(SELECT_KEYED, found[1:]).fetchall()
            known[name] = known_key(found, entries)
    if known:
        raise KeyKnownError(known)


def insert_entries(connection: sqlite3.Connection, entries: Iterable[OutboxEntry]) -> None:
    """Store new entries of stored messages."""
    connection.executemany(INSERT_ENTRY, map(new_row, entries))


def update_entries(connection: sqlite3.Connection, entries: Iterable[OutboxEntry]) -> None:
    """Store the changed entries."""
    connection.executemany(UPDATE_ENTRY, map(moving, entries))


def find_entry(connection: sqlite3.Connection, entry_id: str) -> OutboxEntry | None:
    """Return an entry, or None if there is none."""
    row = connection.execute(f"{SELECT} WHERE id = ?", (entry_id,)).fetchone()
    return row and entry_of(row)


def find_message(connection: sqlite3.Connection, entry_id: str) -> OutboxMessage:
    """Return the message of an entry, addressed to that entry's recipient alone.

    Raises:
        EntryNotFoundError: There is none.
    """
    row = connection.execute(SELECT_MESSAGE, (entry_id,)).fetchone()
    if row is None:
        raise EntryNotFoundError(f"There is no entry {entry_id}.")
    return message_of(row)


def message_of(row: tuple[str, str, bytes, str, str, str]) -> OutboxMessage:
    """Return the message in a row of `SELECT_MESSAGE`."""
    message_id, kind, payload, recipient, subject, metadata = row
    return OutboxMessage(
        message_id=message_id,
        kind=kind,
        payload=payload,
        recipients=(recipient,),
        subject=subject,
        metadata=json.loads(metadata),
    )


def entry_of(row: Row) -> OutboxEntry:
    """Return the entry in a row of `SELECT`."""
    (
        entry_id, key, message_id, kind, subject, recipient, size, created_at, expires_at,
    state, changed_at, next_attempt_at, tries, doubts, only_route, route, attempts,
        owner, token, until, doubt_token, submitter, untold, send_at,
    ) = row  # fmt: skip
    return OutboxEntry(
        id=entry_id,
        message_key=str(key),
        message_id=message_id,
        kind=kind,
        subject=subject,
        recipient=recipient,
        size=size,
        created_at=from_ms(created_at),
        expires_at=from_ms(expires_at),
        state=EntryState(state),
        changed_at=from_ms(changed_at),
        next_attempt_at=from_ms(next_attempt_at),
        tries=tries,
        doubts=doubts,
        only_route=only_route,
        route=route,
        attempts=tuple(Attempt(from_ms(at), *rest) for at, *rest in json.loads(attempts)),
        lease=None if until is None else Lease(owner, token, from_ms(until)),
        doubt_token=doubt_token,
        submitter=submitter,
        untold=bool(untold),
        send_at=restored(send_at),
    )


def stored_row(entry: OutboxEntry) -> Row:
    """Return the row that `entry_of` reads as this entry."""
    lease = entry.lease
    return (
        entry.id, int(entry.message_key), entry.message_id, entry.kind, entry.subject,
        entry.recipient, entry.size, to_ms(entry.created_at), to_ms(entry.expires_at),
        entry.state.value, to_ms(entry.changed_at), to_ms(entry.next_attempt_at), entry.tries,
        entry.doubts, entry.only_route, entry.route, _history(entry),
        lease.owner if lease else "", lease.token if lease else "",
        to_ms(lease.until) if lease else None,
        entry.doubt_token, entry.submitter, int(entry.untold), stored(entry.send_at),
    )  # fmt: skip


def key_row(key: SendingKey, message: int, message_id: str, now: datetime) -> tuple[str | int, ...]:
    """Return the values of `INSERT_KEY`."""
    return (key.name, key.content, message, message_id, to_ms(now))


def known_key(found: tuple[str, int, str], entries: Iterable[Row]) -> KnownKey:
    """Return what the rows of `FIND_KEY` and `SELECT_KEYED` say."""
    content, _, message_id = found
    return KnownKey(message_id, content, tuple(map(entry_of, entries)))


def message_row(message: OutboxMessage) -> tuple[str | int | bytes, ...]:
    """Return the values of `INSERT_MESSAGE`."""
    metadata = json.dumps(dict(message.metadata))
    facts = (message.message_id, message.kind, message.subject, message.size)
    return (*facts, metadata, message.payload)


def new_row(entry: OutboxEntry) -> tuple[str | int | None, ...]:
    """Return the values of `INSERT_ENTRY`."""
    return (
        *moving(entry),
        int(entry.message_key),
        entry.recipient,
        searched_text(entry),
        to_ms(entry.created_at),
        entry.submitter,
    )


def moving(entry: OutboxEntry) -> tuple[str | int | None, ...]:
    """Return the values of `UPDATE_ENTRY`: what changes in an entry's life, and its id."""
    lease = entry.lease
    return (
        to_ms(entry.expires_at),
        entry.state.value,
        to_ms(entry.changed_at),
        to_ms(entry.next_attempt_at),
        entry.tries,
        entry.doubts,
        entry.only_route,
        entry.route,
        entry.code,
        _history(entry),
        lease.owner if lease else "",
        lease.token if lease else "",
        to_ms(lease.until) if lease else None,
        entry.doubt_token,
        int(entry.untold),
        stored(entry.send_at),
        entry.id,
    )


def _history(entry: OutboxEntry) -> str:
    attempts = [[to_ms(each.at), each.route, each.code, each.reply] for each in entry.attempts]
    return json.dumps(attempts) if attempts else "[]"
