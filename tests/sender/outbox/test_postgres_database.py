"""What becomes of a write when the line to the database breaks, before and after its commit."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.entries import EntryState, MarkInDoubt
from smtp_desk.sender.outbox.outbox import (
    OutboxBusyError,
    OutboxUnavailableError,
    OutboxUnconfirmedError,
    OutboxVersionError,
)
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from smtp_desk.sender.outbox.postgres_migrations import SCHEMA
from smtp_desk.smtp.net.deadline import Cancel
from tests.sender.outboxes import LEASE, claim_one, message
from tests.servers.line import Fate, Line
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.certs import Certificates

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.xdist_group("postgres")]


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.empty_database()


@pytest.fixture
def database(url: str) -> Iterator[PostgresDatabase]:
    with PostgresDatabase(read_address(url, {})) as opened:
        yield opened


@pytest.fixture
def line(postgres: Postgres) -> Iterator[Line]:
    with Line(postgres.port) as opened:
        yield opened


@pytest.fixture
def far(line: Line, postgres: Postgres, url: str) -> Iterator[PostgresDatabase]:
    """The same database, by a line that can be cut."""
    name = url.rpartition("/")[2]
    with PostgresDatabase(read_address(postgres.tcp_url(name, port=line.port), {})) as opened:
        PostgresOutbox(opened).counts()
        yield opened


def once(fate: Fate, line: Line, *, then_open: bool = True) -> Callable[[bytes], Fate]:
    """Let the next commit have this fate."""
    left = [fate]

    def decide(piece: bytes) -> Fate:
        if b"COMMIT" not in piece or not left:
            return Fate.PASSES
        line.open = then_open
        return left.pop()

    return decide


@pytest.mark.parametrize("fate", [Fate.IS_LOST, Fate.LOSES_ITS_ANSWER])
def test_a_write_is_done_once_though_the_line_breaks_in_its_commit(
    far: PostgresDatabase, line: Line, database: PostgresDatabase, fate: Fate
) -> None:
    line.fate = once(fate, line)
    entries = PostgresOutbox(far).add([message("ann@example.org", "bo@example.org")])
    stored = PostgresOutbox(database).page().entries
    assert {entry.id for entry in stored} == {entry.id for entry in entries}


@pytest.mark.parametrize("fate", [Fate.IS_LOST, Fate.LOSES_ITS_ANSWER])
def test_a_dot_is_announced_once_though_the_line_breaks_in_its_commit(
    far: PostgresDatabase, line: Line, fate: Fate
) -> None:
    outbox = PostgresOutbox(far)
    outbox.add([message()])
    claim = claim_one(outbox)
    line.fate = once(fate, line)
    assert not outbox.apply([MarkInDoubt(claim, "custom")])
    assert outbox.get(claim.entry.id).state is EntryState.IN_DOUBT


@pytest.mark.parametrize("fate", [Fate.IS_LOST, Fate.LOSES_ITS_ANSWER])
def test_a_claim_goes_to_one_though_the_line_breaks_in_its_commit(
    far: PostgresDatabase, line: Line, database: PostgresDatabase, fate: Fate
) -> None:
    outbox = PostgresOutbox(far)
    outbox.add([message(), message()])
    line.fate = once(fate, line)
    claims = outbox.claim("here", 1, LEASE)
    others = PostgresOutbox(database).claim("there", 9, LEASE)
    assert len({claim.entry.id for claim in (*claims, *others)}) == len(claims) + len(others) == 2


@pytest.mark.parametrize("fate", [Fate.IS_LOST, Fate.LOSES_ITS_ANSWER])
def test_a_write_that_nobody_can_be_asked_about_is_named(
    far: PostgresDatabase,
    line: Line,
    database: PostgresDatabase,
    fate: Fate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smtp_desk.sender.outbox.postgres_database._CONFIRM_S", 0.2)
    line.fate = once(fate, line, then_open=False)
    with pytest.raises(OutboxUnconfirmedError) as unknown:
        PostgresOutbox(far).add([message()])
    (entry,) = unknown.value.entries
    done = fate is Fate.LOSES_ITS_ANSWER
    stored = PostgresOutbox(database).page().entries
    assert [each.id for each in stored] == [entry.id] * done
    line.open = True
    assert far.is_committed(unknown.value.transaction) is done
    assert database.is_committed(unknown.value.transaction) is done


def test_a_broken_line_is_replaced(far: PostgresDatabase, line: Line) -> None:
    outbox = PostgresOutbox(far)
    for _ in range(3):
        line.cut()
        outbox.add([message()])
    line.cut()
    assert outbox.counts().total == 3


def test_a_database_that_is_gone_is_told_in_a_sentence(
    url: str, far: PostgresDatabase, line: Line
) -> None:
    line.open = False
    line.cut()
    with pytest.raises(OutboxUnavailableError, match=r"^The outbox database desk\d+ on 127"):
        PostgresOutbox(far).add([message()])
    missing = url.rpartition("/")[0] + "/nowhere"
    with (
        PostgresDatabase(read_address(missing, {})) as nowhere,
        pytest.raises(OutboxUnavailableError, match='"nowhere" does not exist'),
    ):
        PostgresOutbox(nowhere).counts()


def test_a_refused_password_is_told_without_it(
    postgres: Postgres, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "wr0ng")
    stranger = postgres.tcp_url(url.rpartition("/")[2], user="stranger")
    with (
        PostgresDatabase(read_address(stranger, {})) as refused,
        pytest.raises(OutboxUnavailableError, match="password authentication failed") as told,
    ):
        PostgresOutbox(refused).counts()
    assert "wr0ng" not in str(told.value)


def test_a_password_file_works(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres.new_database().rpartition("/")[2]
    postgres.execute(f"GRANT CREATE ON DATABASE {name} TO stranger")
    (tmp_path / "pgpass").write_text("127.0.0.1:*:*:stranger:s3cret\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    address = read_address(postgres.tcp_url(name, user="stranger"), {})
    with PostgresDatabase(address) as opened:
        assert PostgresOutbox(opened).counts().total == 0


def test_beyond_this_machine_the_certificate_is_checked(
    certs: Certificates, tmp_path: Path
) -> None:
    with running_postgres(identity=certs.good, durable=False) as server:
        name = server.new_database().rpartition("/")[2]
        names = f"hostaddr=127.0.0.1&sslrootcert={certs.root.chain_file}"
        for host, right in (("mail.example.test", True), ("other.example.test", False)):
            url = f"postgresql://desk@{host}:{server.port}/{name}?{names}"
            with PostgresDatabase(read_address(url, {})) as opened:
                outbox = PostgresOutbox(opened)
                if right:
                    assert outbox.counts().total == 0
                else:
                    with pytest.raises(OutboxUnavailableError, match="does not match host name"):
                        outbox.counts()


def test_time_is_the_databases(database: PostgresDatabase) -> None:
    (entry,) = PostgresOutbox(database).add([message()])
    assert abs(entry.created_at - utc_now()) < timedelta(seconds=5)
    assert abs(database.now() - utc_now()) < timedelta(seconds=5)


def test_a_worker_that_waits_is_woken(database: PostgresDatabase, url: str) -> None:
    database.wait(Cancel(), 0)  # it listens from now on
    with PostgresDatabase(read_address(url, {})) as other:
        woken = threading.Event()

        def wait() -> None:
            database.wait(Cancel(), 60)
            woken.set()

        thread = threading.Thread(target=wait)
        thread.start()
        PostgresOutbox(other).add([message()])
        assert woken.wait(20)
        thread.join()


@pytest.mark.parametrize("waiting", [1, 2, 4])
def test_closed_means_that_no_connection_is_left_of_those_that_waited(
    database: PostgresDatabase, postgres: Postgres, url: str, waiting: int
) -> None:
    name = url.rpartition("/")[2]
    by = f"FROM pg_stat_activity WHERE datname = '{name}'"
    listening = f"SELECT count(*) {by} AND query = 'LISTEN {SCHEMA}'"
    cancel = Cancel()
    threads = [threading.Thread(target=database.wait, args=(cancel, 60)) for _ in range(waiting)]
    for thread in threads:
        thread.start()
    wait_until(lambda: postgres.execute(listening) == [(waiting,)], "all of them listen")
    cancel.cancel()
    for thread in threads:
        thread.join()
    database.close()
    wait_until(lambda: postgres.execute(f"SELECT pid {by}") == [], "no connection is left")


def test_a_wait_ends_when_it_is_cancelled_also_without_the_database(
    far: PostgresDatabase, line: Line
) -> None:
    line.open = False
    line.cut()
    cancel = Cancel()
    thread = threading.Thread(target=far.wait, args=(cancel, 60))
    thread.start()
    cancel.cancel()
    thread.join(20)
    assert not thread.is_alive()


def test_what_raises_leaves_nothing_behind(database: PostgresDatabase) -> None:
    def fail(transaction: PostgresTransaction) -> None:
        transaction.execute("INSERT INTO workers VALUES ('one', 1)")
        raise KeyError("one")

    with pytest.raises(KeyError):
        database.write(fail)
    count = "SELECT count(*) FROM workers"
    assert database.read(lambda at: at.execute(count).fetchone()) == (0,)


def test_two_that_lock_each_other_out_both_get_through(
    database: PostgresDatabase, url: str
) -> None:
    database.write(lambda at: at.execute("INSERT INTO workers VALUES ('one', 0), ('two', 0)"))
    barrier, first = threading.Barrier(2), threading.local()

    def change(own: PostgresDatabase, *names: str) -> None:
        def both(transaction: PostgresTransaction) -> None:
            for name in names:
                transaction.execute("UPDATE workers SET until = until + 1 WHERE name = %s", (name,))
                if not hasattr(first, "passed"):
                    first.passed = True
                    barrier.wait(20)

        own.write(both)

    with PostgresDatabase(read_address(url, {})) as other:
        threads = [
            threading.Thread(target=change, args=(database, "one", "two")),
            threading.Thread(target=change, args=(other, "two", "one")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = database.read(lambda at: at.execute("SELECT until FROM workers").fetchall())
    assert found == [(2,), (2,)]


def test_who_is_locked_out_for_long_is_told(database: PostgresDatabase, url: str) -> None:
    def held(transaction: PostgresTransaction) -> None:
        transaction.lock("something")
        with PostgresDatabase(read_address(url, {})) as other:

            def wait(waiting: PostgresTransaction) -> None:
                waiting.execute("SET LOCAL lock_timeout = '50ms'")
                waiting.lock("something")

            with pytest.raises(OutboxBusyError):
                other.write(wait)

    database.write(held)


def test_many_begin_at_once_on_an_empty_database(postgres: Postgres) -> None:
    url = postgres.new_database()
    faults: list[BaseException] = []

    def begin() -> None:
        try:
            with PostgresDatabase(read_address(url, {})) as opened:
                PostgresOutbox(opened).add([message()])
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            faults.append(error)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with PostgresDatabase(read_address(url, {})) as opened:
        assert PostgresOutbox(opened).counts().total == 6


def test_a_newer_schema_is_left_as_it_is(postgres: Postgres) -> None:
    url = postgres.new_database()
    with PostgresDatabase(read_address(url, {})) as newer:
        newer.write(lambda at: at.execute("UPDATE about SET version = 99"))
    with (
        PostgresDatabase(read_address(url, {})) as older,
        pytest.raises(OutboxVersionError, match="version 99"),
    ):
        PostgresOutbox(older).counts()


def test_the_platforms_own_tables_are_left_alone(postgres: Postgres) -> None:
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.execute("CREATE TABLE public.entries AS SELECT 7 AS mine", name)
    with PostgresDatabase(read_address(url, {})) as opened:
        PostgresOutbox(opened).add([message()])
    assert postgres.execute("SELECT * FROM public.entries", name) == [(7,)]


def test_text_that_postgres_has_no_room_for_is_stored(database: PostgresDatabase) -> None:
    outbox = PostgresOutbox(database)
    (entry,) = outbox.add([message(subject="a\0b", payload=b"\0\xff")])
    assert outbox.get(entry.id).subject == "a\N{REPLACEMENT CHARACTER}b"
    assert outbox.message(entry.id).payload == b"\0\xff"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_a_restart_is_lived_through(how: signal.Signals) -> None:
    with (
        running_postgres() as server,
        PostgresDatabase(read_address(server.new_database(), {})) as database,
    ):
        outbox = PostgresOutbox(database)
        outbox.add([message()])
        server.restart(how)
        outbox.add([message()])
        assert outbox.counts().total == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_opens_its_own(database: PostgresDatabase) -> None:
    outbox = PostgresOutbox(database)
    outbox.add([message()])
    child = os.fork()
    if child == 0:  # whatever happens, it is no test run of its own
        try:
            outbox.add([message()])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    outbox.add([message()])
    assert outbox.counts().total == 3


def test_a_fork_that_told_nobody_leaves_the_parents_connections(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = PostgresOutbox(database)
    outbox.add([message()])
    inherited = database._free[0]
    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)
    outbox.add([message()])
    database.close()  # the child's own: what it leaves open is the parent's
    monkeypatch.undo()
    assert not inherited.closed
    inherited.close()
    assert outbox.counts().total == 2


def test_unused_connections_are_few(database: PostgresDatabase, postgres: Postgres) -> None:
    outbox = PostgresOutbox(database)
    threads = [threading.Thread(target=outbox.counts) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    name = database.name.split()[0]
    wait_until(lambda: postgres.execute(count, name)[0][0] in range(6), "connections to close")
