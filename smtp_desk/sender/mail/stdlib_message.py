"""A message that a program built with the standard library, as the outbox stores it.

It is written anew from the library's parts, because the library's own writer lets a value begin
another field (CVE-2024-6923 and others), and encodes addresses, which it must not (RFC 2047, 5).
"""

import copy
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message as StdlibMessage
from email.policy import EmailPolicy, Policy
from io import BytesIO
from typing import Final

from smtp_desk.core.address import AddressError, has_control, parse_mailbox
from smtp_desk.core.texts import PROBLEMS
from smtp_desk.sender.mail.address_list import AddressListError, addresses
from smtp_desk.sender.mail.aliases import Aliases
from smtp_desk.sender.mail.header_block import HeaderBlock, HeaderField
from smtp_desk.sender.mail.submission import (
    ForeignMessageError,
    Submission,
    addressed_fields,
    read_foreign,
)
from smtp_desk.sender.mail.variables import EmailError
from smtp_desk.sender.outbox.entries import OutboxMessage

_FOLDED: Final = re.compile(r"(?:\r\n|\r|\n)?[ \t]")
_BODY: Final = "content-"

_log: Final = logging.getLogger(__name__)


def stored_message(
    message: StdlibMessage,
    *,
    from_email: str,
    now: datetime,
    envelope: Iterable[str] | None = None,
) -> OutboxMessage:
    """Return a message of the standard library as it is stored in the outbox.

    It is sent to the addresses in To, Cc and Bcc (for a message that is resent, in the newest
    Resent block), and Bcc is removed. Date and Message-ID are added if they are missing. The
    message object itself isn't changed.

    Args:
        message: An `EmailMessage`, or one of the older classes.
        from_email: The configured From email, for the Message-ID.
        now: Its date, with a time zone.
        envelope: Recipients to use instead, each an address or a list of addresses.

    Raises:
        EmailError: An address isn't valid, there is no recipient, a field contains a control
            character, or the standard library can't write a part.
    """
    octets = _written(message)
    if envelope is None:
        fields = addressed_fields(HeaderBlock.read(octets).fields)
        named = ((each.name, each.latin) for each in fields)
    else:
        named = (("to", each) for each in envelope)
    recipients = tuple(_recipients(named))
    if not recipients:
        raise EmailError("to", "There is no recipient.")
    submission = Submission(
        recipients, home=parse_mailbox(from_email), aliases=Aliases(hosts=frozenset())
    )
    try:
        # How large it may be is the outbox's matter.
        read = read_foreign(octets, submission, now=now, most_octets=sys.maxsize)
    except ForeignMessageError as error:
        raise EmailError("message", str(error)) from error
    for remark in read.remarks:
        _log.warning("%s", remark)
    return read.message


def _written(message: StdlibMessage) -> bytes:
    """Return the message as octets, its header in UTF-8 where it is not ASCII."""
    out = BytesIO()
    # The library reads what it writes; whatever is wrong with a part, it raises from deep inside.
    try:
        for part in message.walk():
            _check_fields(part)
        whole = copy.deepcopy(message)  # writing it sets boundaries: others may write it, too
        rules = whole.policy.clone(linesep="\r\n", cte_type="7bit", raise_on_defect=False)
        BytesGenerator(out, mangle_from_=False, policy=rules).flatten(whole)
        fields = [
            _field(name, value, rules)
            for name, value in whole.raw_items()
            if not name.lower().startswith(_BODY)
        ]
    except EmailError:
        raise
    except Exception as error:
        raise EmailError("message", f"Can’t be written: {error}.") from error
    block = HeaderBlock.read(out.getvalue())
    fields += [each for each in block.fields if each.name.startswith(_BODY)]
    return b"".join((*(each.octets for each in fields), b"\r\n", out.getvalue()[block.body_at :]))


def _check_fields(part: StdlibMessage) -> None:
    for name, value in part.items():
        if has_control(_FOLDED.sub(" ", str(value))):
            raise EmailError(name.lower(), PROBLEMS["control_character"])


def _field(name: str, value: str | Header, rules: Policy) -> HeaderField:
    """Return a field in UTF-8: an address is never encoded, what else is not ASCII is later."""
    if isinstance(value, Header):
        octets = f"{name}: {value.encode()}".encode()
    elif isinstance(rules, EmailPolicy):
        octets = rules.clone(utf8=True).fold_binary(name, value)
    else:
        octets = f"{name}: {value}".encode("utf-8", "surrogateescape")
    fields = HeaderBlock.read(octets).fields
    if [each.name for each in fields] != [name.lower()]:
        raise EmailError(name.lower(), "Would be another header field.")
    return fields[0]


def _recipients(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Return the addresses of lists, each with the name of its field."""
    for name, text in named:
        try:
            for address in addresses(text):
                yield parse_mailbox(address).address
        except AddressListError as error:
            raise EmailError(name, f"Can’t be read: {error}.") from error
        except AddressError as error:
            raise EmailError(name, PROBLEMS[error.code].format_map(error.params)) from error
