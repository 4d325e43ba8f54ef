from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest

from smtp_desk.smtp.wire.replies import MAX_LINE, MAX_REPLY, RawReply, ReplyReader, ViolationError
from tests.fuzz.examples import hostile
from tests.table import each_row


def read(data: bytes) -> RawReply | None:
    reader = ReplyReader()
    reader.feed(data)
    return reader.next_reply()


@each_row(
    ("data", "reply"),
    [
        (b"250 ok\r\n", RawReply(250, (b"ok",))),
        (b"250\r\n", RawReply(250, (b"",))),
        (b"250 \r\n", RawReply(250, (b"",))),
        (b"250-a\r\n250-\r\n250 b\r\n", RawReply(250, (b"a", b"", b"b"))),
        (b"250-a\r\n250\r\n", RawReply(250, (b"a", b""))),
        (b"250 a\rb\r\n", RawReply(250, (b"a\rb",))),
        (b"250 a\n", RawReply(250, (b"a",))),
        (b"250 \xff\x00\r\n", RawReply(250, (b"\xff\x00",))),
        (b"599 odd\r\n", RawReply(599, (b"odd",))),
    ],
)
def test_a_reply(data: bytes, reply: RawReply) -> None:
    assert read(data) == reply


@each_row("data", [b"", b"2", b"250", b"250 ok", b"250 ok\r", b"250-a\r\n"])
def test_not_yet_a_reply(data: bytes) -> None:
    assert read(data) is None


@each_row(
    ("data", "violation"),
    [
        (b"250-a\r\n550 b\r\n", "mixed_codes"),
        (b"250-a\r\n250_b\r\n", "not_a_reply"),
        (b"\r\n", "not_a_reply"),
        (b"ok\r\n", "not_a_reply"),
        (b"25 ok\r\n", "not_a_reply"),
        (b"2500 ok\r\n", "not_a_reply"),
        (b" 250 ok\r\n", "not_a_reply"),
        (b"150 ok\r\n", "not_a_reply"),
        (b"650 ok\r\n", "not_a_reply"),
        ("٢٥٠ ok\r\n".encode(), "not_a_reply"),
        (b"J\0\0\0\n8.0.36\0", "not_a_reply"),
        (b"250-a\r\nhello\r\n", "not_a_reply"),
    ],
)
def test_a_violation(data: bytes, violation: str) -> None:
    with pytest.raises(ViolationError, match=violation):
        read(data)


def test_the_longest_line_passes_and_one_octet_more_does_not() -> None:
    assert read(b"250 " + b"x" * (MAX_LINE - 6) + b"\r\n") is not None
    with pytest.raises(ViolationError, match="line_too_long"):
        read(b"250 " + b"x" * (MAX_LINE - 5) + b"\r\n")


def test_a_reply_without_end_is_bounded() -> None:
    reader = ReplyReader()
    line = b"250-" + b"x" * 58 + b"\r\n"
    for _ in range(MAX_REPLY // len(line)):
        reader.feed(line)
        assert reader.next_reply() is None
    reader.feed(line)
    with pytest.raises(ViolationError, match="reply_too_long"):
        reader.next_reply()


def test_the_bound_counts_each_reply_for_itself() -> None:
    reader = ReplyReader()
    for _ in range(20):
        reader.feed(b"250 " + b"x" * 8000 + b"\r\n")
        assert reader.next_reply() is not None


def test_what_came_is_kept_for_the_next_reply() -> None:
    reader = ReplyReader()
    reader.feed(b"250 a\r\n354 b\r\n2")
    assert reader.next_reply() == RawReply(250, (b"a",))
    assert reader.next_reply() == RawReply(354, (b"b",))
    assert reader.next_reply() is None
    assert reader.rest == b"2"
    assert not reader.between_replies


@hostile
@hypothesis.given(st.lists(st.binary(max_size=300), max_size=40))
def test_any_bytes_are_read_in_bounds(pieces: list[bytes]) -> None:
    reader = ReplyReader()
    try:
        for piece in pieces:
            reader.feed(piece)
            while (reply := reader.next_reply()) is not None:
                assert 200 <= reply.code <= 599
                assert reply.texts
    except ViolationError as error:
        assert len(error.evidence) <= 512  # noqa: PT017 - not every example breaks the rules
