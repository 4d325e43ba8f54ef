"""The file as others see it: private, a link that stays one, and what a program lacks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message

if TYPE_CHECKING:
    from pathlib import Path


def count(database: Database) -> int:
    return SqliteOutbox(database).counts().total


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777], ids=oct)
def test_all_that_is_made_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "home" / "state" / "deeper" / "outbox.sqlite3"
    before = os.umask(umask)
    try:
        with Database(path) as database:
            SqliteOutbox(database).add([message()])
            folders = {each.stat().st_mode & 0o777 for each in list(path.parents)[:3]}
            files = {each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert (folders, files) == ({0o700}, {0o600})


def test_a_symbolic_link_leaves_its_target_as_it_is(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.sqlite3"
    with Database(target):
        pass
    target.chmod(0o640)
    path.parent.mkdir()
    path.symlink_to(target)
    for _ in range(2):
        with Database(path) as database:
            SqliteOutbox(database).add([message()])
    assert (path.is_symlink(), target.stat().st_mode & 0o777) == (True, 0o640)
    with Database(target) as database:
        assert count(database) == 2


def test_a_symbolic_link_to_nothing_leads_to_a_private_file(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "new" / "outbox.sqlite3")
    with Database(path) as database:
        SqliteOutbox(database).add([message()])
        modes = {each.stat().st_mode & 0o777 for each in (tmp_path / "new").iterdir()}
    assert (path.is_symlink(), modes) == (True, {0o600})


def test_a_link_whose_target_changes_is_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "one.sqlite3")
    with Database(path) as database:
        SqliteOutbox(database).add([message()])
        path.unlink()
        path.symlink_to(tmp_path / "two.sqlite3")
        assert count(database) == 0


STARVED: Final = """
import pathlib, resource, sys
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import message
path = pathlib.Path(sys.argv[1])
outbox = SqliteOutbox(database := Database(path))
outbox.add([message()])
database.close()
{starve}
try:
    outbox.add([message(payload=bytes(20_000_000))])
except OutboxUnavailableError as error:
    print(error)
{feed}
outbox.add([message()])
print(outbox.counts().total)
"""
NO_FILES: Final = "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 4096))"
FILES: Final = "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))"
NO_MEMORY: Final = """
database.read(lambda at: at.execute("PRAGMA soft_heap_limit = 9000000").fetchone())
database.read(lambda at: at.execute("PRAGMA hard_heap_limit = 9000000").fetchone())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no processes")
@pytest.mark.parametrize(
    ("starve", "feed", "words"),
    [(NO_FILES, FILES, "Too many open files"), (NO_MEMORY, "", "no memory left")],
    ids=["files", "memory"],
)
def test_what_this_program_lacks_is_named_and_ends(
    path: Path, starve: str, feed: str, words: str
) -> None:
    code = STARVED.format(starve=starve, feed=feed)
    ended = subprocess.run(
        [sys.executable, "-c", code, path], check=True, timeout=60, capture_output=True, text=True
    )
    told, total = ended.stdout.splitlines()
    assert words in told
    assert total == "2"
