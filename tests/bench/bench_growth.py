"""An outbox that has grown, beside a small one: `python -m tests.bench.bench_growth [FOLDER]`.

On disk and, where PostgreSQL is installed, in the database of many machines. The rows are made by
SQL, as old mail leaves them: most accepted, some refused, held or waiting.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.app.delivery.listing import search_query
from smtp_desk.sender.outbox.clock import to_ms, utc_now
from smtp_desk.sender.outbox.control_postgres import PostgresControl
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import Query
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import LEASE
from tests.servers import parts
from tests.servers.postgres import running_postgres

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from smtp_desk.sender.outbox.control import Control
    from smtp_desk.sender.outbox.outbox import Outbox

ROUNDS: Final = 5
FEW: Final = 1000
MANY: Final = 1_000_000

_MESSAGE: Final = """
    INSERT INTO messages (message_id, kind, subject, size, metadata, payload)
    SELECT '<' || number || '@example.org>', 'notification', 'Notification ' || number,
        200, '{}', {payload}
"""
_NUMBERS: Final = """
    WITH RECURSIVE numbers (number) AS (
        SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count}
    )
"""
_ENTRIES: Final = """
    INSERT INTO entries (
        id, message, recipient, searched, created_at, expires_at, state, changed_at,
        next_attempt_at, tries, doubts, only_route, route, code, attempts, lease_owner,
        lease_token, lease_until, doubt_token, submitter, untold
    )
    SELECT {entry_id}, key, 'person.' || key || '@example.org',
        'person.' || key || '@example.org' || {newline} || message_id, {now}, {now} + 345600000,
        CASE key % 20 WHEN 0 THEN 'refused' WHEN 1 THEN 'held' WHEN 2 THEN 'ready'
            ELSE 'accepted' END,
        {now}, {now}, 0, 0, '', 'custom',
        CASE key % 20 WHEN 0 THEN 'recipient.unknown' ELSE '' END, '[]', '', '', NULL, '', '', 0
    FROM messages
"""


@dataclass(frozen=True)
class Figure:
    """The middle of `ROUNDS`, in milliseconds: what passed, and what this process worked."""

    wall: float
    cpu: float


def fill_file(path: Path, count: int) -> None:
    """Make an outbox of so many entries on disk."""

    def insert(connection: sqlite3.Connection) -> None:
        numbers = _NUMBERS.format(count=count)
        message = _MESSAGE.replace("{payload}", "zeroblob(200)")
        connection.execute(f"{numbers} {message} FROM numbers")
        words = {"entry_id": "printf('01k%023d', key)", "newline": "char(10)"}
        connection.execute(_ENTRIES.format(now=to_ms(utc_now()), **words))

    with Database(path) as database:
        database.write(insert)


def fill_shared(database: PostgresDatabase, count: int) -> None:
    """Make an outbox of so many entries in a database."""

    def insert(transaction: PostgresTransaction) -> None:
        transaction.execute("SET LOCAL statement_timeout = 0")
        message = _MESSAGE.replace("{payload}", "decode(repeat('00', 200), 'hex')")
        transaction.execute(f"{message} FROM generate_series(1, {count}) AS number")
        words = {"entry_id": "'01k' || lpad(key::text, 23, '0')", "newline": "chr(10)"}
        entries = _ENTRIES.format(now=to_ms(utc_now()), **words)
        transaction.execute(entries.replace("%", "%%"))
        transaction.execute("ANALYZE")  # as autovacuum does by and by

    database.write(insert)


def measure(work: Callable[[], object]) -> Figure:
    """Return how long it takes."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        begun = time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - begun[0]) * 1000)
        cpus.append((time.process_time() - begun[1]) * 1000)
    return Figure(statistics.median(walls), statistics.median(cpus))


def through(outbox: Outbox, query: Query) -> None:
    """Search to the end."""
    page = outbox.page(query)
    while page.next:
        page = outbox.page(query, before=page.next)


def looks(outbox: Outbox, control: Control) -> dict[str, Figure]:
    """Return what each look at the outbox takes."""
    failed = Query(states=frozenset({EntryState.REFUSED, EntryState.HELD}))
    text, address = Query(text="person.777@"), "person.777@example.org"
    works: dict[str, Callable[[], object]] = {
        "claim of 10": lambda: outbox.claim("bench", 10, LEASE),
        "when the next is due": outbox.next_due,
        "counts": outbox.counts,
        "first page": outbox.page,
        "first page of what failed": lambda: outbox.page(failed),
        "all emails to one address": lambda: control.entries_to(address),
        "search for an address": lambda: outbox.page(search_query(outbox, Query(text=address))),
        "search for a text: the first slice": lambda: outbox.page(text),
        "the same through to the end": lambda: through(outbox, text),
    }
    return {name: measure(work) for name, work in works.items()}


def on_disk(count: int, parent: str | None) -> dict[str, Figure]:
    """Return the figures of an outbox of so many entries on disk."""

    def opened() -> None:
        with Database(path) as database:
            SqliteOutbox(database).next_due()

    with tempfile.TemporaryDirectory(dir=parent) as folder:
        path = Path(folder) / "outbox.sqlite3"
        fill_file(path, count)
        taken = {"open": measure(opened)}
        with Database(path) as database:
            return taken | looks(SqliteOutbox(database), SqliteControl(database))


def shared(count: int) -> dict[str, Figure]:
    """Return the figures of an outbox of so many entries in a database; {} without PostgreSQL."""

    def opened() -> None:
        with PostgresDatabase(read_address(url, {})) as database:
            PostgresOutbox(database).next_due()

    if parts.missing("postgres"):
        return {}
    with running_postgres() as server:
        url = server.new_database()
        with PostgresDatabase(read_address(url, {})) as database:
            outbox = PostgresOutbox(database)
            outbox.counts()
            fill_shared(database, count)
            return {"open": measure(opened)} | looks(outbox, PostgresControl(database))


def growth_table(parent: str | None) -> list[str]:
    """Measure, and return the table of an outbox that has grown."""
    disk = [on_disk(count, parent) for count in (FEW, MANY)]
    many = [shared(count) for count in (FEW, MANY)]
    heads = [f"{kind}: {count:,}" for kind in ("on disk", "PostgreSQL") for count in (FEW, MANY)]
    lines = [f"| an outbox of | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for name in disk[0]:
        cells = [f"{each[name].wall:.2f} ms ({each[name].cpu:.2f})" for each in disk]
        cells += [f"{each[name].wall:.2f} ms" if each else "–" for each in many]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def main(parent: str | None) -> None:
    """Measure and print."""
    sys.stdout.write("\n".join(growth_table(parent)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
