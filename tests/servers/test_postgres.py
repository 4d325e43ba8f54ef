"""The PostgreSQL under test is a real one: it keeps what was committed through its end."""

from __future__ import annotations

import signal

import psycopg
import pytest

from tests.servers.postgres import USERNAME, Postgres, running_postgres

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.xdist_group("postgres")]


def test_each_test_has_a_database_of_its_own(postgres: Postgres) -> None:
    one, other = postgres.new_database(), postgres.new_database()
    with psycopg.connect(one) as connection:
        connection.execute("CREATE TABLE mine (id int)")
    with psycopg.connect(other) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (USERNAME,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM mine")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_it_keeps_what_was_committed(how: signal.Signals) -> None:
    with running_postgres() as server:
        url = server.new_database()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE mine AS SELECT 1 AS id")
        server.restart(how)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT id FROM mine").fetchone() == (1,)
