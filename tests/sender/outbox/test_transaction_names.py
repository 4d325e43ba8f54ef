"""By which name a transaction is asked for, when nobody knows what became of it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from tests.servers.postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.xdist_group("postgres")]


@pytest.fixture
def database(postgres: Postgres) -> Iterator[PostgresDatabase]:
    with PostgresDatabase(read_address(postgres.empty_database(), {})) as opened:
        yield opened


def test_of_another_database_nothing_is_told(
    database: PostgresDatabase, postgres: Postgres
) -> None:
    with PostgresDatabase(read_address(postgres.new_database(), {})) as other:
        name = other.write(lambda transaction: transaction.name)
        assert other.is_committed(name) is True
    assert database.is_committed(name) is None
    installation = name.split("/")[0]
    own = database.write(lambda transaction: transaction.name)
    assert own.split("/")[0] != installation
    later = own.replace(own.split("/")[1], "999999999", 1)
    assert database.is_committed(later) is None


def test_a_name_without_a_writer_says_no_more_than_that_it_was_undone(
    database: PostgresDatabase,
) -> None:
    name = database.write(lambda transaction: transaction.name)
    assert database.is_committed(name) is True
    assert database.is_committed(name.rpartition("/")[0]) is False


def test_a_write_lost_in_a_crash_is_not_taken_for_another_of_its_number() -> None:
    """PostgreSQL gives the numbers of transactions that no disk has seen to others."""
    with (
        running_postgres() as server,
        PostgresDatabase(read_address(url := server.new_database(), {})) as database,
        PostgresDatabase(read_address(url, {})) as other,
    ):
        server.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        server.restart()
        begun: list[str] = []
        others: list[str] = []

        def work(transaction: PostgresTransaction) -> None:
            begun.append(transaction.name)
            transaction.execute("INSERT INTO workers VALUES ('lost', %s)", (len(begun),))
            if len(begun) == 1:
                server.restart(signal.SIGQUIT)
                others.append(other.write(lambda at: at.name))

        database.write(work)
        assert begun[0].split("/")[1] == others[0].split("/")[1]
        assert database.is_committed(begun[0]) is False
        assert database.is_committed(begun[1]) is True
        stored = database.read(lambda at: at.execute("SELECT until FROM workers").fetchall())
        assert stored == [(2,)]


def test_connections_of_long_ago_are_forgotten(database: PostgresDatabase) -> None:
    database.write(lambda at: at.execute("INSERT INTO writers VALUES ('long ago', 7, 7)"))
    PostgresOutbox(database).prune()
    names = database.read(lambda at: at.execute("SELECT name FROM writers").fetchall())
    assert len(names) == 1
    assert names != [("long ago",)]
