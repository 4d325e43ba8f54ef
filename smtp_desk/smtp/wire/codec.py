"""Message content as it is sent between 354 and the final dot (RFC 5321, 4.5.2)."""

import re
from collections.abc import Iterator
from typing import Final

END: Final = b".\r\n"
"""The end of the content, at the beginning of a line."""

BLOCK: Final = 65536
"""Octets of content that are encoded and written at a time."""

LAST_BLOCK: Final = 12288
"""Octets of content that may stand in the block that ends with the dot."""

_LINE_ENDS: Final = re.compile(rb"\r\n|\r|\n")


class ContentEncoder:
    r"""Converts line ends to CRLF and doubles leading dots, in one pass and constant memory.

    Bare CR and bare LF both become CRLF *before* dots are doubled, so no form of a
    line end (`\n.\n`, `\r.\r\n`…) can put another end of the message on the wire: all
    that `feed` and `finish` return contains CRLF `.` CRLF once, at its very end.
    """

    def __init__(self) -> None:
        self._at_line_start = True
        self._cr_held = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the octets to send for `chunk`, which may end anywhere."""
        if self._cr_held:
            # A CR at the end of the last chunk: whether a LF follows is known only now.
            chunk = b"\r" + chunk
            self._cr_held = False
        if chunk.endswith(b"\r"):
            chunk = chunk[:-1]
            self._cr_held = True
        if not chunk:
            return b""
        if not chunk.count(b"\r") == chunk.count(b"\n") == chunk.count(b"\r\n"):
            chunk = _LINE_ENDS.sub(b"\r\n", chunk)
        stuffed = chunk.replace(b"\r\n.", b"\r\n..")
        if self._at_line_start and stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        self._at_line_start = stuffed.endswith(b"\r\n")
        return stuffed

    def finish(self) -> bytes:
        """Return the last octets: the missing line end, if one is missing, and the dot."""
        unfinished = self._cr_held or not self._at_line_start
        self._cr_held = False
        self._at_line_start = True
        return b"\r\n" + END if unfinished else END


def wire_size(content: bytes) -> int:
    """Return the size in octets of `content` with CRLF line ends (RFC 1870: without dots)."""
    pairs = content.count(b"\r\n")
    bare = content.count(b"\r") + content.count(b"\n") - 2 * pairs
    unfinished = bool(content) and not content.endswith((b"\r", b"\n"))
    return len(content) + bare + 2 * unfinished


def blocks(content: bytes) -> Iterator[bytes]:
    """Return `content` encoded, in blocks; the last contains the dot and is small.

    It fits into one TLS record, so that a broken connection more likely loses an earlier
    block, when it is still certain that the message wasn't accepted.
    """
    encoder = ContentEncoder()
    at = 0
    while len(content) - at > LAST_BLOCK:
        size = min(BLOCK, len(content) - at - LAST_BLOCK // 2)
        yield encoder.feed(content[at : at + size])
        at += size
    yield encoder.feed(content[at:] if at else content) + encoder.finish()
