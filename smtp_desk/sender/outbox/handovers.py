"""Emails that wait on this machine for the database of many machines, and their handover.

Nothing is sent from here: emails are only handed over, entry by entry, if they aren't there yet.
Before a transaction of the shared database is committed its name is stored here with the emails, so
that after a power cut its result can be asked for.
"""

import json
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Final, final

from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState, OutboxEntry, OutboxMessage
from smtp_desk.sender.outbox.outage_log import OutageLog
from smtp_desk.sender.outbox.outbox import OutboxError
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from smtp_desk.sender.outbox.postgres_rows import store_absent
from smtp_desk.sender.outbox.rows import COLUMNS, SELECT, entry_of, message_row, stored_row
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.smtp.net.forks import run_after_fork

_BATCH: Final = 100
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0

# Whatever nothing final was said of, and no sender of this machine has in its hands.
_WAITING: Final = f"""
    {SELECT} WHERE state IN ('ready', 'sending', 'in_doubt', 'held') ORDER BY id LIMIT ?
"""
_COPY: Final = """
    INSERT INTO handovers (written_by, entries, message_id, kind, subject, size, metadata, payload)
    SELECT '', ?, message_id, kind, subject, size, metadata, payload FROM messages WHERE key = ?
"""
_INSERT: Final = """
    INSERT INTO handovers (written_by, entries, message_id, kind, subject, size, metadata, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEXT: Final = """
    SELECT key, written_by, entries, message_id, kind, subject, metadata, payload
    FROM handovers WHERE key > ? ORDER BY key LIMIT 1
"""

_AWAY: Final = "emails wait on this machine: %s"
_WIDTH: Final = len(COLUMNS.split(","))

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Handover:
    """A message to hand over; `written_by` is the transaction that may have stored it."""

    key: int
    written_by: str
    entries: tuple[OutboxEntry, ...]
    message: OutboxMessage


@final
class Handovers:
    """The emails waiting in this machine's outbox file, and the thread that hands them over.

    Args:
        path: The outbox file, created when something has to wait.
        shared: The database of many machines.
    """

    def __init__(self, path: Path, shared: PostgresDatabase) -> None:
        self._path = path
        self._shared = shared
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Begin anew in a child process; see `forks`."""
        self._lock = threading.Lock()
        self._opened: Database | None = None
        self._thread: threading.Thread | None = None
        self._looked = False
        self._closing = threading.Event()

    def store(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxEntry, ...]:
        """Store messages that are certainly not in the shared database.

        Raises:
            OutboxError: As `OutboxQueue.add`.
        """
        entries = SqliteOutbox(self._local()).add(messages)
        self._begin()
        return tuple(replace(entry, local=True) for entry in entries)

    def store_unconfirmed(
        self, messages: Iterable[OutboxMessage], entries: Sequence[OutboxEntry], written_by: str
    ) -> tuple[OutboxEntry, ...]:
        """Store messages that the transaction `written_by` may have stored in the shared database.

        Raises:
            OutboxUnavailableError: This machine's outbox doesn't work either.
        """
        waiting = tuple(
            replace(entry, state=EntryState.READY, lease=None, local=True) for entry in entries
        )

        def insert(connection: Connection) -> None:
            left = iter(waiting)
            for message in messages:
                own = [next(left) for _ in message.recipients]
                connection.execute(_INSERT, (written_by, _rows_text(own), *message_row(message)))

        self._local().write(insert)
        self._begin()
        return waiting

    def begin(self) -> None:
        """Hand over what an earlier process left here; only the first call checks."""
        with self._lock:
            looked, self._looked = self._looked, True
        if not looked and self._path.exists():
            self._begin()

    def hand_over(self) -> int:
        """Hand over everything that waits; return the number of messages.

        Raises:
            OutboxUnavailableError: One of the two databases doesn't work.
        """
        if not self._path.exists():
            return 0
        local, count, key = self._local(), 0, 0
        while local.write(_collect):
            pass
        while waiting := local.read(partial(_next, after=key)):
            key = waiting.key
            self._hand_over(local, waiting)
            count += 1
        return count

    def close(self) -> None:
        """End the thread, and close this machine's outbox file."""
        self._closing.set()
        with self._lock:
            thread, opened = self._thread, self._opened
        if thread is not None:
            thread.join()
        if opened is not None:
            opened.close()

    def _hand_over(self, local: Database, waiting: _Handover) -> None:
        if not (waiting.written_by and self._shared.is_committed(waiting.written_by)):

            def store(transaction: PostgresTransaction) -> None:
                store_absent(transaction, waiting.message, waiting.entries)
                local.write(
                    lambda connection: connection.execute(
                        "UPDATE handovers SET written_by = ? WHERE key = ?",
                        (transaction.name, waiting.key),
                    )
                )

            self._shared.write(store)
        local.write(
            lambda connection: connection.execute(
                "DELETE FROM handovers WHERE key = ?", (waiting.key,)
            )
        )

    def _local(self) -> Database:
        with self._lock:
            if self._opened is None:
                self._opened = Database(self._path)
            return self._opened

    def _begin(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._work, name="handover", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # the next email that has to wait begins again
                self._thread = None
                _log.warning("no thread is to be had: %s", error)

    def _work(self) -> None:
        """Hand over until nothing waits; what is stored meanwhile, too."""
        wait = _FIRST_WAIT_S
        away = OutageLog(_log, _AWAY, "the shared outbox works again", level=logging.WARNING)
        while not self._closing.is_set():
            try:
                count = self.hand_over()
                away.worked()
                if count:
                    _log.info("%d emails were handed over to the shared outbox", count)
                if self._is_done():
                    return
            except OutboxError as error:
                away.failed(error)
            self._closing.wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def _is_done(self) -> bool:
        """Whether nothing waits; then the thread ends, and the next email begins another."""
        with self._lock:
            if self._opened is None or not self._opened.read(_is_waiting):
                self._thread = None
                return True
            return False


def _collect(connection: Connection) -> int:
    """Take the oldest waiting entries out of the local queue; return how many messages."""
    found = connection.execute(_WAITING, (_BATCH,)).fetchall()
    now = utc_now()
    by_message: dict[int, list[OutboxEntry]] = {}
    for row in found:
        entry = entry_of(row)
        if lifecycle.may_be_erased(entry, now):
            by_message.setdefault(int(entry.message_key), []).append(entry)
    for key, entries in by_message.items():
        connection.execute(_COPY, (_rows_text(entries), key))
        connection.executemany("DELETE FROM entries WHERE id = ?", [(each.id,) for each in entries])
    return len(by_message)


def _next(connection: Connection, after: int) -> _Handover | None:
    row = connection.execute(_NEXT, (after,)).fetchone()
    if row is None:
        return None
    key, written_by, entries, message_id, kind, subject, metadata, payload = row
    # Versions before `send_at` wrote rows without it.
    known = tuple(entry_of((*each, None)[:_WIDTH]) for each in json.loads(entries))
    message = OutboxMessage(
        message_id=message_id,
        kind=kind,
        payload=payload,
        recipients=tuple(entry.recipient for entry in known),
        subject=subject,
        metadata=json.loads(metadata),
    )
    return _Handover(key, written_by, known, message)


def _is_waiting(connection: Connection) -> bool:
    asked = "SELECT EXISTS (SELECT 1 FROM handovers) OR EXISTS (SELECT 1 FROM entries WHERE"
    states = "state IN ('ready', 'sending', 'in_doubt', 'held'))"
    return bool(connection.execute(f"{asked} {states}").fetchone()[0])


def _rows_text(entries: Iterable[OutboxEntry]) -> str:
    return json.dumps([stored_row(entry) for entry in entries])
