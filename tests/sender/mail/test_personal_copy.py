"""A copy for whoever wants to see an email: marked, and acting for nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

from smtp_desk.sender.mail.addressing import FOREIGN, Identity, addressed
from smtp_desk.sender.mail.kinds import Invitation
from smtp_desk.sender.mail.message import outbox_message
from smtp_desk.sender.mail.personal_copy import COPY, personal_copy
from smtp_desk.sender.mail.templates import Rendered
from smtp_desk.sender.outbox.entries import OutboxMessage
from tests.table import each_row

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = "me@example.net"
FOREIGN_HEADER = b"""\
Return-Path: <x@example.org>
Received: from a by b
DKIM-Signature: v=1; d=example.org
From: Shop <shop@example.org>
Sender: shop@example.org
Reply-To: answers@example.org
To: Ann <ann@example.org>, bo@example.org
Cc: cy@example.org
Bcc: di@example.org
Resent-To: ed@example.org
Subject: Your order
Message-ID: <original@example.org>
In-Reply-To: <other@example.org>
List-Unsubscribe: <https://example.org/u/ann>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Disposition-Notification-To: shop@example.org
X-Secret: yes
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

"""


def foreign(subject: str = "Your order", body: bytes = b"Gr\xc3\xbc\xc3\x9fe\r\n") -> OutboxMessage:
    return OutboxMessage(
        message_id="<original@example.org>",
        kind=FOREIGN,
        payload=FOREIGN_HEADER.replace(b"\n", b"\r\n") + body,
        recipients=("ann@example.org",),
        subject=subject,
        metadata={"envelope_sender": "x@example.org"},
    )


def sent(copy: OutboxMessage) -> bytes:
    return addressed(copy, copy.recipients, Identity("desk@example.org", "Desk")).content


def test_a_copy_of_another_programs_email_keeps_the_content_and_nothing_that_acts() -> None:
    copy = personal_copy(foreign(), ME, message_id="<copy@example.org>", now=NOW)
    assert (copy.kind, copy.recipients, copy.metadata) == (COPY, (ME,), {})
    octets = sent(copy)
    assert octets.endswith(b"\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n")
    message = message_from_bytes(octets, policy=policy.default)
    assert {name: str(value) for name, value in message.items()} == {
        "From": "Desk <desk@example.org>",
        "To": ME,
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "Message-ID": "<copy@example.org>",
        "Subject": "[Copy] Your order",
        "Comments": "Copy of an email to ann@example.org",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "8bit",
    }


def test_a_copy_of_an_email_of_ours_looks_the_same() -> None:
    email = Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/i")
    original = outbox_message(
        email, Rendered("Bo invites you", "Text", "<p>HTML</p>"), message_id="<1@x.test>", now=NOW
    )
    copy = personal_copy(original, ME, message_id="<copy@example.org>", now=NOW)
    before = message_from_bytes(original.payload, policy=policy.default)
    after = message_from_bytes(sent(copy), policy=policy.default)
    assert after["Message-ID"] != before["Message-ID"]
    assert after["Subject"] == f"[Copy] {before['Subject']}"
    parts = [[part.get_payload() for part in each.iter_parts()] for each in (before, after)]
    assert parts[0] == parts[1]


@each_row(
    "subject",
    [
        "Hi\r\nBcc: victim@example.org",
        "Hi\nthere",
        "\u202efdp.exe",
        "x" * 5000,
        "Grüße",
        "",
        "\x00\x1b[31m",
    ],
)
def test_no_subject_begins_another_field(subject: str) -> None:
    copy = personal_copy(foreign(subject), ME, message_id="<copy@example.org>", now=NOW)
    message = message_from_bytes(sent(copy), policy=policy.default)
    assert message["Bcc"] is None
    assert str(message["Subject"]).startswith("[Copy]")
    assert "\u202e" not in str(message["Subject"])
    assert message.get_all("To") == [ME]


@each_row(
    "payload", [b"", b"no header at all", b"\r\nbody", b"From x\nSubject: a\n\nbody", b"Subject: a"]
)
def test_a_message_without_much_of_a_header_is_copied(payload: bytes) -> None:
    original = OutboxMessage(
        message_id="<1@example.org>", kind=FOREIGN, payload=payload, recipients=("ann@example.org",)
    )
    copy = personal_copy(original, ME, message_id="<copy@example.org>", now=NOW)
    message = message_from_bytes(sent(copy), policy=policy.default)
    assert message["Subject"].strip() == "[Copy]"
    assert message["Message-ID"] == "<copy@example.org>"
