"""A copy of a stored email for somebody who wants to see it, marked as a copy.

It is a separate email, with another Message-ID and another recipient, and nothing in its header
acts on behalf of the original's recipient.
"""

from datetime import datetime
from email.utils import format_datetime
from typing import Final

from smtp_desk.core.reply import visible
from smtp_desk.sender.mail.header_block import HeaderBlock
from smtp_desk.sender.mail.headers import encoded_text, field
from smtp_desk.sender.outbox.entries import OutboxMessage

COPY: Final = "copy"
"""`OutboxMessage.kind` of a copy."""

_MARK: Final = "[Copy] "
_KEPT: Final = frozenset(
    {"mime-version", "content-type", "content-transfer-encoding", "content-language"}
)
"""All else says who wrote to whom, asks for receipts, unsubscribes, or signs what is no more."""


def personal_copy(
    message: OutboxMessage, to: str, *, message_id: str, now: datetime
) -> OutboxMessage:
    """Return a copy of `message`, addressed to its one recipient, for `to`.

    Args:
        message: The original, as `OutboxRecords.message` returns it.
        to: The person who wants to see it.
        message_id: The copy's Message-ID, with angle brackets.
        now: The copy's date, with a time zone.
    """
    block = HeaderBlock.read(message.payload)
    subject = f"{_MARK}{visible(message.subject)}"
    original = ", ".join(map(visible, message.recipients))
    header = [
        field("Date", format_datetime(now)),
        field("Message-ID", message_id),
        field("Subject", encoded_text(subject)),
        field("Comments", encoded_text(f"Copy of an email to {original}")),
        field("Auto-Submitted", "auto-generated"),
        *(each.octets for each in block.fields if each.name in _KEPT),
    ]
    body = message.payload[block.body_at :]
    return OutboxMessage(
        message_id=message_id,
        kind=COPY,
        payload=b"".join((*header, block.empty_line or b"\r\n", body)),
        recipients=(to,),
        subject=subject,
    )
