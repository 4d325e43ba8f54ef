"""Emails that wait on a machine while the shared database is gone, and their way into it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.buffered import BufferedOutbox
from smtp_desk.sender.outbox.clock import utc_now, whole_ms
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import (
    Attempt,
    Doubt,
    EntryState,
    Lease,
    MarkInDoubt,
    OutboxEntry,
    SendingKey,
)
from smtp_desk.sender.outbox.handovers import Handovers
from smtp_desk.sender.outbox.outbox import KeyKnownError, OutboxUnavailableError, change_one
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase
from smtp_desk.sender.outbox.rows import entry_of, stored_row
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import LEASE, claim_one, message
from tests.servers.line import Fate, Line
from tests.servers.postgres import Postgres
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.xdist_group("postgres")]


class Place:
    """A machine with a line to the database, and the database seen from elsewhere."""

    def __init__(self, postgres: Postgres, line: Line, folder: Path) -> None:
        url = postgres.empty_database()
        self.line = line
        self.file = folder / "outbox.sqlite3"
        name = url.rpartition("/")[2]
        self.database = PostgresDatabase(read_address(postgres.tcp_url(name, port=line.port), {}))
        self.handovers = Handovers(self.file, self.database)
        self.outbox = BufferedOutbox(PostgresOutbox(self.database), self.handovers)
        self.elsewhere = PostgresDatabase(read_address(url, {}))
        self.shared = PostgresOutbox(self.elsewhere)

    @property
    def arrived(self) -> dict[str, OutboxEntry]:
        return {entry.id: entry for entry in self.shared.page().entries}

    def lose(self) -> None:
        """Let the database be gone."""
        self.line.open = False
        self.line.cut()

    def close(self) -> None:
        self.handovers.close()
        self.database.close()
        self.elsewhere.close()


@pytest.fixture
def place(postgres: Postgres, tmp_path: Path) -> Iterator[Place]:
    with Line(postgres.port) as line:
        place = Place(postgres, line, tmp_path)
        yield place
        place.close()


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is handed over unless the test does it."""
    monkeypatch.setattr(Handovers, "_begin", lambda _self: None)


def test_what_the_database_takes_leaves_nothing_here(place: Place) -> None:
    (entry,) = place.outbox.add([message()])
    (claim,) = place.outbox.add_claimed([message()], "here", LEASE)
    assert place.arrived.keys() == {entry.id, claim.entry.id}
    assert not entry.local
    assert not claim.entry.local
    assert not place.file.exists()


def test_a_message_with_a_key_is_never_stored_here(place: Place) -> None:
    """Only the database knows whether its key was used before."""
    keyed = replace(message(), key=SendingKey("order-1", "content"))
    place.lose()
    with pytest.raises(OutboxUnavailableError):
        place.outbox.add([keyed])
    with pytest.raises(OutboxUnavailableError):
        place.outbox.add_claimed([message(), keyed], "here", LEASE)
    assert not place.file.exists()
    place.line.open = True
    assert len(place.outbox.add([keyed])) == 1
    with pytest.raises(KeyKnownError):
        place.outbox.add([keyed])


def test_what_is_to_be_sent_later_waits_here_for_the_database_only(place: Place) -> None:
    wanted = whole_ms(utc_now() + timedelta(days=2))
    place.lose()
    (entry,) = place.outbox.add([replace(message(), send_at=wanted)])
    place.line.open = True
    wait_until(lambda: bool(place.arrived), "it to be handed over")
    assert place.arrived[entry.id].send_at == wanted
    assert place.shared.claim("worker", 9, LEASE) == ()


def test_what_is_stored_here_is_told_and_handed_over_when_the_database_is_back(
    place: Place,
) -> None:
    place.lose()
    (entry,) = place.outbox.add([message("ann@example.org", subject="Grüße")])
    (claim,) = place.outbox.add_claimed([message("bo@example.org")], "here", LEASE)
    assert (entry.local, claim.entry.local) == (True, True)
    assert claim.entry.lease is None  # nobody sends it from here
    with pytest.raises(OutboxUnavailableError):
        place.outbox.page()
    place.line.open = True
    wait_until(lambda: len(place.arrived) == 2, "both to be handed over")
    assert place.arrived.keys() == {entry.id, claim.entry.id}
    arrived = place.arrived[entry.id]
    assert (arrived.subject, arrived.state) == ("Grüße", EntryState.READY)
    assert place.shared.message(entry.id).payload == b"payload"
    assert place.handovers.hand_over() == 0


@pytest.mark.parametrize("fate", [Fate.IS_LOST, Fate.LOSES_ITS_ANSWER])
@pytest.mark.parametrize("claimed", [False, True])
def test_what_may_be_stored_keeps_its_id_and_is_stored_once(
    place: Place, fate: Fate, claimed: bool, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    monkeypatch.setattr("smtp_desk.sender.outbox.postgres_database._CONFIRM_S", 0.2)
    place.outbox.add([message()])
    before = place.arrived.keys()
    left = [fate]

    def decide(piece: bytes) -> Fate:
        if b"COMMIT" not in piece or not left:
            return Fate.PASSES
        place.line.open = False
        return left.pop()

    place.line.fate = decide
    two = [message("ann@example.org", "bo@example.org"), message("cy@example.org")]
    if claimed:
        entries = [claim.entry for claim in place.outbox.add_claimed(two, "here", LEASE)]
    else:
        entries = list(place.outbox.add(two))
    ids = {entry.id for entry in entries}
    assert all(entry.local and entry.lease is None for entry in entries)
    assert bool(place.arrived.keys() - before) is (fate is Fate.LOSES_ITS_ANSWER)
    with Database(place.file) as local:  # from here it is never sent
        assert SqliteOutbox(local).counts().total == 0
        assert SqliteOutbox(local).next_due() is None
    place.line.open = True
    assert place.handovers.hand_over() == 2
    assert place.arrived.keys() - before == ids
    assert {place.shared.message(each).recipients for each in ids} == {
        ("ann@example.org",), ("bo@example.org",), ("cy@example.org",),
    }  # fmt: skip
    assert place.handovers.hand_over() == 0


def test_what_was_stored_sent_and_pruned_meanwhile_is_not_stored_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    """Its id is gone, but the database knows that the transaction was committed."""
    monkeypatch.setattr("smtp_desk.sender.outbox.postgres_database._CONFIRM_S", 0.2)
    place.outbox.counts()
    left = [Fate.LOSES_ITS_ANSWER]

    def decide(piece: bytes) -> Fate:
        if b"COMMIT" not in piece or not left:
            return Fate.PASSES
        place.line.open = False
        return left.pop()

    place.line.fate = decide
    (entry,) = place.outbox.add([message()])
    assert place.arrived.keys() == {entry.id}
    place.elsewhere.write(lambda at: at.execute("DELETE FROM entries"))
    place.line.open = True
    assert place.handovers.hand_over() == 1
    assert not place.arrived


def stop_before(place: Place, statement: bytes) -> Callable[[bytes], Fate]:
    """Cut the line, for good, where this is said the first time."""

    def decide(piece: bytes) -> Fate:
        if statement in piece:
            place.line.open = False
            return Fate.IS_LOST
        return Fate.PASSES

    return decide


@pytest.mark.parametrize("statement", [b"INSERT INTO messages", b"COMMIT"])
def test_a_handover_that_is_cut_short_is_done_later(
    place: Place, statement: bytes, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    monkeypatch.setattr("smtp_desk.sender.outbox.postgres_database._CONFIRM_S", 0.2)
    place.outbox.counts()
    place.lose()
    (entry,) = place.outbox.add([message()])
    place.line.open = True
    place.line.fate = stop_before(place, statement)
    with pytest.raises(OutboxUnavailableError):
        place.handovers.hand_over()
    assert not place.arrived
    place.line.fate = lambda _: Fate.PASSES
    place.line.open = True
    assert place.handovers.hand_over() == 1
    assert place.arrived.keys() == {entry.id}


def test_a_process_that_begins_hands_over_what_an_earlier_one_left(place: Place) -> None:
    with Database(place.file) as left:
        (entry,) = SqliteOutbox(left).add([message()])
    place.outbox.next_due()
    wait_until(lambda: entry.id in place.arrived, "it to be handed over")


def test_what_waited_before_there_was_a_database_goes_on_as_it_stood(place: Place) -> None:
    """The settings named none until now; a sender of before still has one in its hands."""
    with Database(place.file) as local:
        before = SqliteOutbox(local)
        before.add([message(f"{name}@example.org") for name in ("held", "sending", "ready")])
        uncertain = claim_one(before)
        change_one(before, MarkInDoubt(uncertain, "custom"))
        tried = (Attempt(utc_now(), "custom", "message.unconfirmed"),)
        change_one(before, Doubt(uncertain, resend=False, attempts=tried))
        sending = claim_one(before)
        assert place.handovers.hand_over() == 2
        arrived = {entry.recipient.partition("@")[0]: entry for entry in place.arrived.values()}
        assert arrived.keys() == {"held", "ready"}
        held = arrived["held"]
        assert (held.state, held.doubts, held.code) == (EntryState.HELD, 1, "message.unconfirmed")
        assert [entry.id for entry in before.page().entries] == [sending.entry.id]
        change_one(before, MarkInDoubt(sending, "custom"))


def test_two_processes_hand_over_the_same_once(place: Place, by_hand: None) -> None:
    with Database(place.file) as local:
        ids = {entry.id for entry in SqliteOutbox(local).add([message() for _ in range(30)])}
    other = Handovers(place.file, place.elsewhere)
    assert place.handovers.hand_over() + other.hand_over() == 30
    other.close()
    assert place.arrived.keys() == ids


def test_an_entry_is_the_same_after_it_was_a_row() -> None:
    now = whole_ms(utc_now())
    entry = OutboxEntry(
        id="1", message_key="2", message_id="<1@example.org>", kind="foreign", subject="Hi",
        recipient="ann@example.org", size=7, created_at=now, expires_at=now + timedelta(days=1),
        state=EntryState.SENDING, changed_at=now + timedelta(1), next_attempt_at=now + timedelta(2),
        tries=3, doubts=1, only_route="custom", route="default",
        attempts=(Attempt(now, "custom", "connect.refused", "no"),),
        lease=Lease("me", "token", now + timedelta(3)), doubt_token="t", submitter="1000",
        untold=True, send_at=now + timedelta(4),
    )  # fmt: skip
    defaults = {each.name for each in fields(entry) if getattr(entry, each.name) == each.default}
    assert defaults == {"local"}  # which is said of a receipt, and not stored
    assert entry_of(stored_row(entry)) == entry
