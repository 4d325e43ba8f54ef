"""The sender that programs use in their own tests."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import Attachment, Invitation, Message, Notification, Sender, Status
from smtp_desk.sender.testing import MemorySender
from tests.sender.outboxes import TurnedClock

if TYPE_CHECKING:
    from pathlib import Path

INVITATION = Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")
BOTH = Notification(to=("ann@example.org", "bo@example.org"), title="Hi", body="Grüße")


def test_what_would_have_left_can_be_looked_at() -> None:
    sender = MemorySender()
    receipt = sender.send(INVITATION)
    (email,) = sender.sent
    assert (email.recipients, email.kind) == (("ann@example.org",), "invitation")
    assert (email["To"], email["From"]) == ("ann@example.org", "desk@example.org")
    assert (email["Message-ID"], email["X-None"]) == (receipt.message_id, "")
    assert "https://example.org/join" in email.text
    assert 'href="https://example.org/join"' in email.html
    receipt.raise_if_refused()


def test_each_recipient_of_a_kind_gets_an_email() -> None:
    sender = MemorySender(from_email="shop@example.com")
    sender.send(BOTH)
    assert {email.recipients for email in sender.sent} == {
        ("ann@example.org",), ("bo@example.org",),
    }  # fmt: skip
    assert {email["From"] for email in sender.sent} == {"shop@example.com"}
    assert all("Grüße" in email.text for email in sender.sent)


def test_a_message_of_the_standard_library_without_html() -> None:
    sender = MemorySender()
    message = EmailMessage()
    message["To"], message["Cc"] = "ann@example.org", "bo@example.org"
    message.set_content("Hello\n")
    sender.send(message)
    (email,) = sender.sent
    assert email.recipients == ("ann@example.org", "bo@example.org")
    assert (email.text, email.html) == ("Hello\n", "")


def test_an_attachment_is_there() -> None:
    sender = MemorySender()
    sender.send(
        Message(
            to="ann@example.org", subject="Rates", body="New ones.", audience="affiliates",
            attachments=[Attachment("rates.pdf", b"%PDF", "application/pdf")],
        )
    )  # fmt: skip
    (attached,) = sender.sent[0].message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("rates.pdf", b"%PDF")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("recipient.unknown", Status.REFUSED),
        ("recipient.greylisted", Status.QUEUED),
        ("connect.refused", Status.QUEUED),
        ("message.unconfirmed", Status.UNCERTAIN),
    ],
)
def test_one_recipient_fails(code: str, status: Status) -> None:
    sender = MemorySender()
    sender.fail("Bo@EXAMPLE.org".replace("Bo", "bo"), code)
    receipt = sender.send(BOTH)
    ends = {each.recipient: each for each in receipt.recipients}
    assert ends["bo@example.org"].status is status
    finding = ends["bo@example.org"].finding
    assert finding is not None
    assert finding.code == code
    assert all("bo@example.org" not in email.recipients for email in sender.sent)


def test_one_that_fails_no_more() -> None:
    sender = MemorySender()
    sender.fail("ann@example.org")
    assert sender.send(INVITATION).refused
    sender.fail("ann@example.org", "")
    assert not sender.send(INVITATION).refused
    assert len(sender.sent) == 1


def test_a_finding_that_there_is_not() -> None:
    with pytest.raises(ValueError, match=r"recipient\.unkown"):
        MemorySender().fail("ann@example.org", "recipient.unkown")


def test_the_rest_of_the_api_works_as_ever() -> None:
    clock = TurnedClock()
    with MemorySender(clock) as sender:
        first = sender.send(INVITATION, key="a", send_at=clock() + timedelta(days=1))
        assert sender.send(INVITATION, key="a") == first
        assert sender.sent == []
        clock.turn(days=1)
        assert sender.drain() == 1
        known = sender.status(first.message_id)
        assert known is not None
        assert known.recipients[0].status is Status.ACCEPTED
        assert len(list(sender.send_many([INVITATION] * 5))) == 5
    assert len(sender.sent) == 6


def test_a_program_that_opens_its_sender_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    sender: Sender = MemorySender()
    monkeypatch.setattr(Sender, "from_settings", lambda: sender)
    with Sender.from_settings() as opened:
        opened.send(INVITATION)
    assert sender is opened
    assert isinstance(MemorySender.from_settings(), MemorySender)


def test_nothing_is_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_DESK_HOME", str(tmp_path))
    MemorySender().send(INVITATION)
    assert list(tmp_path.iterdir()) == []


def test_what_is_taken_back_is_not_sent() -> None:
    clock = TurnedClock()
    sender = MemorySender(clock)
    sender.send(INVITATION, key="a", send_at=clock() + timedelta(days=1))
    taken_back = sender.cancel(key="a")
    assert taken_back is not None
    assert taken_back.cancelled
    clock.turn(days=2)
    assert sender.drain() == 0
    assert sender.sent == []
