"""How a program uses the API, for mypy: what it accepts, returns and refuses.

Each `type: ignore` is a mistake that mypy must find: one that it doesn't find is an error, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.mime.text import MIMEText
from pathlib import Path
from typing import ClassVar, assert_type

from smtp_desk.sender import (
    AnyEmail,
    AsyncSender,
    Attachment,
    Email,
    EmailRefusedError,
    Finding,
    Invitation,
    KeyedEmail,
    Message,
    Notification,
    Receipt,
    RecipientReceipt,
    Scope,
    Sender,
    Stage,
    Status,
    WelcomeAffiliate,
    Who,
)
from smtp_desk.sender.testing import MemorySender, SentEmail

INVITATION = Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")


@dataclass(frozen=True, kw_only=True)
class Report(Email):
    kind: ClassVar[str] = "report"
    templates: ClassVar[Path] = Path("emails")

    week: int


def sends(sender: Sender) -> None:
    receipt = sender.send(INVITATION)
    assert_type(receipt, Receipt)
    assert_type(receipt.message_id, str)
    assert_type(receipt.recipients, tuple[RecipientReceipt, ...])
    assert_type(receipt.recipients[0].status, Status)
    assert_type(receipt.fallback, Finding | None)
    receipt.raise_if_refused()
    if receipt.fallback:
        assert_type(receipt.fallback.stage, Stage)
        assert_type(receipt.fallback.scope, Scope)
        assert_type(receipt.fallback.who, Who)
    sender.send(EmailMessage(), timeout=5)
    sender.send(MIMEText("x"), key="a")
    sender.send(Report(to=["a@example.org"], week=7), send_at=datetime.now(UTC))
    assert_type(sender.queue(INVITATION, key="b", send_at=None), Receipt)
    assert_type(sender.send_many([INVITATION, EmailMessage()]), Iterator[Receipt])
    assert_type(sender.status(receipt.message_id), Receipt | None)
    assert_type(sender.send_many(KeyedEmail(INVITATION, key) for key in "ab"), Iterator[Receipt])
    assert_type(sender.cancel(receipt.message_id), Receipt | None)
    sender.cancel(key="b")
    sender.cancel(entry_id=receipt.recipients[0].entry_id)
    assert_type(receipt.recipients[0].cancelled and receipt.cancelled, bool)
    emails: list[AnyEmail] = [Notification(to="a@example.org", title="x", body="y")]
    emails.append(WelcomeAffiliate(to="a@example.org", name="Ann", approved=True))
    try:
        receipt.raise_if_refused()
    except EmailRefusedError as error:
        assert_type(error.receipt, Receipt)


async def awaits(sender: AsyncSender) -> None:
    async with AsyncSender.from_settings() as own:
        assert_type(own, AsyncSender)
    assert_type(await sender.send(INVITATION, key="a", timeout=5.0), Receipt)
    assert_type(await sender.queue(EmailMessage()), Receipt)
    assert_type(await sender.status("<1@example.org>"), Receipt | None)
    assert_type(sender.send_many([INVITATION]), AsyncIterator[Receipt])
    assert_type(sender.send_many([KeyedEmail(INVITATION, "a")]), AsyncIterator[Receipt])
    assert_type(await sender.cancel(key="a"), Receipt | None)


def tries() -> None:
    memory = MemorySender()
    sends(memory)
    assert_type(memory.sent, list[SentEmail])
    assert_type(memory.sent[0].message, EmailMessage)
    assert_type(memory.sent[0]["Subject"], str)
    AsyncSender(memory)
    AsyncSender(MemorySender)


def attaches() -> Message:
    return Message(
        to=("a@example.org",),
        subject="x",
        body="y",
        audience="affiliates",
        attachments=[Attachment("a", b""), Attachment.from_path(Path("a"))],
        unsubscribe="https://example.org/u",
    )


async def is_mistaken(sender: Sender, other: AsyncSender) -> None:
    sender.send("Hello")  # type: ignore[arg-type]
    sender.send(INVITATION, "a")  # type: ignore[call-arg]
    sender.send(INVITATION, key=4711)  # type: ignore[arg-type]
    sender.send(INVITATION, send_at="tomorrow")  # type: ignore[arg-type]
    sender.send([INVITATION])  # type: ignore[arg-type]
    sender.send_many(INVITATION)  # type: ignore[arg-type]
    sender.status(INVITATION)  # type: ignore[arg-type]
    sender.cancel(INVITATION)  # type: ignore[arg-type]
    sender.send(KeyedEmail(INVITATION, "a"))  # type: ignore[arg-type]
    sender.send_many([(INVITATION, "a")])  # type: ignore[list-item]
    await other.send(b"Hello")  # type: ignore[arg-type]
    Invitation(to="ann@example.org", invited_by="Bo")  # type: ignore[call-arg]
    Invitation("ann@example.org", invited_by="Bo", link="")  # type: ignore[call-arg]
    Report(to="ann@example.org", week="7")  # type: ignore[arg-type]
    INVITATION.link = "https://example.org"  # type: ignore[misc]
    Attachment("a", "text")  # type: ignore[arg-type]
    Message(to="a@b.c", subject="x", body="y", audience="everybody")  # type: ignore[arg-type]
    if sender.status("<1@example.org>").refused:  # type: ignore[union-attr]
        pass
