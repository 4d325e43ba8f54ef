"""Sender and recipients: the header fields and the envelope that depend on the route."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Final, TypeAlias
from urllib.parse import quote

from smtp_desk.core.address import AddressError, Mailbox, has_control, parse_mailbox
from smtp_desk.sender.mail.address_list import AddressListError, addresses
from smtp_desk.sender.mail.header_block import HeaderBlock, HeaderField
from smtp_desk.sender.mail.headers import field, mailboxes
from smtp_desk.sender.mail.variables import RECIPIENT
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.smtp.session.envelope import Envelope

FOREIGN: Final = "foreign"
"""`OutboxMessage.kind` of a message that another program wrote."""

ENVELOPE_SENDER: Final = "envelope_sender"
"""In the metadata of a foreign message: the envelope sender it asks for.

"" or absent: none; `NULL_SENDER`: bounces go nowhere.
"""

UNSUBSCRIBE: Final = "unsubscribe"
"""In the metadata of an email of ours: the link of `Email.unsubscribe`."""

NULL_SENDER: Final = "<>"

# Return-Path is written by the last server only (RFC 5321, 4.4); the others tell secrets.
_NEVER_SENT: Final = frozenset({"return-path", "bcc", "resent-bcc"})

_LOCAL: Final = frozenset({"localhost", "localhost.localdomain"})

_Named: TypeAlias = tuple[str, Mailbox]


@dataclass(frozen=True, slots=True)
class Identity:
    """The sender of emails on one route.

    Attributes:
        from_email: The address in From, and the envelope sender: bounces go there.
        from_name: The display name in From; "" for none.
        reply_to: The address in Reply-To; "" for none. On the default route it is the
            custom From email, so that answers still reach the customer (RFC 5322, 3.6.2).
    """

    from_email: str
    from_name: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message that is ready for one route.

    Attributes:
        envelope: For MAIL and RCPT.
        content: Header and body; line ends as they came, `smtp.codec` makes them CRLF.
    """

    envelope: Envelope
    content: bytes


def addressed(message: OutboxMessage, recipients: Sequence[str], identity: Identity) -> Addressed:
    """Return a stored message as it is sent by a route.

    Args:
        message: The message.
        recipients: Its recipients: one address, unless the message is foreign.
        identity: The sender on that route.

    Raises:
        AddressError: An address isn't valid.
        HeaderError: A control character in a name of `identity`.
        ValueError: Several recipients for an email of ours: they would see each other.
    """
    boxes = [parse_mailbox(recipient) for recipient in recipients]
    author = parse_mailbox(identity.from_email)
    if message.kind == FOREIGN:
        return _foreign(message, boxes, author, identity)
    if len(boxes) != 1:
        raise ValueError("an email of ours goes to one recipient at a time")
    lists = {
        "From": [(identity.from_name, author)],
        "Reply-To": _reply_to(identity),
        "To": [("", boxes[0])],
    }
    header = b"".join(field(name, mailboxes(each)) for name, each in lists.items() if each)
    header += _one_click(message, boxes[0])
    international = any(box.needs_smtputf8 for each in lists.values() for _, box in each)
    envelope = Envelope(author.wire, (boxes[0].wire,), smtputf8=international)
    return Addressed(envelope, header + message.payload)


def _foreign(
    message: OutboxMessage, boxes: Iterable[Mailbox], author: Mailbox, identity: Identity
) -> Addressed:
    block = HeaderBlock.read(message.payload)
    kept = [each for each in block.fields if each.name not in _NEVER_SENT]
    authors = [mailboxes_of(each.latin) for each in kept if each.name == "from"]
    used = authors[0] if len(authors) == 1 else []
    if not used or not all(_same_domain(box, author) for _, box in used):
        kept, used = _rewritten(kept, [box for each in authors for box in each], identity)
    content = message.payload
    if kept != list(block.fields):
        header = (each.octets for each in kept)
        content = b"".join((*header, block.empty_line or b"\r\n", content[block.body_at :]))
    envelope = Envelope(
        _envelope_sender(message, author),
        tuple(box.wire for box in boxes),
        smtputf8=any(box.needs_smtputf8 for _, box in used),
    )
    return Addressed(envelope, content)


def _rewritten(
    fields: Sequence[HeaderField], authors: Sequence[_Named], identity: Identity
) -> tuple[list[HeaderField], list[_Named]]:
    """Replace From by the identity's, and let replies reach the author of the message.

    Returns:
        The fields, and the mailboxes that were written into them.
    """
    name = authors[0][0] if len(authors) == 1 else ""
    sender = [(name or identity.from_name, parse_mailbox(identity.from_email))]
    answers: list[_Named] = []
    if not any(each.name == "reply-to" for each in fields):
        # An answer to this machine would reach nobody, or the reader's own machine.
        reachable = [each for each in authors if each[1].ascii_domain.lower() not in _LOCAL]
        answers = reachable or _reply_to(identity)
    # Sender names who acted for the author that is gone (RFC 5322, 3.6.2).
    others = [each for each in fields if each.name not in ("from", "sender")]
    new = [HeaderField("from", field("From", mailboxes(sender)))]
    if answers:
        new.append(HeaderField("reply-to", field("Reply-To", mailboxes(answers))))
    at = next((number for number, each in enumerate(fields) if each.name == "from"), len(fields))
    at -= sum(each.name == "sender" for each in fields[:at])
    return [*others[:at], *new, *others[at:]], [*sender, *answers]


def _one_click(message: OutboxMessage, recipient: Mailbox) -> bytes:
    """Return the header fields for unsubscribing with one click (RFC 8058, 3.1)."""
    link = message.metadata.get(UNSUBSCRIBE, "")
    if not link:
        return b""
    link = link.replace(RECIPIENT, quote(recipient.address, safe=""))
    return field("List-Unsubscribe", f"<{link}>") + field(
        "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
    )


def _envelope_sender(message: OutboxMessage, author: Mailbox) -> str:
    asked = message.metadata.get(ENVELOPE_SENDER, "")
    if asked == NULL_SENDER:
        return ""
    try:
        box = parse_mailbox(asked)
    except AddressError:
        return author.wire
    return box.wire if _same_domain(box, author) else author.wire


def mailboxes_of(text: str, complete: Callable[[str], str] = str) -> list[_Named]:
    """Read the mailboxes of a field; none at all if one of them is doubtful.

    Args:
        text: The field's text.
        complete: Adds the domain to an address without one.
    """
    names = {address: _decoded(name) for name, address in getaddresses([text])}
    try:
        return [(names.get(each, ""), parse_mailbox(complete(each))) for each in addresses(text)]
    except (AddressError, AddressListError):
        return []


def _decoded(name: str) -> str:
    try:
        text = str(make_header(decode_header(name)))
    except (LookupError, ValueError, HeaderParseError):
        return ""
    return "" if has_control(text) else text.strip()


def _same_domain(one: Mailbox, other: Mailbox) -> bool:
    return one.ascii_domain.lower() == other.ascii_domain.lower()


def _reply_to(identity: Identity) -> list[_Named]:
    return [("", parse_mailbox(identity.reply_to))] if identity.reply_to else []
