"""The readable parts of a mail: its headers, its text, its attachments' names."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32

from smtp_desk.core.reply import visible
from smtp_desk.sandbox.safe_html import safe_html

VIEW_LIMIT = 256 * 1024
"""Characters of a body that are shown; the rest of a longer one is in the raw mail only."""

_LINE_BREAKS = re.compile(r"[\r\n]+")


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail decoded for display.

    Attributes:
        headers: Name and decoded value, in the order of the mail.
        subject: The decoded Subject, "" where there is none.
        sender: The decoded From, "" where there is none.
        text: The plain-text body, "" where there is none; at most `VIEW_LIMIT` characters.
        html: The HTML body made safe (see `safe_html`), "" where there is none; of a body
            longer than `VIEW_LIMIT` only the beginning.
        attachments: The names of all other parts, or their types where they have no name.
    """

    headers: tuple[tuple[str, str], ...] = ()
    subject: str = ""
    sender: str = ""
    text: str = ""
    html: str = ""
    attachments: tuple[str, ...] = ()


def read_mail(raw: bytes) -> MailView:
    """Decode `raw`, however broken: what can't be understood is shown as received."""
    try:
        return _read(email.message_from_bytes(raw, policy=compat32))
    except Exception:  # noqa: BLE001 - whatever is broken, it is shown as it came
        return MailView(text=raw[:VIEW_LIMIT].decode("utf-8", "replace"))


def _read(message: Message) -> MailView:
    headers = tuple((visible(name), _decode_value(value)) for name, value in message.raw_items())
    text: str | None = None
    html: str | None = None
    attachments: list[str] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        is_body = part.get_content_disposition() != "attachment" and not part.get_filename()
        if is_body and kind == "text/plain" and text is None:
            text = _decode_body(part)
        elif is_body and kind == "text/html" and html is None:
            html = safe_html(_decode_body(part))
        else:
            attachments.append(_decode_value(part.get_filename(kind)))
    return MailView(
        headers=headers,
        subject=_first(headers, "subject"),
        sender=_first(headers, "from"),
        text=text or "",
        html=html or "",
        attachments=tuple(attachments),
    )


def _leaves(message: Message) -> Iterator[Message]:
    """Yield the parts in order; a mail inside the mail is one part."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting.extend(child for child in payload[::-1] if isinstance(child, Message))
        else:
            yield part


def _first(headers: tuple[tuple[str, str], ...], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")


def _decode_value(value: str) -> str:
    """Decode a header's value: RFC 2047 words, or raw UTF-8 (RFC 6532)."""
    unfolded = _LINE_BREAKS.sub("", value).replace("\t", " ")
    if not unfolded.isascii():
        octets = unfolded.encode("utf-8", "surrogateescape")
        return visible(octets.decode("utf-8", "replace"))
    try:
        return visible(str(make_header(decode_header(unfolded))))
    except (ValueError, LookupError, email.errors.HeaderParseError):
        return visible(unfolded)


def _decode_body(part: Message) -> str:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    try:
        text = octets.decode(part.get_content_charset("utf-8"), "replace")
    except (ValueError, LookupError):
        text = octets.decode("utf-8", "replace")
    # A lone surrogate, which some charsets can produce, is no text for anybody.
    return text[:VIEW_LIMIT].encode("utf-8", "replace").decode("utf-8")
