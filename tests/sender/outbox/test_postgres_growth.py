"""On PostgreSQL, too, a look takes no longer the more emails there are; and its counts are true."""

from __future__ import annotations

import re
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox import postgres_migrations
from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.control_postgres import PostgresControl
from smtp_desk.sender.outbox.entries import Accept, Attempt, EntryState, MarkInDoubt
from smtp_desk.sender.outbox.outbox import EVERYTHING, OutboxLimits, Query
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from smtp_desk.sender.outbox.postgres_migrations import MIGRATIONS
from smtp_desk.sender.outbox.queries import POSTGRES, Reader, Value
from tests.sender.outboxes import LEASE, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tests.servers.postgres import Postgres

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.xdist_group("postgres")]

FAILED = frozenset({EntryState.REFUSED, EntryState.HELD})


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def database(url: str) -> Iterator[PostgresDatabase]:
    with PostgresDatabase(read_address(url, {})) as opened:
        yield opened


def plan(database: PostgresDatabase, work: Callable[[Reader], object]) -> str:
    """Return what PostgreSQL does for all that `work` asks of it."""

    def explain(transaction: PostgresTransaction) -> str:
        transaction.execute("SET LOCAL enable_seqscan = off")  # else it reads a small table whole
        transaction.execute("SET LOCAL enable_sort = off")
        steps: list[str] = []

        def ask(statement: str, values: list[Value]) -> list[tuple[Any, ...]]:
            asked = statement.replace("?", "%s")
            steps.extend(step for (step,) in transaction.execute(f"EXPLAIN {asked}", values))
            return transaction.execute(asked, values).fetchall()

        work(Reader(ask, POSTGRES))
        return "\n".join(steps)

    return database.write(explain)


def rows_counted(database: PostgresDatabase) -> dict[tuple[EntryState, str], int]:
    found = database.read(lambda at: at.execute("SELECT state, route FROM entries").fetchall())
    return dict(Counter((EntryState(state), route) for state, route in found))


def send(outbox: PostgresOutbox, count: int) -> None:
    for _ in range(count):
        claims = outbox.add_claimed([message("ann@example.org", "bo@example.org")], "test", LEASE)
        outbox.apply([MarkInDoubt(claim, "custom") for claim in claims])
        outbox.apply([Accept(claim, (Attempt(utc_now(), "custom"),)) for claim in claims])


@pytest.mark.parametrize("states", [frozenset[EntryState](), FAILED], ids=len)
def test_a_slice_of_a_search_is_a_range_of_an_index(
    database: PostgresDatabase, states: frozenset[EntryState]
) -> None:
    PostgresOutbox(database).add([message()] * 9)
    steps = plan(database, lambda reader: reader.page(Query(text="a", states=states), "~", 5, 2))
    index = "entries_by_state" if states else "entries_pkey"
    assert f"Index Only Scan Backward using {index} on entries" in steps
    assert f"Index Scan Backward using {index} on entries" in steps
    assert "Seq Scan" not in steps


@pytest.mark.parametrize("states", [frozenset[EntryState](), FAILED], ids=len)
def test_a_search_for_an_address_reads_only_its_emails(
    database: PostgresDatabase, states: frozenset[EntryState]
) -> None:
    query = Query(recipient="ann@example.org", states=states)
    steps = plan(database, lambda reader: reader.page(query, "~", 5, 2))
    used = set(re.findall(r"entries_[a-z]\w*|Seq Scan", steps))
    assert used == {"entries_by_recipient", "entries_oddly_addressed"}


def test_the_counts_follow_every_change(database: PostgresDatabase) -> None:
    outbox = PostgresOutbox(database)
    outbox.add([message("ann@example.org", "bo@example.org")])
    send(outbox, 2)
    outbox.drop(outbox.page(Query(states=frozenset({EntryState.READY})), limit=1).entries[0].id)
    assert outbox.counts().by_state_and_route == rows_counted(database) == {
        (EntryState.READY, ""): 1,
        (EntryState.DROPPED, ""): 1,
        (EntryState.ACCEPTED, "custom"): 4,
    }  # fmt: skip
    PostgresControl(database).erase([entry.id for entry in outbox.page().entries[:3]])
    assert outbox.counts().by_state_and_route == rows_counted(database)
    sent = Query(route="custom")
    assert outbox.counts(sent).total == len(outbox.page(sent).entries)
    assert " entries " not in plan(database, lambda reader: reader.counts(EVERYTHING))


def test_what_is_rolled_back_is_not_counted(database: PostgresDatabase) -> None:
    outbox = PostgresOutbox(database)
    outbox.add([message()])

    def fail(transaction: PostgresTransaction) -> None:
        transaction.execute("UPDATE entries SET state = 'dropped'")
        raise LookupError

    with pytest.raises(LookupError):
        database.write(fail)
    assert outbox.counts().by_state_and_route == {(EntryState.READY, ""): 1}


def test_nobody_waits_for_another_to_count(database: PostgresDatabase, url: str) -> None:
    """Each holds its transaction open, and a third reads."""
    outbox = PostgresOutbox(database)
    outbox.add([message(), message()])
    ids = [entry.id for entry in outbox.page().entries]
    both = threading.Barrier(2)
    faults: list[Exception] = []

    def change(entry_id: str) -> None:
        def changed(transaction: PostgresTransaction) -> None:
            transaction.execute("SET LOCAL lock_timeout = '20s'")
            transaction.execute("UPDATE entries SET state = 'held' WHERE id = %s", (entry_id,))
            both.wait(60)
            transaction.execute("UPDATE entries SET state = 'ready' WHERE id = %s", (entry_id,))
            transaction.execute("UPDATE entries SET state = 'dropped' WHERE id = %s", (entry_id,))

        try:
            with PostgresDatabase(read_address(url, {})) as other:
                other.write(changed)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            faults.append(error)

    threads = [threading.Thread(target=change, args=(entry_id,)) for entry_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert outbox.counts().by_state_and_route == {(EntryState.DROPPED, ""): 2}


def test_more_writers_than_shards_count_right(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = postgres_migrations._COUNTS.replace("1..64", "1..1").replace("% 64", "% 1")
    monkeypatch.setattr(postgres_migrations, "MIGRATIONS", (*MIGRATIONS[:-1], step))
    url = postgres.new_database()
    faults: list[Exception] = []

    def work() -> None:
        try:
            with PostgresDatabase(read_address(url, {})) as opened:
                send(PostgresOutbox(opened), 5)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with PostgresDatabase(read_address(url, {})) as database:
        counted = PostgresOutbox(database).counts().by_state_and_route
        assert counted == rows_counted(database) == {(EntryState.ACCEPTED, "custom"): 40}


@pytest.mark.parametrize("version", range(3, len(MIGRATIONS)))
def test_entries_of_an_older_version_are_counted_and_found(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    with monkeypatch.context() as older:
        older.setattr(postgres_migrations, "MIGRATIONS", MIGRATIONS[:version])
        with PostgresDatabase(read_address(url, {})) as database:
            database.read(lambda at: at.execute("SELECT 1").fetchall())
    postgres.execute(
        "INSERT INTO smtp_desk.messages (message_id, kind, subject, size, metadata, payload)"
        " VALUES ('<1@example.org>', 'notification', 's', 1, '{}', 'x')",
        name,
    )
    for number, (recipient, state) in enumerate(
        [("Ann@example.org", "accepted"), ("jörg@example.org", "held"), ("bo@example.org", "held")]
    ):
        postgres.execute(
            f"INSERT INTO smtp_desk.entries VALUES ('{number}', 1, '{recipient}', '{recipient}',"  # noqa: S608 - constants
            f" 0, 0, '{state}', 0, 0, 0, 0, '', 'custom', '', '[]', '', '', NULL, '', '', 0)",
            name,
        )
    with PostgresDatabase(read_address(url, {})) as database:
        outbox = PostgresOutbox(database, limits=OutboxLimits())
        assert outbox.counts().by_state_and_route == rows_counted(database) == {
            (EntryState.ACCEPTED, "custom"): 1,
            (EntryState.HELD, "custom"): 2,
        }  # fmt: skip
        for entry in outbox.page().entries:
            assert PostgresControl(database).entries_to(entry.recipient.upper()) == (entry.id,)


def test_a_migration_may_take_longer_than_any_other_statement(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = "CREATE TABLE noted AS SELECT current_setting('statement_timeout') AS most"
    monkeypatch.setattr(postgres_migrations, "MIGRATIONS", (*MIGRATIONS, step))
    with PostgresDatabase(read_address(postgres.new_database(), {})) as database:
        noted = "SELECT most, current_setting('statement_timeout') FROM noted"
        assert database.read(lambda at: at.execute(noted).fetchone()) == ("0", "20s")
