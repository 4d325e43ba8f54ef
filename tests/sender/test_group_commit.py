"""Many threads, one commit: who shares it, and whose failure is whose."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import OutboxBusyError, OutboxUnavailableError
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def fail_to_read() -> None:
    raise LookupError("mine")


class Crowd:
    """Threads that all write while one of them holds the transaction open."""

    def __init__(
        self, database: Database, end: Callable[[sqlite3.Connection], object] = str
    ) -> None:
        self.database = database
        self.end = end
        self.go, self.begun = threading.Event(), threading.Event()
        self.outcomes: dict[str, object] = {}
        self.threads: list[threading.Thread] = []

    def write(self, name: str, work: Callable[[sqlite3.Connection], object]) -> None:
        def run() -> None:
            try:
                self.outcomes[name] = self.database.write(work)
            except (OutboxUnavailableError, LookupError, KeyboardInterrupt) as error:
                self.outcomes[name] = error

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def hold(self, connection: sqlite3.Connection) -> str:
        self.begun.set()
        assert self.go.wait(20)
        self.end(connection)
        return "held"

    def gather(self, works: dict[str, Callable[[sqlite3.Connection], object]]) -> dict[str, object]:
        """Let all of `works` wait for one transaction; return what became of them."""
        self.write("first", self.hold)
        assert self.begun.wait(20)
        for name, work in works.items():
            self.write(name, work)
        wait_until(lambda: len(self.database._queue) == len(works), "all to queue")
        self.go.set()
        for thread in self.threads:
            thread.join(20)
        return self.outcomes


def write_route(name: str) -> Callable[[sqlite3.Connection], object]:
    statement = (
        "INSERT INTO route_health VALUES (?, 0, NULL, 0, '', '', NULL, NULL, 0, 0, '[]',"
        " NULL, '[]')"
    )
    return lambda connection: connection.execute(statement, (name,)).rowcount


def routes(database: Database) -> set[str]:
    rows = database.read(lambda at: at.execute("SELECT route FROM route_health").fetchall())
    return {name for (name,) in rows}


def test_who_waits_is_committed_together(database: Database) -> None:
    names = [f"route {number}" for number in range(12)]
    before = database.commits
    outcomes = Crowd(database).gather({name: write_route(name) for name in names})
    assert outcomes == {"first": "held", **dict.fromkeys(names, 1)}
    assert database.commits == before + 2
    assert routes(database) == set(names)


def test_one_that_raises_takes_none_along(database: Database) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        write_route("undone")(connection)
        fail_to_read()

    outcomes = Crowd(database).gather({"a": write_route("a"), "b": fail, "c": write_route("c")})
    assert isinstance(outcomes["b"], LookupError)
    assert routes(database) == {"a", "c"}


def test_one_that_the_storage_refuses_takes_none_along(database: Database) -> None:
    works = {"a": write_route("a"), "b": lambda at: at.execute("nonsense"), "c": write_route("c")}
    outcomes = Crowd(database).gather(works)
    assert isinstance(outcomes["b"], OutboxUnavailableError)
    assert (outcomes["a"], outcomes["c"], routes(database)) == (1, 1, {"a", "c"})


def test_a_storage_that_others_hold_is_waited_for_once_by_all(
    database: Database, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def give_away(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        other.execute("BEGIN IMMEDIATE")

    outcomes = Crowd(database, give_away).gather({name: write_route(name) for name in "abcdefgh"})
    other.close()
    assert all(isinstance(outcomes[name], OutboxBusyError) for name in "abcdefgh")


def test_an_interrupted_leader_tells_those_who_waited(database: Database) -> None:
    def interrupt(_: sqlite3.Connection) -> None:
        raise KeyboardInterrupt

    outcomes = Crowd(database).gather({"a": interrupt, "b": write_route("b")})
    told = [outcomes["a"], outcomes["b"]]
    assert {type(error) for error in told} <= {KeyboardInterrupt, OutboxUnavailableError}
    assert routes(database) == set()
    database.write(write_route("later"))
