"""The sender as programs call it."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from dataclasses import is_dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, get_args, get_type_hints

import pytest

import smtp_desk.sender
from smtp_desk.core.secret import Secret
from smtp_desk.sender import (
    EmailError,
    Invitation,
    Message,
    MessageTooLargeError,
    Notification,
    OutboxUnavailableError,
    RecipientReceipt,
    Sender,
    Status,
)
from smtp_desk.sender.mail.addressing import FOREIGN
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.outbox.outbox import OutboxLimits
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox, MemorySender, SentEmail
from smtp_desk.smtp.net.deadline import Cancel
from tests.sender.outboxes import TurnedClock
from tests.sender.post_office import FixedRoutes
from tests.sender.ways import CATALOGUE, Way, failing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from smtp_desk.sender import Email
    from smtp_desk.sender.routes.route import Route

INVITATION = Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")


class Office:
    """A sender over an outbox in memory."""

    def __init__(
        self, folder: Path, limits: OutboxLimits | None = None, *, alerts: str = ""
    ) -> None:
        self.clock = TurnedClock()
        self.outbox = MemoryOutbox(self.clock, limits)
        self.health = MemoryHealth(self.clock)
        self.source = FixedRoutes(Routes())
        self.sender = Sender(
            self.outbox,
            self.health,
            self.source,
            Templates(folder),
            CATALOGUE,
            clock=self.clock,
            random=lambda: 0.0,
            alerts=lambda: Secret(alerts),
        )

    def ways(self, custom: Route | None, default: Route | None = None, tell: str = "") -> None:
        self.source.now = Routes(
            custom=custom,
            default=default,
            from_email="desk@example.org",
            company_name="Example",
            notify=tell,
        )


@pytest.fixture
def make(tmp_path: Path) -> Callable[[OutboxLimits], Office]:
    return lambda limits: Office(tmp_path, limits)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    with office.sender:
        yield office


def test_the_names_of_the_last_release_still_work() -> None:
    with pytest.warns(DeprecationWarning, match="Status"):
        assert smtp_desk.sender.Fate is smtp_desk.sender.Status
    receipt = RecipientReceipt("ann@example.org", Status.ACCEPTED)
    with pytest.warns(DeprecationWarning, match="status"):
        assert receipt.fate is Status.ACCEPTED


def test_the_public_names_are_pinned() -> None:
    assert smtp_desk.sender.__all__ == [
        "AnyEmail",
        "AsyncSender",
        "Attachment",
        "Cancel",
        "CredentialsUnavailableError",
        "Email",
        "EmailError",
        "EmailRefusedError",
        "Finding",
        "FindingSeverity",
        "Invitation",
        "KeyReusedError",
        "KeyedEmail",
        "Message",
        "MessageTooLargeError",
        "Notification",
        "OutboxError",
        "OutboxFullError",
        "OutboxMessage",
        "OutboxUnavailableError",
        "Receipt",
        "RecipientReceipt",
        "Remedy",
        "Reply",
        "Scope",
        "Sender",
        "SendingKey",
        "Stage",
        "Status",
        "WelcomeAdvertiser",
        "WelcomeAffiliate",
        "Who",
    ]
    for name in smtp_desk.sender.__all__:
        assert getattr(smtp_desk.sender, name).__doc__, f"{name} has no docstring"


def named(hint: object) -> Iterator[type]:
    """The classes of ours in an annotation."""
    if isinstance(hint, type) and hint.__module__.startswith("smtp_desk."):
        yield hint
    for each in get_args(hint):
        yield from named(each)


def signatures(public: type) -> Iterator[object]:
    """All annotations of what a program may use of a class."""
    if is_dataclass(public):
        yield from get_type_hints(public).values()
    for name, member in inspect.getmembers(public):
        what = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and inspect.isroutine(what):
            yield from get_type_hints(what).values()


def test_every_type_in_a_public_signature_is_public() -> None:
    public = {getattr(smtp_desk.sender, name) for name in smtp_desk.sender.__all__}
    for each in [*public, MemorySender, SentEmail]:
        if isinstance(each, type):
            used = {found for hint in signatures(each) for found in named(hint)}
            assert used - {SentEmail} <= public, each


def test_an_email_that_is_accepted(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    receipt = office.sender.send(INVITATION)
    assert receipt.message_id.endswith("@example.org>")
    assert receipt.route == CUSTOM
    assert not receipt.refused
    assert [(each.recipient, each.status) for each in receipt.recipients] == [
        ("ann@example.org", Status.ACCEPTED)
    ]
    (entry,) = office.outbox.page().entries
    assert receipt.recipients[0].entry_id == entry.id
    assert (entry.state, entry.kind, entry.message_id) == (
        EntryState.ACCEPTED,
        "invitation",
        receipt.message_id,
    )
    stored = message_from_bytes(office.outbox.message(entry.id).payload, policy=policy.default)
    assert "Bo" in str(stored["Subject"]) + stored.as_string()


def test_each_recipient_gets_a_message_of_its_own(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    people = tuple(f"p{number}@example.org" for number in range(1000))
    receipt = office.sender.send(
        Message(to=people, subject="News", body="Hello", audience="affiliates")
    )
    assert [each.recipient for each in receipt.recipients] == list(people)
    assert {recipients for _, recipients in custom.sent} == {(person,) for person in people}
    assert {message_id for message_id, _ in custom.sent} == {receipt.message_id}


def test_a_receipt_says_why_another_route_took_it(office: Office) -> None:
    office.ways(failing("auth.rejected"), Way(DEFAULT))
    receipt = office.sender.send(INVITATION)
    assert receipt.route == DEFAULT
    assert receipt.fallback is not None
    assert receipt.fallback.code == "auth.rejected"
    assert receipt.recipients[0].finding == receipt.fallback


def test_queue_stores_and_touches_no_route(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    receipt = office.sender.queue(INVITATION)
    assert receipt.recipients[0].status is Status.QUEUED
    assert not custom.sent
    assert office.sender.drain() == 1
    assert custom.given == [(receipt.message_id, "ann@example.org")]


def test_many_keep_their_order_and_are_stored_in_groups(office: Office) -> None:
    custom = Way(answer=lambda who: "recipient.unknown" if who.startswith("p7@") else "")
    office.ways(custom)
    stored: list[int] = []

    def emails() -> Iterator[Email]:
        for number in range(250):
            stored.append(office.outbox.counts().total)
            yield Notification(to=f"p{number}@example.org", title="T", body="B")

    receipts = list(office.sender.send_many(emails()))
    assert [each.recipients[0].recipient for each in receipts] == [
        f"p{number}@example.org" for number in range(250)
    ]
    assert sorted(set(stored)) == [0, 100, 200]
    assert [each.refused for each in receipts].index(True) == 7
    assert len({each.message_id for each in receipts}) == 250


def test_many_threads_may_use_one_sender(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    threads = [threading.Thread(target=office.sender.send, args=(INVITATION,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(custom.given) == 20


def test_a_foreign_message_goes_in_one_transaction_of_at_most_100(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    people = tuple(f"p{number}@example.org" for number in range(250))
    message = OutboxMessage(
        message_id="<1@example.org>", kind=FOREIGN, payload=b"Subject: x\r\n\r\n", recipients=people
    )
    receipt = office.sender.send(message)
    assert sorted(len(recipients) for _, recipients in custom.sent) == [50, 100, 100]
    assert [each.recipient for each in receipt.recipients] == list(people)


def test_an_email_that_can_not_be_stored_is_not_sent(
    make: Callable[[OutboxLimits], Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = make(OutboxLimits(message_octets=100))
    custom = Way()
    office.ways(custom)
    with pytest.raises(MessageTooLargeError):
        office.sender.send(INVITATION)

    def broken(*_args: object) -> None:
        raise OutboxUnavailableError("the disk is full")

    monkeypatch.setattr(office.outbox, "add_claimed", broken)
    with pytest.raises(OutboxUnavailableError, match="the disk is full"):
        office.sender.send(INVITATION)
    assert not custom.sent


def test_own_templates_that_are_broken_are_told_and_not_used(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    office.ways(Way())
    (tmp_path / "invitation.html").write_text("{% broken", "utf-8")
    assert office.sender.send(INVITATION).route == CUSTOM
    assert "invitation" in caplog.text


def subjects(office: Office, address: str) -> list[str]:
    entries = [entry for entry in office.outbox.page().entries if entry.recipient == address]
    return [entry.subject for entry in reversed(entries)]


def test_people_are_told_once_when_an_outage_begins_and_ends(office: Office) -> None:
    custom, default = failing("connect.refused"), Way(DEFAULT)
    office.ways(custom, default, tell="it@example.org")
    for _ in range(5):
        office.sender.send(INVITATION)
    assert subjects(office, "it@example.org") == ["Your SMTP server is unavailable"]
    custom.probes = [""]
    office.clock.turn(minutes=1)
    office.sender.drain()
    assert subjects(office, "it@example.org") == [
        "Your SMTP server is unavailable",
        "Your SMTP server is available again",
    ]
    told = [recipient for _, recipient in default.given if recipient == "it@example.org"]
    assert len(told) == 2, "both by the default email service"
    assert not [who for _, recipients in custom.sent for who in recipients if who.startswith("it")]


@pytest.mark.parametrize(("code", "alarm"), [("tls.not_offered", True), ("tls.expired", False)])
def test_what_can_be_an_attack_raises_an_alarm(office: Office, code: str, *, alarm: bool) -> None:
    office.ways(failing(code), Way(DEFAULT), tell="it@example.org")
    office.sender.send(INVITATION)
    (entry,) = (each for each in office.outbox.page().entries if each.kind == "notification")
    assert (b"ALARM: " in office.outbox.message(entry.id).payload) is alarm


def test_nobody_is_told_later_of_what_nobody_wanted_to_know(office: Office) -> None:
    custom, default = failing("connect.refused"), Way(DEFAULT)
    office.ways(custom, default)
    office.sender.send(INVITATION)
    office.ways(custom, default, tell="it@example.org")
    office.sender.send(INVITATION)
    assert subjects(office, "it@example.org") == []


def test_people_are_told_of_emails_that_nobody_confirms(office: Office) -> None:
    office.ways(failing("message.unconfirmed"), Way(DEFAULT), tell="it@example.org")
    for _ in range(4):
        office.sender.send(INVITATION)
    assert subjects(office, "it@example.org") == ["Your SMTP server doesn’t confirm emails"]


def test_closing_closes_the_routes(tmp_path: Path) -> None:
    office = Office(tmp_path)
    custom = Way()
    office.ways(custom)
    closed: list[bool] = []
    office.source.close = lambda: closed.append(True)  # type: ignore[method-assign]
    with office.sender:
        office.sender.send(INVITATION)
    assert closed == [True]


def test_a_cancelled_drain_ends(office: Office) -> None:
    cancel = Cancel()
    office.ways(Way())
    worker = threading.Thread(target=office.sender.drain, args=(cancel,), kwargs={"once": False})
    worker.start()
    cancel.cancel()
    worker.join(10)
    assert not worker.is_alive()


def test_a_message_of_the_standard_library(office: Office) -> None:
    custom = Way()
    office.ways(custom)
    message = EmailMessage()
    message["To"], message["Bcc"], message["Subject"] = "ann@example.org", "bo@example.org", "Hi"
    message.set_content("Hello")
    receipt = office.sender.send(message)
    assert custom.sent == [(receipt.message_id, ("ann@example.org", "bo@example.org"))]
    queued = office.sender.queue(message)
    assert {each.status for each in queued.recipients} == {Status.QUEUED}
    (many,) = office.sender.send_many([message])
    assert len({receipt.message_id, queued.message_id, many.message_id}) == 3


def test_a_message_of_the_standard_library_that_is_too_large(
    make: Callable[[OutboxLimits], Office],
) -> None:
    office = make(OutboxLimits(message_octets=100_000))
    message = EmailMessage()
    message["To"] = "ann@example.org"
    message.add_attachment(bytes(100_000), "application", "pdf", filename="a.pdf")
    with pytest.raises(MessageTooLargeError):
        office.sender.send(message)
    assert not office.outbox.page().entries


def test_a_message_that_cannot_be_sent_stores_nothing(office: Office) -> None:
    message = EmailMessage()
    message["To"] = "root"
    with pytest.raises(EmailError, match="to"):
        office.sender.send(message)
    assert not office.outbox.page().entries
