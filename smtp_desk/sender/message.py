"""Messages as the octets that go over the wire."""

import re
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from smtp_desk.core.address import Mailbox, has_control, parse_mailbox

_TEST_SUBJECT = "Test email from SMTP Desk"
_TEST_TEXT = """\
This is a test email. It left through {host}, port {port}.

If you can read it, the server accepts mail from {sender} and delivers it.
There is nothing to do.
"""


class MessageError(ValueError):
    """A header that would break the message: a line break in a name or subject."""


def compose(
    *, sender: str, sender_name: str, recipient: str, subject: str, text: str, now: datetime
) -> EmailMessage:
    """Build a message with one address in To.

    Args:
        sender: From address.
        sender_name: Display name of the sender, or "".
        recipient: The one recipient.
        subject: Subject.
        text: Plain text body.
        now: Date of the message, with a time zone.

    Raises:
        MessageError: A control character in a name or the subject (RFC 5322, 2.2).
        AddressError: An address that is none.
    """
    for name, value in (("From name", sender_name), ("subject", subject)):
        if has_control(value):
            raise MessageError(f"the {name} contains a line break or another control character")
    from_box, to_box = parse_mailbox(sender), parse_mailbox(recipient)
    international = from_box.needs_smtputf8 or to_box.needs_smtputf8
    message = EmailMessage(policy.SMTPUTF8 if international else policy.SMTP)
    message["From"] = _header_address(from_box, sender_name)
    message["To"] = _header_address(to_box)
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=from_box.ascii_domain.strip("[]"))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def compose_test(
    *, host: str, port: int, sender: str, sender_name: str, recipient: str, now: datetime
) -> bytes:
    """Return the test email as octets; its fixed text names the server that it went through."""
    text = _TEST_TEXT.format(host=host, port=port, sender=sender)
    message = compose(
        sender=sender,
        sender_name=sender_name,
        recipient=recipient,
        subject=_TEST_SUBJECT,
        text=text,
        now=now,
    )
    return message.as_bytes()


def _header_address(mailbox: Mailbox, name: str = "") -> Address:
    local = mailbox.local
    if local.startswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])  # Address quotes again where needed
    domain = mailbox.domain if mailbox.needs_smtputf8 else mailbox.ascii_domain
    return Address(name, username=local, domain=domain)
