"""When what was written is on the disk: at once, or within the second."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.database import Database
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with Database(path) as opened:
        yield opened


def insert(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO sent_by_minute VALUES ('', 1, 1)")


def remove(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM sent_by_minute")


def no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were synced by Python, not by SQLite."""
    names: list[str] = []

    def fsync(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux_only
def test_what_need_not_be_durable_at_once_is_within_the_second(
    database: Database, synced: list[str]
) -> None:
    began = time.monotonic()
    for _ in range(3):
        database.write(insert, durable=False)
        database.write(remove, durable=False)
    assert synced == []
    wait_until(lambda: synced == ["outbox.sqlite3-wal"], "the sync")
    assert time.monotonic() - began < 1.5
    wait_until(lambda: not database._syncing, "the thread's end")


@linux_only
def test_the_next_durable_commit_takes_along_what_was_written(
    database: Database, synced: list[str]
) -> None:
    before = database.syncs
    database.write(insert, durable=False)
    database.write(remove)
    database.sync()
    assert (database.syncs, synced) == (before + 1, [])


def fail(connection: sqlite3.Connection) -> None:
    remove(connection)
    raise LookupError("mine")


def change_nothing(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM health_events")


@linux_only
@pytest.mark.parametrize("work", [change_nothing, fail, lambda _: None])
def test_a_commit_without_a_change_takes_nothing_along(
    database: Database, synced: list[str], work: Callable[[sqlite3.Connection], None]
) -> None:
    """SQLite writes nothing for it, and so asks the disk for nothing."""
    database.write(insert, durable=False)
    with suppress(LookupError):
        database.write(work)
    database.sync()
    assert synced == ["outbox.sqlite3-wal"]


@linux_only
@pytest.mark.parametrize("end", [Database.close, Database.sync])
def test_the_end_waits_for_the_disk(
    database: Database, synced: list[str], end: Callable[[Database], None]
) -> None:
    database.write(insert, durable=False)
    end(database)
    assert synced == ["outbox.sqlite3-wal"]
    end(database)
    assert len(synced) == 1


@linux_only
def test_without_a_thread_it_waits_at_once(
    database: Database, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    database.write(insert, durable=False)
    assert synced == ["outbox.sqlite3-wal"]


def test_a_disk_that_refuses_is_logged(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    database.write(insert, durable=False)
    database.sync()
    assert "may not be on the disk" in caplog.text


def test_a_program_that_ends_without_a_goodbye_is_synced(path: Path) -> None:
    code = """
import os, pathlib, sys
from smtp_desk.sender.outbox.database import Database
database = Database(pathlib.Path(sys.argv[1]))
os.fsync = lambda _: print("synced")
database.write(lambda at: at.execute("INSERT INTO sent_by_minute VALUES ('', 1, 1)"), durable=False)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, path], check=True, timeout=60, capture_output=True, text=True
    )
    assert ended.stdout == "synced\n"
