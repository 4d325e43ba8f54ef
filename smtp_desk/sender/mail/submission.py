"""A message of another program, as a sendmail takes it: read, completed, and kept whole.

Of the header only what must change is changed; the body and all other octets stay.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Final

from smtp_desk.core.address import AddressError, Mailbox, has_control, parse_mailbox
from smtp_desk.core.reply import visible
from smtp_desk.core.texts import PROBLEMS
from smtp_desk.sender.mail.address_list import AddressListError, addresses
from smtp_desk.sender.mail.addressing import ENVELOPE_SENDER, FOREIGN, NULL_SENDER
from smtp_desk.sender.mail.header_block import HeaderBlock, HeaderField, decoded, line_end, value
from smtp_desk.sender.mail.headers import field as header_field
from smtp_desk.sender.mail.headers import mailboxes
from smtp_desk.sender.outbox.entries import OutboxMessage, new_token
from smtp_desk.sender.outbox.outbox import MEBIBYTE, OutboxLimits

__all__ = [
    "FOREIGN",
    "MOST_HEADER_OCTETS",
    "MOST_RECEIVED",
    "ForeignMessageError",
    "Submission",
    "envelope_sender",
    "read_foreign",
]

MOST_RECEIVED: Final = 25
"""With more Received fields than these, a message goes in circles."""

MOST_HEADER_OCTETS: Final = MEBIBYTE

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_BARE_CR: Final = re.compile(rb"\r(?!\n)")
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]+>")
_BLIND: Final = frozenset({"bcc", "resent-bcc"})
_REQUIRED: Final = frozenset({"date", "message-id"})
_ADDRESSED: Final = ("to", "cc", "bcc")
_RESENT: Final = tuple(f"resent-{name}" for name in _ADDRESSED)


class ForeignMessageError(ValueError):
    """The message can't be sent as it is; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a program says beside its message.

    Attributes:
        recipients: To whom; each may be a list.
        from_header: Whether To, Cc and Bcc name further recipients.
        envelope_sender: An address, `NULL_SENDER`, or "" for nothing said.
        full_name: The display name for a From that has none.
        home: The configured From email, or None. Its domain completes a recipient without
            one, such as `root`.
    """

    recipients: Sequence[str] = ()
    from_header: bool = False
    envelope_sender: str = ""
    full_name: str = ""
    home: Mailbox | None = None


def read_foreign(
    octets: bytes,
    submission: Submission,
    *,
    now: datetime,
    most_octets: int = OutboxLimits().message_octets,
) -> OutboxMessage:
    """Make what the outbox stores of a message of another program.

    A line `From ` of an mbox in front is dropped, and so are Bcc and Resent-Bcc. A Received
    field that does not name this machine comes in front (RFC 5321, 4.4), so that loops are
    counted; Date and Message-ID are added where they are missing (RFC 5322, 3.6). A message
    without a header is all body. Line ends may be LF, CRLF or CR; those stay, but for CR in the
    header.

    Args:
        octets: The message.
        submission: What the program says beside it.
        now: The time, with a time zone.
        most_octets: The largest message.

    Raises:
        ForeignMessageError: The message can't be sent as it is.
    """
    _refuse_damage(octets, submission, most_octets)
    block = HeaderBlock.read(octets)
    if block.body_at > MOST_HEADER_OCTETS:
        raise ForeignMessageError(f"The header has more than {MOST_HEADER_OCTETS} octets.")
    fields = block.fields
    if sum(field.name == "received" for field in fields) > MOST_RECEIVED:
        raise ForeignMessageError(
            f"The message has more than {MOST_RECEIVED} Received fields: it goes in circles."
        )
    recipients = _recipients(fields, submission)
    added_end = line_end(octets) or b"\n"
    kept = _named([field for field in fields if _is_kept(field)], submission)
    message_id, added = _completion(kept, submission.home, now)
    header = [*(line.encode() + added_end for line in added), *(field.octets for field in kept)]
    header.append(block.empty_line or added_end)
    if any(map(_BARE_CR.search, header)):  # a LF that comes to stand behind it would join it
        header = [_LINE_END.sub(b"\r\n", part) for part in header]
    said = submission.envelope_sender
    return OutboxMessage(
        message_id=message_id,
        kind=FOREIGN,
        payload=b"".join((*header, octets[block.body_at :])),
        recipients=recipients,
        subject=decoded(value(kept, "subject")),
        metadata={ENVELOPE_SENDER: said} if said else {},
    )


def envelope_sender(text: str) -> str:
    """Return what a program named as envelope sender as `Submission` has it.

    A name without a domain says nothing: no server lets a login name of this machine send.

    Raises:
        AddressError: It is no address.
        AddressListError: It is no address, and can't be read at all.
    """
    found = addresses(text) or [""]
    if found == [""]:
        return NULL_SENDER
    if len(found) > 1:
        raise AddressError("email.several")
    return parse_mailbox(found[0]).wire if "@" in found[0] else ""


def _refuse_damage(octets: bytes, submission: Submission, most_octets: int) -> None:
    if len(octets) > most_octets:
        raise ForeignMessageError(f"The message has more than {most_octets} octets.")
    if has_control(submission.full_name):
        raise ForeignMessageError("The full name holds a line break or another control character.")
    nul = octets.find(b"\0")
    if nul >= 0:
        line = len(_LINE_END.findall(octets, 0, nul)) + 1
        raise ForeignMessageError(
            f"Line {line} of the message holds a NUL, which no message may hold."
            " Encode binary content, or remove it."
        )


def _is_kept(field: HeaderField) -> bool:
    return field.name not in _BLIND and (bool(field.text) or field.name not in _REQUIRED)


def _recipients(fields: Sequence[HeaderField], submission: Submission) -> tuple[str, ...]:
    lists = [("the command line", text) for text in submission.recipients]
    if submission.from_header:
        lists += [(field.name.title(), field.text) for field in _addressed(fields)]
    found: dict[str, str] = {}
    for where, text in lists:
        try:
            listed = addresses(text)
        except AddressListError as error:
            why = f"The recipients in {where} can't be read: {error}."
            raise ForeignMessageError(why) from error
        for address in listed:
            box = _complete(address, where, submission.home)
            found.setdefault(box.wire, box.address)  # once, whichever spelling of the domain
    if not found:
        raise ForeignMessageError("The message names no recipient.")
    return tuple(found.values())


def _addressed(fields: Sequence[HeaderField]) -> Iterator[HeaderField]:
    """Return the fields that name recipients.

    Where a message is sent on, those of the newest Resent block alone: it stands in front of
    the older ones, each of which began with a field that the newer has, too (RFC 5322, 3.6.6).
    """
    if not any(field.name in _RESENT for field in fields):
        yield from (field for field in fields if field.name in _ADDRESSED)
        return
    seen: set[str] = set()
    for field in fields:
        if field.name.startswith("resent-"):
            if field.name in seen:
                return
            seen.add(field.name)
            if field.name in _RESENT:
                yield field


def _complete(address: str, where: str, home: Mailbox | None) -> Mailbox:
    """Validate an address; one without a domain gets that of the configured From email."""
    bare = "@" not in address and not address.startswith("=?") and bool(address)
    if bare and home is None:
        raise ForeignMessageError(
            f"“{visible(address)}” in {where} has no domain, and no From email is configured whose "
            "domain could be meant."
        )
    try:
        return parse_mailbox(f"{address}@{home.domain}" if bare and home else address)
    except AddressError as error:
        why = PROBLEMS[error.code].format_map(error.params)
        text = f"“{visible(address)}” in {where} is no address. {why}"
        raise ForeignMessageError(text) from error


def _named(fields: list[HeaderField], submission: Submission) -> list[HeaderField]:
    """Return the fields with a From that has an address with a domain, and a name if one is known.

    The configured From email stands for an address without a domain, such as cron's
    `root (Cron Daemon)`; without a name it is left to the route to write From.
    """
    senders = [field for field in fields if field.name == "from"]
    if not senders:
        return [*fields, *_from_field(submission.full_name, submission.home)]
    if len(senders) > 1 or _count(senders[0]) != 1:
        return fields
    name, address = parseaddr(senders[0].text)
    if "@" not in address:
        box = submission.home
    elif name or not submission.full_name:
        return fields
    else:
        box = _mailbox(address)
    if box is None:
        return fields
    new = _from_field(decoded(name) or submission.full_name, box)
    at = fields.index(senders[0])
    return [*fields[:at], *new, *fields[at + 1 :]]


def _count(field: HeaderField) -> int:
    try:
        return len(addresses(field.text))
    except AddressListError:
        return 0


def _mailbox(address: str) -> Mailbox | None:
    try:
        return parse_mailbox(address)
    except AddressError:
        return None


def _from_field(name: str, box: Mailbox | None) -> list[HeaderField]:
    """Return From with a name, as a list of one field; without either, of none."""
    if not name or box is None or has_control(name):
        return []
    return [HeaderField("from", header_field("From", mailboxes([(name, box)])))]


def _completion(
    fields: Iterable[HeaderField], home: Mailbox | None, now: datetime
) -> tuple[str, list[str]]:
    """Return the Message-ID, and the fields to put in front."""
    date = format_datetime(now)
    added = [f"Received: by localhost (SMTP Desk) id {new_token()}; {date}"]
    if not value(fields, "date"):
        added.append(f"Date: {date}")
    message_id = value(fields, "message-id")
    if not message_id:
        domain = home.ascii_domain.strip("[]") if home else "localhost"
        message_id = make_msgid(domain=domain)
        added.append(f"Message-ID: {message_id}")
    found = _MESSAGE_ID.search(message_id)
    return (found[0] if found else message_id), added
