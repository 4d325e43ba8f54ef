"""Volume: what is taken, stored and sent when, and what becomes of it if the caller stops."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.sender import Status
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM, Routes, Upcoming, nothing_upcoming
from smtp_desk.sender.worker import CONNECTIONS
from tests.sender.post_office import mail
from tests.sender.test_sender import Office
from tests.sender.ways import ACCEPTED, Way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smtp_desk.sender.outbox.entries import OutboxMessage
    from smtp_desk.sender.receipts import Receipt
    from smtp_desk.sender.routes.route import RouteResult
    from smtp_desk.smtp.net.deadline import Deadline
    from smtp_desk.smtp.session.transaction import BeforeDot

MEBIBYTE: Final = 1024 * 1024


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    with office.sender:
        yield office


def mails(count: int, taken: list[int], body: bytes = b"") -> Iterator[OutboxMessage]:
    for number in range(count):
        taken.append(number)
        yield mail(number, (f"p{number}@example.org",), body)


def test_nothing_is_taken_before_the_first_receipt_is_asked_for(office: Office) -> None:
    taken: list[int] = []
    receipts = office.sender.send_many(mails(3, taken))
    assert (taken, office.outbox.counts().total) == ([], 0)
    assert len(list(receipts)) == 3


def test_a_caller_that_stops_half_way(office: Office) -> None:
    """The emails that were taken are sent; of the others nothing is stored."""
    custom, taken = Way(), list[int]()
    office.ways(custom)
    for number, receipt in enumerate(office.sender.send_many(mails(250, taken))):
        assert receipt.recipients[0].status is Status.ACCEPTED
        if number == 10:
            break
    assert len(taken) == len(custom.given) == 100
    assert {entry.state for entry in office.outbox.page().entries} == {EntryState.ACCEPTED}


def test_settings_that_are_saved_meanwhile_hold_for_the_next_email(office: Office) -> None:
    new, taken = Way(), list[int]()

    def answer(_recipient: str) -> str:
        office.ways(new)
        return "session.cancelled" if new.given else ACCEPTED

    old = Routes(custom=Way(answer=answer), current=lambda: office.source.now is old)
    office.source.now = old
    receipts = list(office.sender.send_many(mails(50, taken)))
    given = [receipt.recipients[0].status for receipt in receipts].count(Status.ACCEPTED)
    assert given >= len(receipts) - CONNECTIONS
    assert len(new.given) >= len(receipts) - CONNECTIONS


def test_a_source_of_emails_that_raises(office: Office) -> None:
    def some() -> Iterator[OutboxMessage]:
        yield from mails(150, [])
        raise LookupError("the list ends in nothing")

    custom = Way()
    office.ways(custom)
    receipts: list[Receipt] = []
    with pytest.raises(LookupError):
        receipts.extend(office.sender.send_many(some()))
    assert office.outbox.counts().total == len(custom.given) == 100


def test_large_emails_do_not_gather_in_memory(office: Office) -> None:
    office.ways(Way())
    taken: list[int] = []
    receipts = office.sender.send_many(mails(60, taken, b"x" * MEBIBYTE))
    next(receipts)
    assert len(taken) <= 17
    assert len(list(receipts)) == 59


class ClosedMeanwhile(Way):
    """A route in whose first transaction another thread closes the sender."""

    closing: threading.Thread
    first = threading.Lock()

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,
        upcoming: Upcoming = nothing_upcoming,
    ) -> tuple[RouteResult, ...]:
        if self.first.acquire(blocking=False):
            self.closing.start()
            self.closing.join(0.5)
        return super().send(message, recipients, before_dot, patience, upcoming)


def test_closed_by_another_thread_every_email_has_its_receipt(office: Office) -> None:
    """What is stored must not look like lost, or it is sent a second time by hand."""
    custom = ClosedMeanwhile()
    custom.closing = threading.Thread(target=office.sender.close)
    office.ways(custom)
    receipts = list(office.sender.send_many(mails(5, [])))
    custom.closing.join(10)
    assert [each.recipients[0].status for each in receipts] == [Status.ACCEPTED] * 5


def test_where_no_thread_is_to_be_had_the_emails_are_sent_one_by_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit of the machine: one process has no threads, and no email waits for that."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    custom = Way()
    office.ways(custom)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    receipts = list(office.sender.send_many(mails(5, [])))
    assert [each.recipients[0].status for each in receipts] == [Status.ACCEPTED] * 5
    assert office.sender.send(*mails(1, [])).recipients[0].status is Status.ACCEPTED
    assert len(custom.given) == 6
    assert isinstance(office.health.may_use(CUSTOM), Usable)


class Interrupted(Way):
    """A route in which somebody presses Ctrl-C."""

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,
        upcoming: Upcoming = nothing_upcoming,
    ) -> tuple[RouteResult, ...]:
        if "p1@" in recipients[0]:
            raise KeyboardInterrupt
        return super().send(message, recipients, before_dot, patience, upcoming)


def test_an_interrupt_loses_nothing_and_sends_nothing_twice(office: Office) -> None:
    custom = Interrupted()
    office.ways(custom)
    with pytest.raises(KeyboardInterrupt):
        office.sender.send(mail(1, ("p1@example.org",)))
    with pytest.raises(KeyboardInterrupt):
        list(office.sender.send_many(mails(20, [])))
    later = Way()
    office.ways(later)
    office.clock.turn(minutes=11)
    office.sender.drain()
    given = [recipient for _, recipient in (*custom.given, *later.given)]
    assert sorted(given) == sorted(["p1@example.org", *(f"p{n}@example.org" for n in range(20))])
