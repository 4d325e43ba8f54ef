"""Volume: what is taken, stored and sent when, and what becomes of it if the caller stops."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.sender import EmailError, KeyedEmail, KeyReusedError, Notification, Status
from smtp_desk.sender.outbox.entries import EntryState, SendingKey
from smtp_desk.sender.outbox.outbox import Query
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM, Routes, Upcoming, nothing_upcoming
from smtp_desk.sender.worker import CONNECTIONS
from tests.sender.post_office import mail
from tests.sender.test_sender import Office
from tests.sender.ways import ACCEPTED, Way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smtp_desk.sender import AnyEmail
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


def keyed(*numbers: int, body: str = "Hello") -> list[KeyedEmail]:
    return [
        KeyedEmail(Notification(to=f"p{number}@example.org", title="Hi", body=body), f"hi-{number}")
        for number in numbers
    ]


def test_an_email_with_a_known_key_is_not_sent_again(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    single = office.sender.send(keyed(2)[0].email, key="hi-2")
    first = list(office.sender.send_many(keyed(1, 2, 3)))
    assert first[1] == single
    mixed: list[AnyEmail | KeyedEmail] = [*keyed(4, 3), mail(9), *keyed(2, 1)]
    again = list(office.sender.send_many(mixed))
    assert [again[1], again[3], again[4]] == [first[2], first[1], first[0]]
    assert sorted(each for _, each in custom.given) == [
        *(each.recipient for each in again[2].recipients),
        *(f"p{number}@example.org" for number in range(1, 5)),
    ]
    assert list(office.sender.send_many(keyed(1, 2, 3, 4)))[3] == again[0]


def test_after_a_run_that_ended_half_way_the_rest_is_sent(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    for receipt in office.sender.send_many(keyed(*range(150))):
        assert receipt.recipients[0].status is Status.ACCEPTED
        break
    assert len(custom.given) == 100
    receipts = list(office.sender.send_many(keyed(*range(150))))
    assert [each.recipients[0].recipient for each in receipts] == [
        f"p{number}@example.org" for number in range(150)
    ]
    assert len(custom.given) == len({recipient for _, recipient in custom.given}) == 150


def test_one_key_twice_in_a_group_is_one_email(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    both = Notification(to=("ann@example.org", "bo@example.org"), title="Hi", body="Hello")
    turned = Notification(to=both.recipients[::-1], title="Hi", body="Hello")
    first, again = office.sender.send_many([KeyedEmail(both, "a"), KeyedEmail(turned, "a")])
    assert first.message_id == again.message_id
    assert [each.recipient for each in again.recipients] == list(turned.recipients)
    assert {each.status for each in again.recipients} == {Status.ACCEPTED}
    assert len(custom.given) == 2


@pytest.mark.parametrize("before", [True, False], ids=["of another call", "of the same group"])
def test_a_key_of_another_email_stops_its_group(office: Office, *, before: bool) -> None:
    custom = Way()
    office.ways(custom)
    if before:
        list(office.sender.send_many(keyed(2)))
    wrong = [*keyed(1, 2), *keyed(2, body="Good-bye")]
    with pytest.raises(KeyReusedError):
        list(office.sender.send_many(wrong))
    assert [each for _, each in custom.given] == ["p2@example.org"] * before


def test_what_is_no_key_for_an_email_of_many(office: Office) -> None:
    with pytest.raises(EmailError, match="key"):
        list(office.sender.send_many([*keyed(1), KeyedEmail(mail(1), " ")]))
    assert office.outbox.counts().total == 0


def test_a_message_that_is_due_later_waits_with_its_key(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    wanted = office.clock() + timedelta(hours=1)
    later = replace(mail(1), send_at=wanted, key=SendingKey("a", "b"))
    waiting, sent = office.sender.send_many([later, mail(2)])
    assert {each.status for each in waiting.recipients} == {Status.QUEUED}
    assert {each.status for each in sent.recipients} == {Status.ACCEPTED}
    assert {message_id for message_id, _ in custom.given} == {sent.message_id}
    assert office.sender.send(later) == waiting
    assert office.sender.queue(later, send_at=wanted + timedelta(hours=1)) == waiting
    assert {each.send_at for each in office.outbox.page(Query(key="a")).entries} == {wanted}
