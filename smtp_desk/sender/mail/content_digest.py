"""Whether two emails have the same content and recipients, for emails that are submitted twice."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from email.message import Message as StdlibMessage
from typing import Final

from smtp_desk.sender.mail.kinds import Attachment, Email
from smtp_desk.sender.outbox.entries import OutboxMessage

# What is another each time that a program says the same.
_OF_THE_MOMENT: Final = frozenset({"date", "message-id", "mime-version", "received"})


def content_digest(email: Email | StdlibMessage | OutboxMessage) -> str:
    """Return a digest of an email's content and recipients, before it is rendered.

    The date, the Message-ID and the boundaries of its parts are left out.
    """
    digest = hashlib.sha256()
    for each in _said(email):
        octets = each if isinstance(each, bytes) else str(each).encode("utf-8", "backslashreplace")
        digest.update(b"%d:" % len(octets))
        digest.update(octets)
    return digest.hexdigest()


def _said(email: Email | StdlibMessage | OutboxMessage) -> Iterable[object]:
    if isinstance(email, Email):
        return _said_by_kind(email)
    if isinstance(email, StdlibMessage):
        return _said_by_parts(email)
    return (email.kind, *email.recipients, "", email.payload)


def _said_by_kind(email: Email) -> Iterator[object]:
    yield email.kind
    for given in fields(email):
        yield given.name
        value = getattr(email, given.name)
        if given.name == "to":
            value = tuple(sorted(value))  # whoever is named first
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Attachment):
                yield from (each.name, each.media_type, each.content)
            else:
                yield repr(each)


def _said_by_parts(message: StdlibMessage) -> Iterator[object]:
    for name, value in message.items():
        if name.lower() not in _OF_THE_MOMENT and not name.lower().startswith("content-"):
            yield from (name.lower(), value)
    for part in message.walk():
        yield from (part.get_content_type(), part.get_filename(), part.get("Content-ID"))
        if not part.is_multipart():
            yield part.get_payload(decode=True)
