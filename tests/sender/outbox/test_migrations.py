"""A file of an older version is brought up to date, with all that stands in it."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.sender.outbox import postgres_migrations
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.migrations import MIGRATIONS
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health import Resting, RouteHealth
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.throttle import ConnectionLease, Login
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
from tests.sender.outboxes import LEASE, TurnedClock

VERSION_1: Final = Path(__file__).with_name("version_1.sql")


def schema(path: Path) -> list[tuple[str, ...]]:
    """Every column of every table, and every index and trigger, as they are now."""
    connection = sqlite3.connect(path)
    columns = connection.execute(
        'SELECT t.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema AS t'
        " JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table' ORDER BY t.name, c.cid"
    ).fetchall()
    others = connection.execute(
        "SELECT type, name, tbl_name FROM sqlite_schema WHERE type != 'table' ORDER BY name"
    ).fetchall()
    connection.close()
    return [*columns, *others]


@pytest.fixture(params=range(1, len(MIGRATIONS)))
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An outbox with what version 1 left, as it was opened by each later version but the newest.

    The steps that led there are as they were released; see the test of that.
    """
    version: int = request.param
    connection = sqlite3.connect(tmp_path / "outbox.sqlite3", isolation_level=None)
    connection.executescript(VERSION_1.read_text("utf-8"))
    for step in MIGRATIONS[1:version]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    return tmp_path / "outbox.sqlite3"


RELEASED: Final = (
    *("4540d6d02b4f0a28", "2f6d3c2c5b725ad6", "c02b8dfd57f4b13f", "0921f83dd7bae2e6"),
    *("859abd387e223c78", "cfe7504da011a365", "c626a9bf83d44e7a", "f105f297b38e246d"),
)
RELEASED_ON_POSTGRES: Final = ("8067e45091b89c3f", "a4feb1fccd9c97dc")


def test_no_step_was_changed_after_it_was_released() -> None:
    """Files of each version are out there; a new step is added here when it is released."""
    for released, steps in (
        (RELEASED, [" ".join(step) for step in MIGRATIONS]),
        (RELEASED_ON_POSTGRES, postgres_migrations.MIGRATIONS),
    ):
        digests = [sha256(" ".join(step.split()).encode()).hexdigest()[:16] for step in steps]
        assert tuple(digests[: len(released)]) == released


def test_an_old_file_has_the_schema_of_a_new_one(path: Path, tmp_path: Path) -> None:
    with Database(path) as old, Database(tmp_path / "new.sqlite3"):
        version = old.read(lambda at: at.execute("PRAGMA user_version").fetchone())
        assert version == (len(MIGRATIONS),)
        assert schema(path) == schema(tmp_path / "new.sqlite3")


def test_all_that_stands_in_an_old_file_goes_on(path: Path) -> None:
    clock = TurnedClock()
    with Database(path) as database:
        outbox, health = SqliteOutbox(database, clock), SqliteHealth(database, clock)
        states = {entry.recipient[:2]: entry.state for entry in outbox.page().entries}
        assert states == {
            "an": EntryState.ACCEPTED,
            "bo": EntryState.IN_DOUBT,
            "cy": EntryState.READY,
            "di": EntryState.REFUSED,
            "ed": EntryState.SENDING,
        }
        for recipient in ("Ann@example.org", "bo@example.org"):
            assert len(SqliteControl(database, clock).entries_to(recipient)) == 1
        assert health.may_use("custom") == Resting(clock() + timedelta(seconds=60))
        assert health.status("custom").fallbacks == 2
        assert health.status("default") == RouteHealth(route="default", uncertain=1)
        event = health.take_event()
        assert event is not None
        clock.turn(minutes=20)
        due = {claim.entry.recipient[:2] for claim in outbox.claim("worker", 9, LEASE)}
        assert due == {"cy", "ed"}
        (claim,) = outbox.claim_in_doubt("worker", 9, LEASE)
        message = outbox.message(claim.entry.id)
        assert (message.subject, message.payload) == ("Grüße", b"\x00\xff raw")
        assert isinstance(
            SqliteThrottle(database, clock).lease(Login("localhost", 25, "")), ConnectionLease
        )


def test_a_migration_that_is_cut_short_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema(path)
    monkeypatch.setattr(
        "smtp_desk.sender.outbox.migrations.MIGRATIONS", (*MIGRATIONS, ("nonsense",))
    )
    with pytest.raises(OutboxUnavailableError, match="nonsense"):
        Database(path)
    assert schema(path) == before
