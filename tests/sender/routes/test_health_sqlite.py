"""Two ask at one moment: only one gets the probe, only one the event."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.routes.health import Probe, Resting
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from tests.sender.outboxes import TurnedClock
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "outbox.sqlite3") as opened:
        yield opened


@pytest.fixture
def health(database: Database, clock: TurnedClock) -> SqliteHealth:
    health = SqliteHealth(database, clock)
    health.record_failure("custom", "connect.refused")
    return health


def ask_at_once(database: Database, ask: Callable[[], object]) -> list[object]:
    """Let two threads ask, both before either may write."""
    go, begun = threading.Event(), threading.Event()
    answers: list[object] = []

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        assert go.wait(20)

    holder = threading.Thread(target=lambda: database.write(hold))
    holder.start()
    assert begun.wait(20)
    askers = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(2)]
    for asker in askers:
        asker.start()
    wait_until(lambda: len(database._queue) == 2, "both to have seen that there is something")
    go.set()
    for thread in (holder, *askers):
        thread.join(20)
    return answers


def test_one_probe(database: Database, health: SqliteHealth, clock: TurnedClock) -> None:
    clock.turn(seconds=60)
    answers = ask_at_once(database, lambda: health.may_use("custom"))
    assert {type(answer) for answer in answers} == {Probe, Resting}


def test_one_event(database: Database, health: SqliteHealth) -> None:
    answers = ask_at_once(database, health.take_event)
    assert answers.count(None) == 1


def test_asking_and_good_news_cost_no_write(database: Database, health: SqliteHealth) -> None:
    health.reopen("custom")
    health.record_success("custom")
    before = database.commits
    for _ in range(5):
        health.may_use("custom")
        health.record_success("custom")
    assert database.commits == before
