"""How fast the outbox stores, sends through and shows, and its commits for each email.

    python -m tests.bench.bench_outbox [FOLDER]

Paired: each round also fills a bare SQLite table of the same octets (WAL, synchronous
FULL), which is what the disk gives at that moment. FOLDER says whose disk.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import (
    Accept,
    Attempt,
    Claim,
    EntryState,
    MarkInDoubt,
    OutboxMessage,
)
from smtp_desk.sender.outbox.outbox import Outbox, Query
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import LEASE

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS: Final = 5
MAILS: Final = 1000
GROUP: Final = 50
LISTED: Final = 100_000
PAYLOAD: Final = bytes(2048)


def mail(number: int) -> OutboxMessage:
    return OutboxMessage(
        message_id=f"<{number}@example.org>",
        kind="notification",
        payload=PAYLOAD,
        recipients=(f"person.{number}@example.org",),
        subject=f"Notification {number}",
    )


def per_second(count: int, work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def bare(folder: Path, group: int) -> Callable[[], object]:
    """Return the filling of a plain table: the measure."""
    connection = sqlite3.connect(folder / f"bare{group}.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, mail BLOB)")

    def fill() -> None:
        for _ in range(0, MAILS, group):
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(group):
                connection.execute("INSERT INTO mails (mail) VALUES (?)", (PAYLOAD,))
            connection.execute("COMMIT")
        connection.close()

    return fill


def add(outbox: Outbox, group: int) -> None:
    for first in range(0, MAILS, group):
        outbox.add([mail(number) for number in range(first, first + group)])


def answered(claim: Claim) -> Accept:
    return Accept(claim, (Attempt(datetime.now(UTC), "custom", "", "250 2.0.0 Ok: queued"),))


def send_at_once(outbox: Outbox, mails: int) -> None:
    """Do what a sender does for one email: stored and claimed, in doubt, accepted."""
    for number in range(mails):
        claims = outbox.add_claimed([mail(number)], "bench", LEASE)
        outbox.apply([MarkInDoubt(claim, "custom") for claim in claims])
        outbox.apply([answered(claim) for claim in claims])


def send_from_threads(outbox: Outbox) -> None:
    threads = [threading.Thread(target=send_at_once, args=(outbox, MAILS // 4)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def drain(outbox: Outbox) -> None:
    """Do what a worker does, by group."""
    while claims := outbox.claim("bench", GROUP, LEASE):
        outbox.apply([MarkInDoubt(claim, "custom") for claim in claims])
        outbox.apply([answered(claim) for claim in claims])


def one_round(folder: Path) -> dict[str, tuple[float, float]]:
    """Return emails a second and commits an email for each way."""
    rates: dict[str, tuple[float, float]] = {}
    for group in (1, GROUP):
        rates[f"bare table, {group} a commit"] = (per_second(MAILS, bare(folder, group)), 1 / group)
    with Database(folder / "outbox.sqlite3") as database:
        outbox = SqliteOutbox(database)
        works: dict[str, Callable[[], object]] = {
            "add, 1 a commit": lambda: add(outbox, 1),
            f"add, {GROUP} a commit": lambda: add(outbox, GROUP),
            f"worker: claim, in doubt, accept, by {GROUP}": lambda: drain(outbox),
            "send at once, one thread": lambda: send_at_once(outbox, MAILS),
            "send at once, four threads": lambda: send_from_threads(outbox),
        }
        for name, work in works.items():
            before = database.commits
            mails = outbox.counts().of(EntryState.READY) if name.startswith("worker") else MAILS
            rate = per_second(mails, work)
            rates[name] = (rate, (database.commits - before) / mails)
    return rates


def show_list(folder: Path) -> None:
    """Fill a long list and print how long a person waits for parts of it."""
    with Database(folder / "list.sqlite3") as database:
        outbox = SqliteOutbox(database)
        for first in range(0, LISTED, 1000):
            outbox.add([mail(number) for number in range(first, first + 1000)])
        middle = outbox.page(limit=LISTED // 2).next
        works: dict[str, Callable[[], object]] = {
            "first page of 200": outbox.page,
            "page of 200 in the middle": lambda: outbox.page(before=middle),
            "counts": outbox.counts,
            "search that finds little": lambda: outbox.page(Query(text="person.77777@")),
            "search that finds nothing": lambda: outbox.page(Query(text="nobody")),
            "claim of 50": lambda: outbox.claim("bench", GROUP, LEASE),
            "next_due": outbox.next_due,
        }
        for name, work in works.items():
            took = statistics.median(1000 / per_second(1, work) for _ in range(ROUNDS))
            sys.stdout.write(f"{LISTED} entries, {name}: {took:.1f} ms\n")


def main(parent: str | None) -> None:
    """Measure and print."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            rounds.append(one_round(Path(folder)))
    for name in rounds[0]:
        rates = [each[name][0] for each in rounds]
        group = GROUP if str(GROUP) in name else 1
        share = statistics.median(
            each[name][0] / each[f"bare table, {group} a commit"][0] for each in rounds
        )
        commits = statistics.median(each[name][1] for each in rounds)
        sys.stdout.write(
            f"{name}: {statistics.median(rates):.0f} emails/s"
            f" ({min(rates):.0f}..{max(rates):.0f}), {share:.2f} of the bare table in its round,"
            f" {commits:.2f} commits per mail\n"
        )
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        show_list(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
