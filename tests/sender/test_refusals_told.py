"""Stored emails that are refused later are told: bundled, within the hour, never in circles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import Notification, Sender
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import OutboxLimits, Query
from smtp_desk.sender.routes.route import DEFAULT
from tests.sender.test_sender import Office
from tests.sender.ways import CATALOGUE, Way, failing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADMIN = "it@example.org"
URL = "jsons://example.org/hook"


@pytest.fixture
def office(tmp_path: Path, sent: list[tuple[str, str]]) -> Iterator[Office]:
    office = Office(tmp_path, alerts=URL)
    office.ways(Way(answer=refusing), Way(DEFAULT), tell=ADMIN)
    with office.sender:
        yield office


def refusing(recipient: str) -> str:
    return "recipient.unknown" if recipient.startswith("gone") else ""


def queue(office: Office, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        office.sender.queue(
            Notification(to=f"gone{number}@example.org", title=f"No. {number}", body="x")
        )


def told(office: Office) -> list[str]:
    """The text of each notice, oldest first."""
    entries = office.outbox.page(Query(recipient=ADMIN)).entries
    return [office.outbox.message(entry.id).payload.decode() for entry in reversed(entries)]


def pass_time(office: Office, minutes: int) -> None:
    """Let a worker run that long."""
    for _ in range(minutes):
        office.clock.turn(minutes=1)
        office.sender.drain()


def test_five_hundred_refusals_are_one_message(office: Office, sent: list[tuple[str, str]]) -> None:
    for minute in range(10):
        queue(office, 50, 50 * minute)
        pass_time(office, 1)
    assert told(office) == []
    pass_time(office, 50)
    (text,) = told(office)
    assert "500 stored emails were permanently refused" in text
    assert text.count("gone") == 2 * 20, "as text and as HTML"
    assert "and 480 more" in text
    ((title, body),) = sent
    assert title == "Stored emails were refused"
    assert "500 ×" in body
    assert "@" not in body
    assert office.outbox.counts(Query(untold=True)).total == 0


def test_each_is_told_within_an_hour_and_at_most_one_mail_an_hour_comes(office: Office) -> None:
    for hour in range(4):
        queue(office, 1, 2 * hour)
        pass_time(office, 20)
        queue(office, 1, 2 * hour + 1)
        pass_time(office, 40)
        refused = office.outbox.page(Query(untold=True)).entries
        now = office.clock()
        assert all((now - entry.changed_at).total_seconds() <= 3600 for entry in refused)
    assert 3 <= len(told(office)) <= 5


def test_many_emails_since_the_last_mail_bring_no_other(office: Office) -> None:
    """What was told last is found behind them, slice by slice."""
    office.outbox._limits = OutboxLimits(searched=3)
    queue(office, 1)
    pass_time(office, 12)
    assert len(told(office)) == 1
    for number in range(20):
        office.sender.queue(Notification(to=f"{number}@example.org", title="x", body="x"))
    queue(office, 1, 1)
    pass_time(office, 30)
    assert len(told(office)) == 1
    pass_time(office, 30)
    assert len(told(office)) == 2


def test_a_refused_notice_is_never_told(office: Office, sent: list[tuple[str, str]]) -> None:
    """Not even once it was put off, and a worker took it up."""
    answers = iter(["message.temporary"])

    def answer(recipient: str) -> str:
        if recipient == ADMIN:
            return next(answers, "recipient.unknown")
        return refusing(recipient)

    office.ways(Way(answer=answer), tell=ADMIN)
    queue(office, 1)
    pass_time(office, 300)
    entries = office.outbox.page(Query(text=ADMIN)).entries
    assert [entry.state for entry in entries] == [EntryState.REFUSED]
    assert len(sent) == 1
    assert office.outbox.counts(Query(untold=True)).total == 0


def test_an_outage_is_an_alert_too(office: Office, sent: list[tuple[str, str]]) -> None:
    office.ways(failing("connect.refused"), Way(DEFAULT), tell=ADMIN)
    office.sender.send(Notification(to="ann@example.org", title="x", body="x"))
    ((title, body),) = sent
    assert title == "Your SMTP server is unavailable"
    assert "@" not in body


def test_who_has_the_receipt_is_told_nothing_more(office: Office) -> None:
    office.sender.send(Notification(to="gone@example.org", title="x", body="x"))
    list(office.sender.send_many([Notification(to="gone@example.org", title="x", body="x")]))
    pass_time(office, 90)
    assert told(office) == []


def test_what_was_queued_by_send_and_refused_later_is_told(office: Office) -> None:
    answers = iter(["message.temporary"])
    office.ways(Way(answer=lambda _recipient: next(answers, "recipient.unknown")))
    office.sender.send(Notification(to="gone@example.org", title="x", body="x"))
    office.ways(Way(answer=refusing), Way(DEFAULT), tell=ADMIN)
    pass_time(office, 90)
    (text,) = told(office)
    assert "1 stored email was permanently refused" in text


def test_with_nobody_to_tell_nothing_piles_up(office: Office, tmp_path: Path) -> None:
    office.ways(Way(answer=refusing))
    with Sender(
        office.outbox, office.health, office.source, Templates(tmp_path), CATALOGUE,
        clock=office.clock,
    ) as sender:  # fmt: skip
        queue(office, 2)
        sender.drain()
        office.clock.turn(minutes=11)
        sender.drain()
    assert office.outbox.counts(Query(untold=True)).total == 0
    assert office.outbox.counts().total == 2


def test_retried_and_dropped_ones_are_told_of_nowhere(office: Office) -> None:
    queue(office, 2)
    office.sender.drain()
    one, two = office.outbox.page().entries
    office.outbox.drop(one.id)
    assert office.outbox.counts(Query(untold=True)).total == 1
    office.outbox.retry(two.id)
    assert office.outbox.counts(Query(untold=True)).total == 0
