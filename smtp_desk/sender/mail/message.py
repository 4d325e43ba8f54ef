"""Emails as the octets that are stored once; `addressing` adds sender and recipient.

Everything is ASCII, whatever the text is: no server needs 8BITMIME for it.
"""

import base64
import binascii
import io
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from smtp_desk.core.address import parse_mailbox
from smtp_desk.sender.mail.addressing import UNSUBSCRIBE, Identity, addressed
from smtp_desk.sender.mail.headers import encoded_text, field, parameter
from smtp_desk.sender.mail.templates import Rendered
from smtp_desk.sender.outbox.entries import OutboxMessage

if TYPE_CHECKING:
    from smtp_desk.sender.mail.kinds import Attachment, Email

_TEST_SUBJECT: Final = "Test email from SMTP Desk"
_TEST_TEXT: Final = """\
This is a test email. It left through {host}, port {port}.

If you can read it, the server accepts mail from {sender} and delivers it.
There is nothing to do.
"""
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
# Lines that nothing on the way changes; a space at the end of one might get lost.
_PLAIN: Final = re.compile(rb"(?:(?!From )[\t -~]{0,78}(?<![\t ])\r\n)*")
_BASE64_LINE: Final = 57
"""Octets that become a line of 76 characters (RFC 2045, 6.8)."""

_BLOCK: Final = 16384 * _BASE64_LINE
"""Octets of an attachment that are encoded at a time."""


def new_message_id(from_email: str) -> str:
    """Return a Message-ID for an email, below the sender's domain (RFC 5322, 3.6.4).

    Raises:
        AddressError: `from_email` isn't an address.
    """
    return f"<{secrets.token_hex(16)}@{parse_mailbox(from_email).ascii_domain}>"


def composed(
    rendered: Rendered, *, message_id: str, now: datetime, attachments: Sequence["Attachment"] = ()
) -> bytes:
    """Return an email without From, Reply-To and To, the same for every route.

    Args:
        rendered: Its content.
        message_id: Its Message-ID, with angle brackets.
        now: Its date, with a time zone.
        attachments: The attached files.

    Raises:
        HeaderError: A control character in the subject or the Message-ID.
    """
    content = _text_part("plain", rendered.text)
    if rendered.html:
        content = _multipart("alternative", [content, _text_part("html", rendered.html)])
    if attachments:
        content = _multipart("mixed", [content, *map(_file_part, attachments)])
    out = io.BytesIO()
    out.write(field("Date", format_datetime(now)))
    out.write(field("Message-ID", message_id))
    out.write(field("Subject", encoded_text(rendered.subject)))
    out.write(field("Auto-Submitted", "auto-generated"))  # RFC 3834: nobody is away
    out.write(field("MIME-Version", "1.0"))
    out.writelines(content)
    return out.getvalue()


def outbox_message(
    email: "Email", rendered: Rendered, *, message_id: str, now: datetime
) -> OutboxMessage:
    """Return an email as it is stored in the outbox, for all its recipients.

    Args:
        email: The email.
        rendered: What `Templates.render` returned for it.
        message_id: What `new_message_id` returned.
        now: Its date, with a time zone.
    """
    return OutboxMessage(
        message_id=message_id,
        kind=email.kind,
        payload=composed(rendered, message_id=message_id, now=now, attachments=email.attachments),
        recipients=email.recipients,
        subject=rendered.subject,
        metadata={UNSUBSCRIBE: email.unsubscribe} if email.unsubscribe else {},
    )


def compose_test(
    *, host: str, port: int, sender: str, sender_name: str, recipient: str, now: datetime
) -> bytes:
    """Return the test email as octets; its fixed text names the server that it went through.

    Raises:
        HeaderError: A control character in the name.
        AddressError: An address isn't valid.
    """
    text = _TEST_TEXT.format(host=host, port=port, sender=sender)
    message_id = new_message_id(sender)
    message = OutboxMessage(
        message_id=message_id,
        kind="test",
        payload=composed(Rendered(_TEST_SUBJECT, text, ""), message_id=message_id, now=now),
        recipients=(recipient,),
    )
    return addressed(message, (recipient,), Identity(sender, sender_name)).content


def _text_part(subtype: str, text: str) -> Iterator[bytes]:
    lines = _LINE_ENDS.sub("\r\n", text).encode()
    plain = _PLAIN.fullmatch(lines)
    yield field("Content-Type", f"text/{subtype}; charset=utf-8")
    yield field("Content-Transfer-Encoding", "7bit" if plain else "quoted-printable")
    yield b"\r\n"
    yield lines if plain else binascii.b2a_qp(lines)


def _file_part(attachment: "Attachment") -> Iterator[bytes]:
    yield field("Content-Type", attachment.media_type)
    yield field("Content-Transfer-Encoding", "base64")
    yield field("Content-Disposition", f"attachment; {parameter('filename', attachment.name)}")
    yield b"\r\n"
    content = memoryview(attachment.content)
    for at in range(0, len(content), _BLOCK):
        yield base64.encodebytes(content[at : at + _BLOCK]).replace(b"\n", b"\r\n")


def _multipart(subtype: str, parts: Iterable[Iterator[bytes]]) -> Iterator[bytes]:
    # Nobody who writes a part can know it; and no base64 or quoted-printable holds "=_".
    boundary = f"=_{secrets.token_hex(16)}"
    yield field("Content-Type", f'multipart/{subtype}; boundary="{boundary}"')
    for part in parts:
        yield f"\r\n--{boundary}\r\n".encode()
        yield from part
    yield f"\r\n--{boundary}--\r\n".encode()
