"""Header fields as octets: no value can begin another field (RFC 5322, 2.2)."""

import base64
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from smtp_desk.core.address import Mailbox, has_control

_LINE: Final = 76
"""Longest line that is folded no further (RFC 2047, 2; RFC 5322, 2.1.1 allows 78)."""

_WORD_OCTETS: Final = 39
"""UTF-8 octets in one encoded word: it stands on one line with the name of its field."""

_LONGEST_TOKEN: Final = 500
"""Characters without a space that are left as they are; lines end at 998 (RFC 5322, 2.1.1)."""

_SEGMENT: Final = 48
"""Characters of a parameter's value in one segment (RFC 2231, 3)."""

_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ENCODED_OCTET: Final = re.compile(r"%[0-9A-F]{2}|.", re.DOTALL)


class HeaderError(ValueError):
    """A value would break the header: it contains a line break or other control character."""


def field(name: str, body: str) -> bytes:
    """Return one field with its CRLF, folded at spaces.

    Args:
        name: The field's name.
        body: What `encoded_text`, `mailboxes` or `parameter` returned, or a fixed text.

    Raises:
        HeaderError: A control character in the body.
    """
    if has_control(body):
        raise HeaderError(f"{name} contains a line break or another control character")
    # A line break may stand before a space that text follows: no line is empty.
    words = re.split(r" (?=[^ ])", body)
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _LINE and lines != [f"{name}:"]:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines).encode() + b"\r\n"


def encoded_text(text: str) -> str:
    """Return unstructured text for a field, as encoded words where needed (RFC 2047).

    Raises:
        HeaderError: A control character.
    """
    _refuse_control(text)
    return text if _plain(text) else _encoded_words(text)


def mailboxes(boxes: Iterable[tuple[str, Mailbox]]) -> str:
    """Return a list of mailboxes, each with its display name or "" (RFC 5322, 3.4).

    The domain is written in ASCII; a local part outside ASCII stays UTF-8 (RFC 6532).

    Raises:
        HeaderError: A control character in a name.
    """
    return ", ".join(f"{_phrase(name)} <{box.wire}>" if name else box.wire for name, box in boxes)


def parameter(name: str, value: str) -> str:
    """Return a parameter of a Content field, in segments if it is long or not ASCII (RFC 2231).

    Raises:
        HeaderError: A control character.
    """
    _refuse_control(value)
    if value.isascii() and len(value) <= _SEGMENT and "=?" not in value:
        return f'{name}="{_escaped(value)}"'
    segments = [""]
    for octet in _ENCODED_OCTET.findall(quote(value, safe="")):
        if len(segments[-1]) + len(octet) > _SEGMENT:
            segments.append("")
        segments[-1] += octet
    segments[0] = f"utf-8''{segments[0]}"
    return "; ".join(f"{name}*{number}*={text}" for number, text in enumerate(segments))


def _phrase(name: str) -> str:
    _refuse_control(name)
    if not _plain(name):
        return _encoded_words(name)
    return name if _PHRASE.fullmatch(name) else f'"{_escaped(name)}"'


def _plain(text: str) -> bool:
    """Whether `text` can stand as it is and is read as it is."""
    return (
        text.isascii()
        and "=?" not in text  # would be taken for an encoded word
        and text == text.strip()
        and all(len(word) <= _LONGEST_TOKEN for word in text.split(" "))
    )


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _encoded_words(text: str) -> str:
    words = [b""]
    for character in text:
        octets = character.encode()
        if len(words[-1]) + len(octets) > _WORD_OCTETS:
            words.append(b"")
        words[-1] += octets
    return " ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)


def _refuse_control(text: str) -> None:
    if has_control(text):
        raise HeaderError("contains a line break or another control character")
