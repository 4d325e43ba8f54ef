"""An outbox that has grown, beside a small one: `python -m tests.bench.bench_growth [FOLDER]`.

The rows are made by SQL, as old mail leaves them: most accepted, some refused, held or waiting.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.sender.outbox.clock import to_ms, utc_now
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import Query
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import LEASE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

ROUNDS: Final = 5
FEW: Final = 1000
MANY: Final = 1_000_000

_MESSAGES: Final = """
    WITH RECURSIVE numbers (number) AS (
        SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?
    )
    INSERT INTO messages (key, message_id, kind, subject, size, metadata, payload)
    SELECT number, '<' || number || '@example.org>', 'notification', 'Notification ' || number,
        200, '{}', zeroblob(200)
    FROM numbers
"""
_ENTRIES: Final = """
    INSERT INTO entries (
        id, message, recipient, searched, created_at, expires_at, state, changed_at,
        next_attempt_at, tries, doubts, only_route, route, code, attempts, lease_owner,
        lease_token, lease_until, doubt_token
    )
    SELECT printf('01k%023d', key), key, 'person.' || key || '@example.org',
        'person.' || key || '@example.org' || char(10) || message_id, :now, :now + 345600000,
        CASE key % 20 WHEN 0 THEN 'refused' WHEN 1 THEN 'held' WHEN 2 THEN 'ready'
            ELSE 'accepted' END,
        :now, :now, 0, 0, '', 'custom', iif(key % 20, '', 'recipient.unknown'), '[]', '', '',
        NULL, ''
    FROM messages
"""


def fill_by_sql(connection: sqlite3.Connection, count: int) -> None:
    """Put so many entries into an empty outbox, of this version or an older one."""
    connection.execute(_MESSAGES, (count,))
    connection.execute(_ENTRIES, {"now": to_ms(utc_now())})


def fill(path: Path, count: int) -> None:
    """Make an outbox of so many entries."""
    with Database(path) as database:
        database.write(lambda connection: fill_by_sql(connection, count))


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long it takes, the middle of `ROUNDS`."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def opened(path: Path) -> None:
    with Database(path) as database:
        SqliteOutbox(database).next_due()


def measured(count: int, parent: str | None) -> dict[str, float]:
    """Return the milliseconds of each look at an outbox of so many entries."""
    failed = Query(states=frozenset({EntryState.REFUSED, EntryState.HELD}))
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        path = Path(folder) / "outbox.sqlite3"
        fill(path, count)
        taken = {"open": milliseconds(lambda: opened(path))}
        with Database(path) as database:
            outbox, control = SqliteOutbox(database), SqliteControl(database)
            works: dict[str, Callable[[], object]] = {
                "claim of 10": lambda: outbox.claim("bench", 10, LEASE),
                "when the next is due": outbox.next_due,
                "counts": outbox.counts,
                "first page": outbox.page,
                "first page of what failed": lambda: outbox.page(failed),
                "all emails to one address": lambda: control.entries_to("person.777@example.org"),
                "search that finds one": lambda: outbox.page(Query(text="person.777@")),
            }
            return taken | {name: milliseconds(work) for name, work in works.items()}


def main(parent: str | None) -> None:
    """Measure and print."""
    few, many = measured(FEW, parent), measured(MANY, parent)
    for name in few:
        sys.stdout.write(
            f"{name}: {many[name]:.2f} ms of {MANY:,} entries, {few[name]:.2f} ms of {FEW:,}\n"
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
