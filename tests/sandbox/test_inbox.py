"""The inbox: bounded, told about, safe from every thread."""

import logging
import threading
from datetime import datetime, timedelta

import pytest

from smtp_desk.sandbox import inbox as inbox_module
from smtp_desk.sandbox.inbox import Inbox, ReceivedMail
from tests.sandbox.conftest import NOW


class Clock:
    """A minute later with each look at it."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        return NOW + timedelta(minutes=self.looks)


RAW = (
    b"From: bo@example.org\r\nSubject: Hello\r\nContent-Type: multipart/alternative; boundary=x\r\n"
    b"\r\n--x\r\n\r\ntext\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n"
    b"--x\r\nContent-Type: image/png; name=a.png\r\n\r\n\r\n--x--\r\n"
)


def test_a_mail_as_it_is_kept() -> None:
    inbox = Inbox(Clock())
    mail = inbox.add("bo@example.org", ["ann@example.org", "cy@example.org"], RAW)
    assert (mail.number, mail.received_at) == (1, NOW + timedelta(minutes=1))
    assert mail.envelope_from == "bo@example.org"
    assert mail.recipients == ("ann@example.org", "cy@example.org")
    assert mail.raw == RAW
    assert (mail.sender, mail.subject) == ("bo@example.org", "Hello")
    assert mail.headers[:2] == (("From", "bo@example.org"), ("Subject", "Hello"))
    assert (mail.text, mail.html, mail.attachments) == ("text", "<p>html</p>", ("a.png",))
    assert "text" not in repr(mail)
    assert inbox.mails() == (mail,)


def test_the_oldest_mails_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_MAILS", 3)
    inbox = Inbox(Clock())
    for _ in range(5):
        inbox.add("", [], b"")
    assert [mail.number for mail in inbox.mails()] == [3, 4, 5]
    assert len(inbox) == 3


def test_large_mails_make_room_too_but_the_newest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_BYTES", 10)
    inbox = Inbox(Clock())
    for size in (4, 4, 4, 11, 6, 4):
        inbox.add("", [], b"x" * size)
        kept = [len(mail.raw) for mail in inbox.mails()]
        assert kept[-1] == size
        assert sum(kept) <= max(10, size)
    assert [mail.number for mail in inbox.mails()] == [5, 6]


def test_cleared_is_as_new_but_for_the_listeners() -> None:
    inbox = Inbox(Clock())
    told: list[ReceivedMail] = []
    inbox.subscribe(told.append)
    inbox.add("", [], RAW)
    inbox.clear()
    assert inbox.mails() == ()
    assert inbox.add("", [], RAW).number == 1
    assert [mail.number for mail in told] == [1, 1]


def test_each_subscription_ends_for_itself() -> None:
    inbox = Inbox(Clock())
    told: list[ReceivedMail] = []
    end_first = inbox.subscribe(told.append)
    inbox.subscribe(told.append)
    inbox.add("", [], b"")
    end_first()
    end_first()
    inbox.add("", [], b"")
    assert [mail.number for mail in told] == [1, 1, 2]


def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox(Clock())
    told: list[ReceivedMail] = []

    def fail(mail: ReceivedMail) -> None:
        raise ValueError(mail.number)

    inbox.subscribe(fail)
    inbox.subscribe(told.append)
    inbox.add("", [], b"")
    assert len(told) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_listener_may_use_the_inbox() -> None:
    inbox = Inbox(Clock())
    seen: list[int] = []
    inbox.subscribe(lambda mail: seen.append(len(inbox.mails())))
    inbox.add("", [], b"")
    assert seen == [1]


def test_many_threads_lose_and_repeat_nothing() -> None:
    inbox = Inbox(Clock())
    threads = [
        threading.Thread(target=lambda: [inbox.add("", [], b"x") for _ in range(20)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(mail.number for mail in inbox.mails()) == list(range(1, 161))
