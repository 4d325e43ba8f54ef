"""Replies: codes apart from words, words safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.reply import Reply, decode_text, visible
from tests.table import each_row


def test_the_enhanced_code_is_kept_apart_on_every_line() -> None:
    reply = Reply.from_lines(535, [b"5.7.8 Username and Password", b"5.7.8 not accepted."])
    assert reply == Reply(535, "5.7.8", ("Username and Password", "not accepted."))
    assert reply.text == "Username and Password not accepted."
    assert str(reply) == "535 5.7.8 Username and Password not accepted."


@each_row("text", [b"4.7.8 no", b"5.7 no", b"no 5.7.8", b"5.7.8.9 no", b""])
def test_what_is_no_enhanced_code_stays_in_the_words(text: bytes) -> None:
    reply = Reply.from_lines(535, [text])
    assert reply.enhanced is None
    assert reply.text == text.decode()


def test_a_bare_enhanced_code_has_no_words() -> None:
    assert Reply.from_lines(250, [b"2.0.0"]) == Reply(250, "2.0.0", ("",))
    assert str(Reply.from_lines(250, [])) == "250"


@pytest.mark.parametrize(
    ("code", "positive", "intermediate", "transient"),
    [(250, True, False, False), (354, False, True, False), (451, False, False, True),
     (550, False, False, False)],
)  # fmt: skip
def test_classes(code: int, positive: bool, intermediate: bool, transient: bool) -> None:
    reply = Reply(code, None, ())
    assert (reply.positive, reply.intermediate, reply.transient) == (
        positive,
        intermediate,
        transient,
    )


def test_words_are_utf8_else_latin1() -> None:
    assert decode_text("Grüße".encode()) == "Grüße"
    assert decode_text("Grüße".encode("latin-1")) == "Grüße"


@each_row(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x00b", "a\\x00b"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2028b", "a\\u2028b"),
        ("a\U000e0001b", "a\\U000e0001b"),
        ("plain", "plain"),
        ("日本語 ä", "日本語 ä"),
    ],
)
def test_control_and_bidi_characters_become_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.binary())
def test_any_octets_become_text_without_control_characters(octets: bytes) -> None:
    text = decode_text(octets)
    assert visible(text) == text
    assert "\n" not in text
    Reply.from_lines(550, [octets])
