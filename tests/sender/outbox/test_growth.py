"""What is done for each email, and at each look, takes no longer the more emails there are."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import (
    Accept,
    Attempt,
    Doubt,
    EntryState,
    MarkInDoubt,
    SendingKey,
)
from smtp_desk.sender.outbox.outbox import KeyKnownError, OutboxLimits, Query
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import LEASE, claim_one, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAILED = frozenset({EntryState.REFUSED, EntryState.HELD})


@pytest.fixture
def outbox(path: Path) -> Iterator[SqliteOutbox]:
    with Database(path) as database:
        yield SqliteOutbox(database)


def plans(outbox: SqliteOutbox, work: Callable[[], object]) -> list[str]:
    """Return what SQLite does for all that `work` asks of it, a step a line."""
    database, asked = outbox._database, list[str]()
    database.write(lambda connection: connection.set_trace_callback(asked.append))
    work()
    database.write(lambda connection: connection.set_trace_callback(None))
    steps: list[str] = []
    with contextlib.closing(database._connect()) as connection:
        for statement in asked:
            if statement.lstrip().startswith(("SELECT", "UPDATE", "INSERT", "DELETE")):
                rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
                steps += [detail for *_, detail in rows]
    return steps


def send_one(outbox: SqliteOutbox) -> None:
    (claim,) = outbox.add_claimed([message("ann@example.org")], "test", LEASE)
    outbox.apply([MarkInDoubt(claim, "custom")])
    outbox.apply([Accept(claim, (Attempt(utc_now(), "custom"),))])


@pytest.mark.parametrize(
    "work",
    [
        send_one,
        lambda outbox: outbox.claim("test", 10, LEASE),
        lambda outbox: outbox.claim_in_doubt("test", 10, LEASE),
        lambda outbox: outbox.next_due(),
        lambda outbox: outbox.counts(Query(states=FAILED)),
        lambda outbox: outbox.counts(),
    ],
    ids=["send", "claim", "claim_in_doubt", "next_due", "counts_of_states", "counts"],
)
def test_nothing_is_searched_through_or_sorted(
    outbox: SqliteOutbox, work: Callable[[SqliteOutbox], object]
) -> None:
    outbox.add([message("ann@example.org", "bo@example.org")])
    claim_one(outbox)
    steps = plans(outbox, lambda: work(outbox))
    assert steps
    # What walks along an index in order ends at its limit; the other tables never grow.
    assert not any(step in ("SCAN entries", "SCAN messages") for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)


def test_no_email_is_searched_for_by_its_message_id_or_its_key(outbox: SqliteOutbox) -> None:
    keyed = replace(message("ann@example.org"), key=SendingKey("order-1", "content"))

    def ask() -> None:
        outbox.add([keyed])
        with pytest.raises(KeyKnownError):
            outbox.add([keyed])
        assert outbox.page(Query(message_id=keyed.message_id)).entries

    scanned = {step for step in plans(outbox, ask) if step.startswith("SCAN")}
    assert scanned <= {"SCAN part0"}  # which found what there is by an index


def test_the_entries_to_an_address_are_found_by_it(outbox: SqliteOutbox) -> None:
    control = SqliteControl(outbox._database)
    outbox.add([message("ann@example.org", "bo@example.org", "jörg@example.org")])
    steps = plans(outbox, lambda: control.entries_to("ann@example.org"))
    by_index = [step for step in steps if "entries" in step]
    assert [step.partition(" INDEX ")[2].split()[0] for step in by_index] == [
        "entries_by_recipient",
        "entries_oddly_addressed",
    ]


@pytest.mark.parametrize("states", [frozenset(), frozenset({EntryState.HELD}), FAILED], ids=len)
def test_a_slice_of_a_search_is_a_range_of_an_index(
    path: Path, states: frozenset[EntryState]
) -> None:
    with Database(path) as database:
        outbox = SqliteOutbox(database, limits=OutboxLimits(searched=2))
        outbox.add([message("ann@example.org", "bo@example.org", "cy@example.org")] * 3)
        held = outbox.claim("test", 5, LEASE)
        outbox.apply([MarkInDoubt(claim, "custom") for claim in held])
        outbox.apply([Doubt(claim, resend=False) for claim in held])
        before = outbox.page().entries[1].id
        steps = plans(outbox, lambda: outbox.page(Query(text="an", states=states), before=before))
    looked = [step for step in steps if " entries " in step]
    index = "entries_by_state (state=? AND " if states else "sqlite_autoindex_entries_1 ("
    ends, rows = looked[: len(states) or 1], looked[len(states) or 1 :]
    assert [step for step in ends if f"COVERING INDEX {index}id<?)" in step] == ends
    assert [step for step in rows if f"{index}id>? AND id<?)" in step] == rows != []


@pytest.mark.parametrize("states", [frozenset(), FAILED], ids=len)
def test_a_search_for_an_address_reads_only_its_emails(
    outbox: SqliteOutbox, states: frozenset[EntryState]
) -> None:
    steps = plans(
        outbox, lambda: outbox.page(Query(recipient="ann@example.org", states=states), before="0")
    )
    used = {step.partition(" INDEX ")[2].split()[0] for step in steps if " entries " in step}
    assert used == {"entries_by_recipient", "entries_oddly_addressed"}


@pytest.mark.parametrize("states", [frozenset(), frozenset({EntryState.HELD}), FAILED], ids=len)
def test_a_page_is_read_from_the_end_of_an_index(
    outbox: SqliteOutbox, states: frozenset[EntryState]
) -> None:
    steps = plans(outbox, lambda: outbox.page(Query(states=states), before="0", limit=5))
    index = "entries_by_state (state=" if states else "sqlite_autoindex_entries_1 (id<"
    assert sum(index in step for step in steps) == max(len(states), 1)
    assert not any(step.startswith("SCAN entries") for step in steps)


def test_the_counts_follow_every_change(outbox: SqliteOutbox) -> None:
    outbox.add([message("ann@example.org", "bo@example.org")])
    send_one(outbox)
    send_one(outbox)
    waiting = outbox.page(Query(states=frozenset({EntryState.READY})), limit=1)
    outbox.drop(waiting.entries[0].id)
    counted = outbox.counts().by_state_and_route
    assert counted == {
        (EntryState.READY, ""): 1,
        (EntryState.DROPPED, ""): 1,
        (EntryState.ACCEPTED, "custom"): 2,
    }
    outbox._database.write(lambda connection: connection.execute("DELETE FROM entries"))
    assert outbox.counts().total == 0


def test_entries_of_an_older_version_are_counted_and_found(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(Path(__file__).with_name("version_1.sql").read_text("utf-8"))
    connection.close()
    with Database(path) as database:
        outbox, control = SqliteOutbox(database), SqliteControl(database)
        counts = outbox.counts()
        for entry in outbox.page().entries:
            assert entry.id in control.entries_to(entry.recipient.upper())
    assert counts.total == 5
    assert counts.of(EntryState.READY) == counts.of(EntryState.SENDING) == 1
