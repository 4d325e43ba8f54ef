"""Who writes to whom: the fields and the envelope that differ from route to route."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Final, TypeAlias

from smtp_desk.core.address import AddressError, Mailbox, has_control, parse_mailbox
from smtp_desk.sender.mail.address_list import AddressListError, addresses
from smtp_desk.sender.mail.headers import field, mailboxes
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.smtp.session.envelope import Envelope

FOREIGN: Final = "foreign"
"""`OutboxMessage.kind` of a message that another program wrote."""

ENVELOPE_SENDER: Final = "envelope_sender"
"""In the metadata of a foreign message: the envelope sender it asks for.

"" or absent: none; `NULL_SENDER`: bounces go nowhere.
"""

NULL_SENDER: Final = "<>"

_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
# Return-Path is written by the last server only (RFC 5321, 4.4); the others tell secrets.
_NEVER_SENT: Final = frozenset({b"return-path", b"bcc", b"resent-bcc"})

_Named: TypeAlias = tuple[str, Mailbox]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who emails come from on one route.

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


@dataclass(frozen=True, slots=True)
class _Field:
    name: bytes
    octets: bytes

    @property
    def body(self) -> bytes:
        return self.octets.partition(b":")[2]


def addressed(message: OutboxMessage, recipients: Sequence[str], identity: Identity) -> Addressed:
    """Return a stored message as it leaves by a route.

    Args:
        message: What to send.
        recipients: To whom: one address, unless the message is foreign.
        identity: Who emails come from on that route.

    Raises:
        AddressError: An address that is none.
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
    international = any(box.needs_smtputf8 for each in lists.values() for _, box in each)
    envelope = Envelope(author.wire, (boxes[0].wire,), smtputf8=international)
    return Addressed(envelope, header + message.payload)


def _foreign(
    message: OutboxMessage, boxes: Iterable[Mailbox], author: Mailbox, identity: Identity
) -> Addressed:
    fields, end = _header(message.payload)
    kept = [each for each in fields if each.name not in _NEVER_SENT]
    authors = [_mailboxes_of(each.body) for each in kept if each.name == b"from"]
    used = authors[0] if len(authors) == 1 else []
    if not used or not all(_same_domain(box, author) for _, box in used):
        kept, used = _rewritten(kept, [box for each in authors for box in each], identity)
    if kept == fields:
        content = message.payload
    else:
        body = message.payload[end:]
        gap = b"" if body.startswith((b"\r", b"\n")) else b"\r\n"
        content = b"".join((*(each.octets for each in kept), gap, body))
    envelope = Envelope(
        _envelope_sender(message, author),
        tuple(box.wire for box in boxes),
        smtputf8=any(box.needs_smtputf8 for _, box in used),
    )
    return Addressed(envelope, content)


def _rewritten(
    fields: Sequence[_Field], authors: Sequence[_Named], identity: Identity
) -> tuple[list[_Field], list[_Named]]:
    """Make From the identity's, and let answers reach who wrote the message.

    Returns:
        The fields, and the mailboxes that were written into them.
    """
    name = authors[0][0] if len(authors) == 1 else ""
    sender = [(name or identity.from_name, parse_mailbox(identity.from_email))]
    answers: list[_Named] = []
    if not any(each.name == b"reply-to" for each in fields):
        answers = list(authors) or _reply_to(identity)
    # Sender names who acted for the author that is gone (RFC 5322, 3.6.2).
    others = [each for each in fields if each.name not in (b"from", b"sender")]
    new = [_Field(b"from", field("From", mailboxes(sender)))]
    if answers:
        new.append(_Field(b"reply-to", field("Reply-To", mailboxes(answers))))
    at = next((number for number, each in enumerate(fields) if each.name == b"from"), len(fields))
    at -= sum(each.name == b"sender" for each in fields[:at])
    return [*others[:at], *new, *others[at:]], [*sender, *answers]


def _envelope_sender(message: OutboxMessage, author: Mailbox) -> str:
    asked = message.metadata.get(ENVELOPE_SENDER, "")
    if asked == NULL_SENDER:
        return ""
    try:
        box = parse_mailbox(asked)
    except AddressError:
        return author.wire
    return box.wire if _same_domain(box, author) else author.wire


def _header(payload: bytes) -> tuple[list[_Field], int]:
    """Cut the header into fields, and find where it ends.

    Lines end where `smtp.codec` makes them end, at a bare CR or LF too: what it will make a
    field is seen as one here.
    """
    fields: list[_Field] = []
    at = 0
    while line := _LINE.match(payload, at):
        start = _FIELD.match(line[0])
        octets = line[0] if line[0].endswith((b"\r", b"\n")) else line[0] + b"\r\n"
        if start:
            fields.append(_Field(start[1].lower(), octets))
        elif fields and line[0].startswith((b" ", b"\t")):
            fields[-1] = _Field(fields[-1].name, fields[-1].octets + octets)
        else:
            break
        at = line.end()
    return fields, at


def _mailboxes_of(body: bytes) -> list[_Named]:
    """Read the mailboxes of a field; none at all where one of them is doubtful."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    unfolded = re.sub(r"[\r\n]+", "", text)
    names = {address: _decoded(name) for name, address in getaddresses([unfolded])}
    try:
        return [(names.get(each, ""), parse_mailbox(each)) for each in addresses(unfolded)]
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
