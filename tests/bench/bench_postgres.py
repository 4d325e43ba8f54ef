"""How fast the outbox of many machines stores and sends through, on a PostgreSQL of this machine.

    python -m tests.bench.bench_postgres

Paired: each round also fills a bare table of the same database, one row a commit, which is what
database and disk give at that moment.
"""

from __future__ import annotations

import statistics
import sys
from typing import TYPE_CHECKING, Final

import psycopg

from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase
from tests.bench.bench_outbox import (
    GROUP,
    MAILS,
    PAYLOAD,
    ROUNDS,
    add,
    drain,
    per_second,
    send_at_once,
    send_from_threads,
)
from tests.servers import parts
from tests.servers.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable

BARE: Final = "bare table, 1 a commit"


def fill(url: str) -> None:
    """Fill a plain table: the measure."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE mails (id bigserial PRIMARY KEY, mail bytea)")
        for _ in range(MAILS):
            connection.execute("INSERT INTO mails (mail) VALUES (%s)", (PAYLOAD,))


def one_round(url: str) -> dict[str, float]:
    """Return emails a second for each way."""
    rates = {BARE: per_second(MAILS, lambda: fill(url))}
    with PostgresDatabase(read_address(url, {})) as database:
        outbox = PostgresOutbox(database)
        outbox.counts()  # connected, and the schema made
        works: dict[str, Callable[[], object]] = {
            "add, 1 a commit": lambda: add(outbox, 1),
            f"add, {GROUP} a commit": lambda: add(outbox, GROUP),
            f"worker: claim, in doubt, accept, by {GROUP}": lambda: drain(outbox),
            "send at once, one thread": lambda: send_at_once(outbox, MAILS),
            "send at once, four threads": lambda: send_from_threads(outbox),
        }
        for name, work in works.items():
            waiting = outbox.counts().of(EntryState.READY)
            rates[name] = per_second(waiting if name.startswith("worker") else MAILS, work)
    return rates


def main() -> None:
    """Measure and print."""
    if why := parts.missing("postgres"):
        sys.stdout.write(f"postgres: {why}\n")
        return
    with running_postgres() as server:
        rounds = [one_round(server.new_database()) for _ in range(ROUNDS)]
    for name in rounds[0]:
        rates = [each[name] for each in rounds]
        share = statistics.median(each[name] / each[BARE] for each in rounds)
        sys.stdout.write(
            f"{name}: {statistics.median(rates):.0f} emails/s ({min(rates):.0f}..{max(rates):.0f}),"
            f" {share:.2f} of the bare table in its round\n"
        )


if __name__ == "__main__":
    main()
