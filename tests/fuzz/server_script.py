"""What a hostile server says, as bytes that a fuzzer can change: pieces, repeated or echoing."""

from __future__ import annotations

from typing import Final

NEXT: Final = b"\x1e"
"""Ends a piece: what follows comes with the next read."""
REPEAT: Final = b"\x1d"
"""At the beginning of a piece: the octet behind it tells how often the rest comes."""
ECHO: Final = b"\x1c"
"""Becomes the last line that the client wrote."""
_MOST: Final = 80 * 1024


def pieces(script: bytes) -> list[bytes]:
    """Cut a script into what each read gives."""
    return [_repeated(piece) for piece in script.split(NEXT)]


def _repeated(piece: bytes) -> bytes:
    if not piece.startswith(REPEAT) or len(piece) < len(REPEAT) + 1:
        return piece
    unit = piece[2:]
    return (unit * (16 * piece[1]))[:_MOST]
