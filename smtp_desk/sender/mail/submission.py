"""A message of another program, as sendmail accepts it: read, completed, and made well-formed.

Only what must change is changed; all other octets stay the same.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Final

from smtp_desk.core.address import AddressError, Mailbox, has_control, parse_mailbox
from smtp_desk.core.reply import visible
from smtp_desk.core.texts import PROBLEMS
from smtp_desk.sender.mail.address_list import AddressListError, addresses
from smtp_desk.sender.mail.addressing import ENVELOPE_SENDER, FOREIGN, NULL_SENDER
from smtp_desk.sender.mail.aliases import Aliases, AliasLoopError
from smtp_desk.sender.mail.header_block import (
    HeaderBlock,
    HeaderField,
    decoded,
    first_text,
    line_end,
)
from smtp_desk.sender.mail.headers import field as header_field
from smtp_desk.sender.mail.headers import mailboxes
from smtp_desk.sender.mail.wellformed import tidy_lines, wellformed_body, wellformed_fields
from smtp_desk.sender.outbox.entries import OutboxMessage, new_token
from smtp_desk.sender.outbox.outbox import MEBIBYTE, OutboxLimits

__all__ = [
    "FOREIGN",
    "MOST_HEADER_OCTETS",
    "MOST_RECEIVED",
    "ForeignMessageError",
    "Submission",
    "Submitted",
    "addressed_fields",
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
    """The message can't be sent as it is; the error's text tells a person why."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a program passes together with its message.

    Attributes:
        recipients: The recipients; each may be a list.
        from_header: Whether To, Cc and Bcc name further recipients.
        envelope_sender: An address, `NULL_SENDER`, or "" if it isn't given.
        full_name: The display name for a From that has none.
        home: The configured From email, or None. Its domain completes an address of this
            machine, such as `root`.
        aliases: Who receives the mail for names of this machine, and which names these are.
    """

    recipients: Sequence[str] = ()
    from_header: bool = False
    envelope_sender: str = ""
    full_name: str = ""
    home: Mailbox | None = None
    aliases: Aliases = field(default_factory=Aliases)

    def complete(self, address: str) -> str:
        """Return an address of this machine with the configured domain, others unchanged."""
        name = self.aliases.local_name(address)
        return f"{name}@{self.home.domain}" if name and self.home else address

    def mailbox(self, address: str, where: str) -> Mailbox:
        """Return a completed recipient, validated.

        Raises:
            ForeignMessageError: Nothing can be sent to it.
        """
        whole = self.complete(address)
        if address and "@" not in whole and not address.startswith("=?"):
            raise ForeignMessageError(
                f"“{visible(address)}” in {where} has no domain, and no From email is configured "
                "whose domain could be meant."
            )
        try:
            return parse_mailbox(whole)
        except AddressError as error:
            why = PROBLEMS[error.code].format_map(error.params)
            text = f"“{visible(address)}” in {where} isn’t an address. {why}"
            raise ForeignMessageError(text) from error


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message that can be stored.

    Attributes:
        message: The message to store in the outbox.
        remarks: What was omitted from it, such as recipients or octets, one sentence each.
    """

    message: OutboxMessage
    remarks: tuple[str, ...] = ()


def read_foreign(
    octets: bytes,
    submission: Submission,
    *,
    now: datetime,
    most_octets: int = OutboxLimits().message_octets,
) -> Submitted:
    """Read a message of another program and return what the outbox stores.

    A leading mbox line (`From `), Bcc, Resent-Bcc and NULs are removed. A Received field that
    doesn't name this machine is added at the top (RFC 5321, 4.4), so that loops are noticed;
    Date and Message-ID are added if they are missing (RFC 5322, 3.6). A message without a header
    is all body. Line ends may be LF, CRLF or CR. `wellformed` does the rest.

    Invalid recipients are omitted and reported in the remarks, unless there is no other.

    Args:
        octets: The message.
        submission: What the program passed together with it.
        now: The time, with a time zone.
        most_octets: The largest message.

    Raises:
        ForeignMessageError: The message can't be sent as it is.
    """
    remarks: list[str] = []
    octets = tidy_lines(_sound(octets, submission, most_octets, remarks))
    block = HeaderBlock.read(octets)
    if block.body_at > MOST_HEADER_OCTETS:
        raise ForeignMessageError(f"The header has more than {MOST_HEADER_OCTETS} octets.")
    fields = block.fields
    if sum(each.name == "received" for each in fields) > MOST_RECEIVED:
        raise ForeignMessageError(
            f"The message has more than {MOST_RECEIVED} Received fields: it goes in circles."
        )
    recipients = _recipients(fields, submission, remarks)
    added_end = line_end(octets) or b"\n"
    kept = _named([each for each in fields if _is_kept(each)], submission)
    kept = wellformed_fields(kept, submission.complete)
    kept, body = wellformed_body(kept, octets[block.body_at :])
    message_id, added = _completion(kept, submission.home, now)
    header = [*(line.encode() + added_end for line in added), *(each.octets for each in kept)]
    header.append(block.empty_line or added_end)
    if any(map(_BARE_CR.search, header)):  # a LF that comes to stand behind it would join it
        header = [_LINE_END.sub(b"\r\n", part) for part in header]
    said = submission.envelope_sender
    message = OutboxMessage(
        message_id=message_id,
        kind=FOREIGN,
        payload=b"".join((*header, body)),
        recipients=recipients,
        subject=decoded(first_text(kept, "subject")),
        metadata={ENVELOPE_SENDER: said} if said else {},
    )
    return Submitted(message, tuple(remarks))


def envelope_sender(text: str) -> str:
    """Return a program's envelope sender in the form that `Submission` needs.

    A name without a domain counts as not given: no server lets a local login name send.

    Raises:
        AddressError: It isn't an address.
        AddressListError: It isn't an address, and can't be read at all.
    """
    found = addresses(text) or [""]
    if found == [""]:
        return NULL_SENDER
    if len(found) > 1:
        raise AddressError("email.several")
    return parse_mailbox(found[0]).wire if "@" in found[0] else ""


def _sound(octets: bytes, submission: Submission, most_octets: int, remarks: list[str]) -> bytes:
    """Return the message without NULs, which no message may contain (RFC 5322, 4.1)."""
    if len(octets) > most_octets:
        raise ForeignMessageError(f"The message has more than {most_octets} octets.")
    if has_control(submission.full_name):
        raise ForeignMessageError("The full name holds a line break or another control character.")
    nul = octets.find(b"\0")
    if nul < 0:
        return octets
    line = len(_LINE_END.findall(octets, 0, nul)) + 1
    remarks.append(
        f"NULs were removed, the first from line {line} of the message: encode binary content."
    )
    return octets.replace(b"\0", b"")


def _is_kept(each: HeaderField) -> bool:
    return each.name not in _BLIND and (bool(each.text) or each.name not in _REQUIRED)


def _recipients(
    fields: Sequence[HeaderField], submission: Submission, remarks: list[str]
) -> tuple[str, ...]:
    lists = [("the command line", text) for text in submission.recipients]
    if submission.from_header:
        lists += [(each.name.title(), each.text) for each in addressed_fields(fields)]
    found: dict[str, str] = {}
    bad: list[str] = []
    for where, text in lists:
        for address in _listed(text, where, bad):
            try:
                for each in submission.aliases.expand(address):
                    box = submission.mailbox(each, where)
                    found.setdefault(box.wire, box.address)  # once, whichever spelling
            except (ForeignMessageError, AliasLoopError) as error:
                bad.append(str(error))
    if not found:
        raise ForeignMessageError(" ".join(bad) or "The message names no recipient.")
    remarks += bad
    return tuple(found.values())


def _listed(text: str, where: str, bad: list[str]) -> list[str]:
    """Return the addresses of a list; of one that can't be read those between commas that can."""
    try:
        return addresses(text)
    except AddressListError as error:
        bad.append(f"The recipients in {where} can’t all be read: {error}.")
    found: list[str] = []
    for part in text.split(","):
        with contextlib.suppress(AddressListError):
            found += (each for each in addresses(part) if "@" in each)
    return found


def addressed_fields(fields: Iterable[HeaderField]) -> Iterator[HeaderField]:
    """Return the fields that name recipients.

    Where a message is sent on, those of the newest Resent block alone: it stands in front of
    the older ones, each of which began with a field that the newer has, too (RFC 5322, 3.6.6).
    """
    fields = tuple(fields)
    if not any(each.name in _RESENT for each in fields):
        yield from (each for each in fields if each.name in _ADDRESSED)
        return
    seen: set[str] = set()
    for each in fields:
        if each.name.startswith("resent-"):
            if each.name in seen:
                return
            seen.add(each.name)
            if each.name in _RESENT:
                yield each


def _named(fields: list[HeaderField], submission: Submission) -> list[HeaderField]:
    """Return the fields with a From that has an address with a domain, and a name if one is known.

    The configured From email stands for an address of this machine, such as cron's
    `root (Cron Daemon)`; without a name it is left to the route to write From.
    """
    senders = [each for each in fields if each.name == "from"]
    if not senders:
        return [*fields, *_from_field(submission.full_name, submission.home)]
    if len(senders) > 1 or _count(senders[0]) != 1:
        return fields
    name, address = parseaddr(senders[0].text)
    if "@" not in address or submission.aliases.local_name(address):
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


def _count(each: HeaderField) -> int:
    try:
        return len(addresses(each.text))
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
    if not first_text(fields, "date"):
        added.append(f"Date: {date}")
    message_id = first_text(fields, "message-id")
    if not message_id:
        domain = home.ascii_domain.strip("[]") if home else "localhost"
        message_id = make_msgid(domain=domain)
        added.append(f"Message-ID: {message_id}")
    found = _MESSAGE_ID.search(message_id)
    return (found[0] if found else message_id), added
