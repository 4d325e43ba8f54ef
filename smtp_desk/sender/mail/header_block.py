"""The header of a message as another program wrote it: its fields, octet by octet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from typing import Final, Self

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One field.

    Attributes:
        name: In lower case.
        octets: The whole field as it was written, with its line ends.
    """

    name: str
    octets: bytes

    @property
    def text(self) -> str:
        """The text after the colon; octets that aren't UTF-8 become surrogates."""
        value = self.octets.partition(b":")[2].decode("utf-8", "surrogateescape")
        return re.sub(r"[\r\n]+", "", value).strip(" \t")

    @property
    def latin(self) -> str:
        """`text`, but as Latin-1 if it isn't UTF-8."""
        octets = self.text.encode("utf-8", "surrogateescape")
        try:
            return octets.decode()
        except UnicodeDecodeError:
            return octets.decode("latin-1")


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields of a message, and where its body begins.

    Lines end where `smtp.codec` ends them, also at a bare CR or LF: what will be sent as a
    field is one here. The first line that isn't a field ends the header, with or without an
    empty line.

    Attributes:
        fields: Its fields, in order.
        empty_line: The line between header and body; empty if there is none.
        body_at: The offset at which the body begins.
    """

    fields: tuple[HeaderField, ...]
    empty_line: bytes
    body_at: int

    @classmethod
    def read(cls, octets: bytes) -> Self:
        """Read the header of a message, skipping a leading mbox line (`From `)."""
        at = _after_line(octets, 0) if octets.startswith(b"From ") else 0
        fields: list[HeaderField] = []
        while match := _FIELD.match(octets, at):
            end = _after_line(octets, at)
            while octets[end : end + 1] in (b" ", b"\t"):
                end = _after_line(octets, end)
            field = octets[at:end]
            if not field.endswith((b"\r", b"\n")):
                field += line_end(octets) or b"\r\n"
            fields.append(HeaderField(match[1].decode("ascii").lower(), field))
            at = end
        empty = _LINE_END.match(octets, at)
        empty_line = empty[0] if empty else b""
        return cls(tuple(fields), empty_line, at + len(empty_line))


def line_end(octets: bytes) -> bytes:
    """Return the line end of a message, for added lines; b"" if it has none."""
    found = _LINE_END.search(octets)
    return found[0] if found else b""


def first_text(fields: Iterable[HeaderField], name: str) -> str:
    """Return the text of the first field with this name, for people; "" if there is none."""
    text = next((field.text for field in fields if field.name == name), "")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decoded(text: str) -> str:
    """Return text for people; unchanged if its encoded words are broken (RFC 2047)."""
    try:
        return str(policy.SMTP.header_factory("Subject", text))
    except (ValueError, IndexError, LookupError):
        return text


def _after_line(octets: bytes, at: int) -> int:
    found = _LINE_END.search(octets, at)
    return found.end() if found else len(octets)
