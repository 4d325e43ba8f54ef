from __future__ import annotations

import itertools
import re

import hypothesis
import hypothesis.strategies as st

from smtp_desk.smtp.wire.codec import BLOCK, LAST_BLOCK, ContentEncoder, blocks, wire_size
from tests.table import each_row

SMUGGLERS = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"\0", b"MAIL FROM:<x@y>"]),
    max_size=40,
).map(b"".join)


def encoded(content: bytes, cuts: list[int]) -> bytes:
    encoder = ContentEncoder()
    places = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    pieces = [content[start:end] for start, end in itertools.pairwise(places)]
    return b"".join(encoder.feed(piece) for piece in pieces) + encoder.finish()


def received(wire: bytes) -> bytes:
    """What a server makes of it (RFC 5321, 4.5.2): the lines before the dot, unstuffed."""
    lines = wire.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


def normalised(content: bytes) -> bytes:
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    return text if not text or text.endswith(b"\r\n") else text + b"\r\n"


@each_row(
    ("content", "wire"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\rb\r", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\r\n.\r\n", b"a\r\n\r\n..\r\n.\r\n"),
        (b"\r\n.", b"\r\n..\r\n.\r\n"),
    ],
)
def test_what_stands_on_the_wire(content: bytes, wire: bytes) -> None:
    assert b"".join(blocks(content)) == wire


@hypothesis.given(SMUGGLERS, st.lists(st.integers(0, 200), max_size=6))
def test_no_content_in_any_pieces_ends_twice(content: bytes, cuts: list[int]) -> None:
    wire = encoded(content, cuts)
    # As if DATA's CRLF stood before it, which is where a server begins to look.
    assert (b"\r\n" + wire).count(b"\r\n.\r\n") == 1
    assert wire.count(b"\r") == wire.count(b"\n") == wire.count(b"\r\n")
    assert received(wire) == normalised(content)
    assert wire == encoded(content, [])


@hypothesis.given(SMUGGLERS)
def test_the_announced_size_is_that_of_the_message(content: bytes) -> None:
    assert wire_size(content) == len(normalised(content))


@each_row("size", [0, 1, LAST_BLOCK, LAST_BLOCK + 1, BLOCK, 3 * BLOCK + 5, 300_000])
def test_blocks_are_bounded_and_the_last_one_is_small(size: int) -> None:
    content = (b".line of text\r\n" * (size // 15 + 1))[:size]
    written = list(blocks(content))
    assert received(b"".join(written)) == normalised(content)
    assert all(len(block) <= 2 * BLOCK for block in written)
    assert len(written[-1]) <= 2 * LAST_BLOCK
    assert (len(written) == 1) == (size <= LAST_BLOCK)
