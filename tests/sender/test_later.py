"""Emails that are sent later, what came of an email, and receipts that raise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import EmailError, EmailRefusedError, Notification, Receipt, Status
from tests.sender.post_office import PostOffice, opened
from tests.sender.ways import UNCERTAIN, Way

if TYPE_CHECKING:
    from pathlib import Path

NEWS = Notification(to="ann@example.org", title="Tomorrow", body="Don’t forget.")


def test_an_email_is_sent_when_it_is_wanted(office: PostOffice, way: Way) -> None:
    wanted = office.clock() + timedelta(days=3)
    receipt = office.sender.send(NEWS, send_at=wanted)
    assert [each.status for each in receipt.recipients] == [Status.QUEUED]
    office.clock.now = wanted - timedelta(seconds=1)
    assert office.sender.drain() == 0
    office.clock.now = wanted
    assert office.sender.drain() == 1
    assert way.given == [(receipt.message_id, "ann@example.org")]


def test_its_date_is_that_of_the_sending(office: PostOffice) -> None:
    wanted = office.clock() + timedelta(days=3)
    message = EmailMessage()
    message["To"] = "ann@example.org"
    for email in (NEWS, message):
        (told,) = office.sender.queue(email, send_at=wanted).recipients
        stored = office.outbox.message(told.entry_id)
        parsed = message_from_bytes(stored.payload, policy=policy.default)
        assert parsed["Date"].datetime == wanted


def test_one_that_was_to_be_sent_before_is_sent_now(office: PostOffice, way: Way) -> None:
    receipt = office.sender.send(NEWS, send_at=office.clock() - timedelta(days=400))
    assert [each.status for each in receipt.recipients] == [Status.ACCEPTED]
    assert len(way.given) == 1


def test_a_moment_of_another_zone(office: PostOffice) -> None:
    zone = timezone(timedelta(hours=14))
    office.sender.send(NEWS, send_at=(office.clock() + timedelta(hours=1)).astimezone(zone))
    (entry,) = office.entries
    assert entry.next_attempt_at == office.clock() + timedelta(hours=1)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 6, 1, 12),  # noqa: DTZ001 - that is what is wrong
        datetime(2027, 6, 1, 12, tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))),
        date(2026, 6, 1),
        "2026-06-01T12:00:00Z",
        1_780_000_000,
    ],
)
def test_what_is_no_moment_to_send_at(office: PostOffice, moment: object) -> None:
    with pytest.raises(EmailError, match="send_at"):
        office.sender.send(NEWS, send_at=moment)  # type: ignore[arg-type]
    with pytest.raises(EmailError, match="send_at"):
        office.sender.queue(NEWS, send_at=moment)  # type: ignore[arg-type]
    assert not office.entries


def test_the_first_moment_counts_for_a_key(office: PostOffice, way: Way) -> None:
    wanted = office.clock() + timedelta(days=1)
    first = office.sender.send(NEWS, key="reminder-1", send_at=wanted)
    assert office.sender.send(NEWS, key="reminder-1") == first
    assert way.given == []


def test_the_status_of_an_email(office: PostOffice, way: Way) -> None:
    queued = office.sender.queue(NEWS)
    assert office.sender.status(queued.message_id) == queued
    office.sender.drain()
    sent = office.sender.status(queued.message_id)
    assert sent is not None
    assert (sent.route, [each.status for each in sent.recipients]) == (way.name, [Status.ACCEPTED])
    assert office.sender.status("<nobody@example.org>") is None
    assert office.sender.status("") is None


def test_the_status_of_many_recipients(office: PostOffice) -> None:
    people = [f"p{number:03}@example.org" for number in range(450)]
    sent = office.sender.queue(Notification(to=people, title="Hi", body="Hello"))
    known = office.sender.status(sent.message_id)
    assert known is not None
    assert [each.recipient for each in known.recipients] == people


def test_the_status_of_a_message_id_that_a_program_uses_again(office: PostOffice) -> None:
    message = EmailMessage()
    message["To"], message["Message-ID"] = "ann@example.org", "<same@example.org>"
    office.sender.send(message)
    message.replace_header("To", "bo@example.org")
    office.sender.send(message)
    known = office.sender.status("<same@example.org>")
    assert known is not None
    assert [each.recipient for each in known.recipients] == ["bo@example.org"]


def test_what_is_under_way_and_what_is_uncertain(tmp_path: Path) -> None:
    way, seen = Way(), list[Receipt | None]()
    with opened(tmp_path, way) as office:

        def answer(_recipient: str) -> str:
            (entry,) = office.entries
            seen.append(office.sender.status(entry.message_id))
            return UNCERTAIN

        way.answer = answer
        receipt = office.sender.send(NEWS)
        after = office.sender.status(receipt.message_id)
    assert [each.recipients[0].status for each in seen if each] == [Status.QUEUED]
    assert after is not None
    assert after.recipients[0].status is Status.QUEUED  # its one re-send


def test_a_receipt_raises_where_somebody_was_refused(tmp_path: Path) -> None:
    way = Way(answer=lambda to: "recipient.unknown" if to.startswith("bo") else "")
    both = Notification(to=("ann@example.org", "bo@example.org"), title="Hi", body="Hello")
    with opened(tmp_path, way) as office:
        receipt = office.sender.send(both)
        with pytest.raises(EmailRefusedError, match=r"1 of 2 recipients refused: ") as caught:
            receipt.raise_if_refused()
        assert caught.value.receipt is receipt
        assert "bo@" not in str(caught.value)
        office.sender.send(NEWS).raise_if_refused()
        office.sender.queue(both).raise_if_refused()
