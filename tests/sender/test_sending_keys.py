"""One email for one key, whoever asks again: a thread, a process, or one after a crash."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import (
    Attachment,
    EmailError,
    Invitation,
    KeyedEmail,
    KeyReusedError,
    Message,
    Notification,
    Status,
)
from smtp_desk.sender.mail.content_digest import content_digest
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.entries import OutboxMessage, SendingKey
from smtp_desk.sender.outbox.outbox import KeyKnownError, OutboxLimits
from smtp_desk.sender.routes.route import DEFAULT
from smtp_desk.sender.storage import open_storage, outbox_limits
from smtp_desk.store.credentials import MemoryCredentials
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from tests.sender.outboxes import TurnedClock, message
from tests.sender.post_office import PostOffice, opened
from tests.sender.ways import Way, failing

if TYPE_CHECKING:
    from smtp_desk.sender import AnyEmail

NEWS = Notification(to="ann@example.org", title="Paid", body="We got it.")
BOTH = Notification(to=("ann@example.org", "bo@example.org"), title="Paid", body="We got it.")


def keyed() -> OutboxMessage:
    return replace(message(), key=SendingKey("order-1", "what it says"))


def test_a_second_call_sends_nothing_and_returns_the_first_receipt(
    office: PostOffice, way: Way
) -> None:
    first = office.sender.send(BOTH, key="order-1")
    assert office.sender.send(BOTH, key="order-1") == first
    assert office.sender.queue(BOTH, key="order-1") == first
    assert [each.status for each in first.recipients] == [Status.ACCEPTED] * 2
    assert len(way.given) == 2
    assert len(office.entries) == 2


def test_the_order_of_the_recipients_is_no_matter(office: PostOffice, way: Way) -> None:
    first = office.sender.send(BOTH, key="order-1")
    turned = Notification(to=BOTH.recipients[::-1], title="Paid", body="We got it.")
    again = office.sender.send(turned, key="order-1")
    assert [each.recipient for each in again.recipients] == list(turned.recipients)
    assert set(again.recipients) == set(first.recipients)
    assert len(way.given) == 2


def test_another_key_or_none_is_another_email(office: PostOffice, way: Way) -> None:
    ids = {office.sender.send(NEWS, key=key).message_id for key in ("a", "b", None, None)}
    assert len(ids) == 4
    assert len(way.given) == 4


def test_what_was_queued_is_what_came_of_it_since(office: PostOffice) -> None:
    queued = office.sender.queue(NEWS, key="order-1")
    assert [each.status for each in queued.recipients] == [Status.QUEUED]
    office.sender.drain()
    again = office.sender.send(NEWS, key="order-1")
    assert again.message_id == queued.message_id
    assert [each.status for each in again.recipients] == [Status.ACCEPTED]


@pytest.mark.parametrize(
    "other",
    [
        Notification(to="ann@example.org", title="Paid", body="We got it!"),
        Notification(to="bo@example.org", title="Paid", body="We got it."),
        BOTH,
        Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join"),
    ],
)
def test_a_key_for_another_email_is_an_error(office: PostOffice, way: Way, other: AnyEmail) -> None:
    first = office.sender.send(NEWS, key="order-1")
    with pytest.raises(KeyReusedError) as caught:
        office.sender.send(other, key="order-1")
    with pytest.raises(KeyReusedError):
        office.sender.queue(other, key="order-1")
    assert caught.value.message_id == first.message_id
    assert len(way.given) == 1


@pytest.mark.parametrize("key", ["", " \n", b"order-1", 4711])
def test_what_is_no_key(office: PostOffice, key: object) -> None:
    with pytest.raises(EmailError, match="key"):
        office.sender.send(NEWS, key=key)  # type: ignore[arg-type]
    assert not office.entries


def test_a_key_may_be_of_any_length_and_is_not_kept(office: PostOffice, tmp_path: Path) -> None:
    for key in ("welcome-ann@example.org" * 1000, "\ud800 broken", "ключ"):
        office.sender.send(NEWS, key=key)
        office.sender.send(NEWS, key=key)
    assert len(office.entries) == 3
    stored = b"".join(each.read_bytes() for each in tmp_path.iterdir() if each.is_file())
    assert b"welcome-ann" not in stored


def test_a_refused_or_waiting_email_is_not_sent_anew_either(tmp_path: Path) -> None:
    way = failing("recipient.unknown")
    with opened(tmp_path, way) as office:
        for _ in range(2):
            receipt = office.sender.send(NEWS, key="order-1")
            (ann,) = receipt.recipients
            assert (ann.status, ann.finding and ann.finding.code) == (
                Status.REFUSED,
                "recipient.unknown",
            )
    assert len(way.sent) == 1


def test_why_the_custom_server_did_not_take_it_is_told_again(tmp_path: Path) -> None:
    with opened(tmp_path, failing("connect.refused"), Way(DEFAULT)) as office:
        first = office.sender.send(NEWS, key="order-1")
        again = office.sender.send(NEWS, key="order-1")
    assert first.fallback is not None
    assert again.fallback is not None
    assert (again.fallback.code, again.route) == (first.fallback.code, DEFAULT)


def test_who_was_erased_since_is_uncertain(office: PostOffice) -> None:
    first = office.sender.send(BOTH, key="order-1")
    SqliteControl(office.outbox._database).erase([first.recipients[0].entry_id])
    again = office.sender.send(BOTH, key="order-1")
    assert [(each.recipient, each.status) for each in again.recipients] == [
        ("ann@example.org", Status.UNCERTAIN),
        ("bo@example.org", Status.ACCEPTED),
    ]


def test_threads_that_ask_at_once_send_one(office: PostOffice, way: Way) -> None:
    ids: list[str] = []
    start = threading.Barrier(6)

    def ask() -> None:
        start.wait()
        ids.append(office.sender.send(NEWS, key="order-1").message_id)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == len(way.given) == len(office.entries) == 1


_DIES = """
import os, sys
from pathlib import Path
from tests.sender.post_office import opened
from tests.sender.test_sending_keys import NEWS
from tests.sender.ways import Way

with opened(Path(sys.argv[1]), Way(answer=lambda _recipient: os._exit(7))) as office:
    office.sender.send(NEWS, key="order-1")
"""


def test_after_a_crash_the_email_is_the_worker_s(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)], check=False, timeout=60)
    assert died.returncode == 7
    way, clock = Way(), TurnedClock()
    with opened(tmp_path, way, clock=clock) as office:
        receipt = office.sender.send(NEWS, key="order-1")
        assert [each.status for each in receipt.recipients] == [Status.QUEUED]
        assert way.given == []
        clock.turn(minutes=11)  # the lease of the process that died
        assert office.sender.drain() == 1
        again = office.sender.send(NEWS, key="order-1")
    assert way.given == [(receipt.message_id, "ann@example.org")]
    assert [each.status for each in again.recipients] == [Status.ACCEPTED]


@pytest.mark.parametrize(("text", "days"), [("keep_keys_days = 30", 30), ("", 7), ("broken", 7)])
def test_a_person_says_how_long_keys_are_known(tmp_path: Path, text: str, days: int) -> None:
    paths = Paths.below(tmp_path)
    paths.settings_file.parent.mkdir(parents=True, mode=0o700)
    paths.settings_file.write_text(f"schema = 2\nenabled = false\n{text}\n", "utf-8")
    limits = outbox_limits(SettingsStore(paths, MemoryCredentials()))
    assert limits == OutboxLimits(keys_for=timedelta(days=days))
    clock = TurnedClock()
    storage = open_storage(paths.outbox_file, clock=clock, limits=limits)
    storage.outbox.add([keyed()])
    clock.turn(days=days)
    storage.outbox.prune()
    with pytest.raises(KeyKnownError):
        storage.outbox.add([keyed()])
    clock.turn(seconds=1)
    storage.outbox.prune()
    storage.outbox.add([keyed()])
    storage.close()


@pytest.mark.parametrize(("text", "days"), [("keep_emails_days = 3", 3), ("", 30), ("broken", 30)])
def test_a_person_says_how_long_emails_are_kept(tmp_path: Path, text: str, days: int) -> None:
    """After that nothing of their contents is left in the files."""
    paths = Paths.below(tmp_path)
    paths.settings_file.parent.mkdir(parents=True, mode=0o700)
    paths.settings_file.write_text(f"schema = 2\nenabled = false\n{text}\n", "utf-8")
    limits = outbox_limits(SettingsStore(paths, MemoryCredentials()))
    clock = TurnedClock()

    def left() -> bytes:
        return b"".join(each.read_bytes() for each in paths.outbox_file.parent.iterdir())

    storage = open_storage(paths.outbox_file, clock=clock, limits=limits)
    secret = replace(message("ann@example.org"), payload=b"what nobody else may read")
    (entry,) = storage.outbox.add([secret])
    storage.outbox.drop(entry.id)
    clock.turn(days=days)
    assert storage.outbox.prune() == 0
    assert storage.outbox.message(entry.id).payload == secret.payload
    assert secret.payload in left()
    clock.turn(seconds=1)
    assert storage.outbox.prune() == 1
    storage.close()
    assert secret.payload not in left()


def test_what_came_of_it_is_on_the_disk_before_the_call_returns(office: PostOffice) -> None:
    database = office.outbox._database
    office.sender.send(NEWS)
    assert database._written_at is not None  # within the second
    office.sender.send(NEWS, key="order-1")
    assert database._written_at is None


def test_a_key_costs_no_commit_more(office: PostOffice) -> None:
    database = office.outbox._database

    def commits(key: str | None) -> int:
        before = database.commits
        office.sender.send(NEWS, key=key)
        return database.commits - before

    assert commits("order-1") == commits(None)


def test_a_group_with_keys_costs_no_commit_more(office: PostOffice) -> None:
    database = office.outbox._database

    def commits(*emails: AnyEmail | KeyedEmail) -> int:
        before = database.commits
        for _ in office.sender.send_many(emails):
            pass
        return database.commits - before

    def stored(*emails: AnyEmail | KeyedEmail) -> int:
        """How many commits store them; nothing is sent while sending is paused."""
        SqliteControl(database).pause()
        return commits(*emails)

    keyed = [KeyedEmail(NEWS, str(number)) for number in range(20)]
    assert stored(*keyed) == stored(*[NEWS] * 20)
    assert commits(*keyed) <= 1  # of what is undone


def _mime(**parts: object) -> EmailMessage:
    message = EmailMessage()
    message["To"], message["Subject"] = "ann@example.org", parts.get("subject", "Hi")
    message.set_content(str(parts.get("text", "Hello")))
    message.add_alternative("<p>Hello</p>", subtype="html")
    message.add_attachment(
        str(parts.get("file", "x")).encode(), "application", "pdf", filename="a.pdf"
    )
    return message


def test_the_same_message_of_the_standard_library_says_the_same() -> None:
    first, second = _mime(), _mime()
    second["Date"], second["Message-ID"] = "Mon, 02 Mar 2026 10:00:00 +0000", "<2@example.org>"
    first.as_bytes()  # sets its boundaries
    assert content_digest(first) == content_digest(second)
    others = [_mime(subject="Ho"), _mime(text="Hallo"), _mime(file="y")]
    assert len({content_digest(each) for each in (first, *others)}) == 4


def test_an_attachment_is_a_part_of_what_is_said() -> None:
    def news(content: bytes) -> Message:
        return Message(
            to="ann@example.org",
            subject="Rates",
            body="New ones.",
            audience="affiliates",
            attachments=[Attachment("rates.pdf", content)],
        )

    assert content_digest(news(b"1")) == content_digest(news(b"1"))
    assert content_digest(news(b"1")) != content_digest(news(b"2"))
