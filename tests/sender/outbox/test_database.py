"""The file on disk: private, bounded waits, faults told and nothing overwritten."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox import database as database_module
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.migrations import APPLICATION_ID, MIGRATIONS
from smtp_desk.sender.outbox.outbox import (
    OutboxBusyError,
    OutboxCorruptError,
    OutboxUnavailableError,
    OutboxVersionError,
)
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message
from tests.store.tiny_disk import tiny_disk

if TYPE_CHECKING:
    pass


def count(database: Database) -> int:
    return SqliteOutbox(database).counts().total


def insert(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO route_health VALUES ('a', 0, NULL, 0, '', '', NULL, NULL, 0, 0, '[]',"
        " NULL, '[]')"
    )


def pragma(database: Database, name: str) -> object:
    return database.read(lambda connection: connection.execute(f"PRAGMA {name}").fetchone()[0])


def test_it_is_private_with_its_companions(database: Database, path: Path) -> None:
    SqliteOutbox(database).add([message()])
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == dict.fromkeys([path.name, f"{path.name}-wal", f"{path.name}-shm"], 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_may_read_becomes_private(path: Path) -> None:
    with Database(path):
        pass
    path.chmod(0o644)
    with Database(path):
        assert path.stat().st_mode & 0o777 == 0o600


def test_its_connections_end_with_it(path: Path) -> None:
    left = Database(path)
    connection = left.read(lambda connection: connection)
    del left
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_connection_that_another_closes_meanwhile_keeps_none_from_opening(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other:
        """One of another thread, which closes it while all are looked through."""

        file = None

        @property
        def pid(self) -> int:
            known.discard(self)
            known.update(type(self)() for _ in range(3))
            return os.getpid()

    known = {Other(), Other(), Other()}
    monkeypatch.setattr(database_module, "_open", known)
    # The second is opened while the first is in use.
    assert database.read(lambda _: database.read(lambda _: 1)) == 1


def test_commits_reach_the_disk(database: Database) -> None:
    assert pragma(database, "journal_mode") == "wal"
    levels = [
        database.write(lambda at: at.execute("PRAGMA synchronous").fetchone()[0], durable=durable)
        for durable in (True, False)
    ]
    assert levels == [2, 1]


def test_it_is_marked_as_ours(database: Database) -> None:
    assert pragma(database, "application_id") == APPLICATION_ID
    assert pragma(database, "user_version") == len(MIGRATIONS)


@pytest.mark.parametrize("octets", [b"no database at all, but long enough to be one" * 40])
def test_a_damaged_file_is_told_and_left(path: Path, octets: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(octets)
    with pytest.raises(OutboxCorruptError, match=r"outbox\.sqlite3 is damaged.*left as it is"):
        Database(path)
    assert path.read_bytes() == octets


def test_damage_in_the_middle_is_told_when_it_is_met(path: Path) -> None:
    with Database(path) as database:
        SqliteOutbox(database).add([message(payload=bytes(100)) for _ in range(500)])
    octets = bytearray(path.read_bytes())
    octets[4096:] = b"\xaa" * (len(octets) - 4096)
    path.write_bytes(octets)
    with pytest.raises(OutboxCorruptError, match="left as it is"), Database(path) as database:
        SqliteOutbox(database).page()
    assert path.read_bytes() == octets


@pytest.mark.parametrize("pragmas", ["user_version = 99", "user_version = 1", "application_id = 7"])
def test_a_database_of_another_program_is_told_and_left(path: Path, pragmas: str) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA {pragmas}")
    connection.execute("CREATE TABLE songs (title)")
    connection.close()
    octets = path.read_bytes()
    with pytest.raises(OutboxCorruptError, match=r"another program.*left as it is"):
        Database(path)
    assert path.read_bytes() == octets


def test_a_newer_database_is_told_and_left(path: Path) -> None:
    with Database(path) as database:
        database.write(lambda at: at.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}"))
    octets = path.read_bytes()
    with pytest.raises(OutboxVersionError, match=rf"version {len(MIGRATIONS) + 1}.*left as it is"):
        Database(path)
    assert path.read_bytes() == octets


def test_a_path_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(OutboxUnavailableError, match="state"):
        Database(tmp_path / "state" / "outbox.sqlite3")
    with pytest.raises(OutboxUnavailableError, match="can’t be used"):
        Database(tmp_path)


def test_a_full_disk_is_told_and_the_work_undone(database: Database) -> None:
    outbox = SqliteOutbox(database)
    outbox.add([message()])
    database.write(lambda at: at.execute("PRAGMA max_page_count = 1").fetchone())
    with pytest.raises(OutboxUnavailableError, match=r"disk of the outbox .* is full"):
        outbox.add([message(payload=bytes(100_000))])
    assert count(database) == 1
    outbox.add([message()])  # the connection that met the limit is gone
    assert count(database) == 2


def test_a_disk_that_is_really_full_is_named(path: Path) -> None:
    path.parent.mkdir()
    with tiny_disk(path.parent, kib=400):
        with Database(path) as database:
            SqliteOutbox(database).add([message()])
        with suppress(OSError):
            (path.parent / "filler").write_bytes(bytes(400 * 1024))
        with pytest.raises(OutboxUnavailableError, match=r"disk of the outbox .* is full"):
            Database(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file sizes")
def test_a_write_that_the_system_refuses_is_told(path: Path) -> None:
    code = """
import pathlib, resource, sys
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message
outbox = SqliteOutbox(Database(pathlib.Path(sys.argv[1])))
outbox.add([message()])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    outbox.add([message(payload=bytes(1_000_000))])
except OutboxUnavailableError:
    sys.exit(7)
"""
    ended = subprocess.run([sys.executable, "-c", code, path], check=False, timeout=60)
    assert ended.returncode == 7
    with Database(path) as database:
        assert count(database) == 1
        assert pragma(database, "integrity_check") == "ok"


def test_others_who_hold_it_are_waited_for_and_not_for_ever(database: Database, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxBusyError, match=r"for more than 0\.2 seconds"):
        database.write(insert)
    assert count(database) == 0
    other.execute("COMMIT")
    other.close()
    database.write(insert)


def test_who_only_reads_waits_for_nobody(database: Database, path: Path) -> None:
    SqliteOutbox(database).add([message()])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Database(path, busy_timeout_s=0.05) as opened:
        assert count(opened) == 1
    other.execute("COMMIT")
    other.close()


def test_a_new_file_that_others_hold_is_waited_for_and_not_for_ever(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(OutboxBusyError):
        Database(path, busy_timeout_s=0.05)
    opened: list[Database] = []
    thread = threading.Thread(target=lambda: opened.append(Database(path)))
    thread.start()
    other.execute("ROLLBACK")
    other.close()
    thread.join(20)
    assert opened
    opened[0].close()


def test_two_that_switch_to_wal_at_once_both_come_through(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite tells one of them at once that the file is locked, whatever the timeout."""
    attempts: list[sqlite3.Connection] = []

    def locked_at_first(connection: sqlite3.Connection) -> None:
        attempts.append(connection)
        if len(attempts) == 1:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        bring_up_to_date(connection)

    bring_up_to_date = database_module._bring_up_to_date
    monkeypatch.setattr(database_module, "_bring_up_to_date", locked_at_first)
    with Database(path) as database:
        assert pragma(database, "journal_mode") == "wal"
    assert len(attempts) == 2


def test_work_that_raises_is_undone_and_leaves_that_of_others(database: Database) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        insert(connection)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        database.write(fail)
    database.write(insert)
    with pytest.raises(LookupError, match="mine"):
        database.read(lambda _: fail_to_read())
    assert database.read(lambda at: at.in_transaction)


def fail_to_read() -> None:
    raise LookupError("mine")


def test_a_file_that_was_removed_is_made_anew(database: Database, path: Path) -> None:
    SqliteOutbox(database).add([message()])
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    SqliteOutbox(database).add([message(), message()])
    assert count(database) == 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_connection_of_a_removed_file_is_given_up(database: Database, path: Path) -> None:
    def read_and_remove(connection: sqlite3.Connection) -> int:
        path.unlink()
        return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])

    SqliteOutbox(database).add([message()])
    assert database.read(read_and_remove) == 1
    assert count(database) == 0


def test_a_child_leaves_the_connections_of_its_parent_alone(database: Database) -> None:
    (connection,) = database._free
    database.after_fork()
    assert count(database) == 0
    assert connection not in database._free
    assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    connection.close()


def test_after_a_fork_the_child_writes_and_the_parent_goes_on(
    database: Database, path: Path
) -> None:
    code = """
import os, pathlib, sys
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message
database = Database(pathlib.Path(sys.argv[1]))
outbox = SqliteOutbox(database)
outbox.add([message("ann@example.org")])
with database._writing, database._queued, database._free_lock:
    child = os.fork()
if child == 0:
    outbox.add([message("bo@example.org")])
    os._exit(outbox.counts().total)
outbox.add([message("cy@example.org")])
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (2, 3)
assert outbox.counts().total == 3
"""
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=60)
    assert count(database) == 3


def test_a_fork_by_a_signal_handler_in_the_middle_of_a_write(path: Path) -> None:
    """The child is refused, with a reason; the parent loses nothing."""
    code = """
import os, pathlib, sys
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message
path = pathlib.Path(sys.argv[1])
database = Database(path)

def interrupted(connection):
    child = os.fork()
    if child:
        return child
    refused = 0
    for opened in (lambda: database, lambda: Database(path)):
        try:
            SqliteOutbox(opened()).add([message()])
        except OutboxUnavailableError as error:
            refused += "forked" in str(error)
    os._exit(refused)

child = database.write(interrupted)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
SqliteOutbox(database).add([message()])
child = os.fork()
if child == 0:
    SqliteOutbox(database).add([message()])
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=60)
    with Database(path) as database:
        assert count(database) == 2
        assert pragma(database, "integrity_check") == "ok"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_that_python_does_not_hear_of(path: Path) -> None:
    """As uWSGI forks, in C: the child is refused, with a sender of its own, too."""
    code = """
import ctypes, os, pathlib, sys
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message
path = pathlib.Path(sys.argv[1])
outbox = SqliteOutbox(Database(path))
outbox.add([message()])
child = ctypes.PyDLL(None).fork()
if child == 0:
    refused = 0
    for opened in (lambda: outbox, lambda: SqliteOutbox(Database(path))):
        try:
            opened().add([message()])
        except OutboxUnavailableError as error:
            refused += "forked" in str(error)
    os._exit(refused)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
outbox.add([message()])
"""
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=60)
    with Database(path) as database:
        assert count(database) == 2
        assert pragma(database, "integrity_check") == "ok"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_may_use_another_file_after_such_a_fork(path: Path, tmp_path: Path) -> None:
    code = """
import ctypes, os, pathlib, sys
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message
one, other = map(pathlib.Path, sys.argv[1:])
SqliteOutbox(kept := Database(one)).add([message()])
child = ctypes.PyDLL(None).fork()
if child == 0:
    SqliteOutbox(Database(other)).add([message()])
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    other = tmp_path / "other.sqlite3"
    subprocess.run([sys.executable, "-c", code, path, other], check=True, timeout=60)
    with Database(other) as database:
        assert count(database) == 1
