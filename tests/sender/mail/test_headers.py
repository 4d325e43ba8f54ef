"""Header fields: whatever a value holds, it stays in its own field."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.address import has_control, parse_mailbox
from smtp_desk.sender.mail.headers import HeaderError, encoded_text, field, mailboxes, parameter
from tests.table import each_row

ANN = parse_mailbox("ann@example.org")
LINES = st.text(max_size=300).filter(lambda text: not has_control(text))
TRICKS = st.sampled_from(
    [
        "=?utf-8?q?a=0D=0ABcc:_bo@example.org?=",
        "=?utf-8?b?DQpCY2M6IHg=?=",
        'x" <bo@example.org>, "',
        "bo@example.org",
        "a, b; c: d",
        "x" * 2000,
        " leading and trailing ",
        "a   b",
        "(comment)",
        "\\",
        "ü" * 100,
        "𝔘" * 50,
    ]
)


def wire_of(octets: bytes) -> list[bytes]:
    """The field's lines, each checked to be one that any server takes."""
    assert octets.endswith(b"\r\n")
    lines = octets[:-2].split(b"\r\n")
    for line in lines:
        assert b"\r" not in line
        assert b"\n" not in line
        assert len(line) <= 998
        assert line.strip()
    for continuation in lines[1:]:
        assert continuation.startswith(b" ")
    return lines


@given(LINES | TRICKS)
def test_a_subject_arrives_as_it_was_and_brings_nothing_along(text: str) -> None:
    octets = field("Subject", encoded_text(text))
    wire_of(octets)
    assert octets.isascii()
    message = message_from_bytes(octets + b"\r\n", policy=policy.default)
    assert message.keys() == ["Subject"]
    if "=?" not in text and text == text.strip():
        assert message["Subject"] == text


@given(LINES | TRICKS)
def test_a_name_arrives_as_it_was_beside_one_address(name: str) -> None:
    octets = field("From", mailboxes([(name, ANN)]))
    wire_of(octets)
    assert octets.isascii()
    message = message_from_bytes(octets + b"\r\n", policy=policy.default)
    assert message.keys() == ["From"]
    assert octets.count(b"<ann@example.org>") == bool(name)
    if "=?" not in name and name == " ".join(name.split()):
        # Not `message["From"]`: it keeps the spaces between encoded words (RFC 2047, 6.2).
        body = message_from_bytes(octets)["From"].replace("\r\n", "")
        shown, address = parseaddr(body)
        assert address == "ann@example.org"
        assert str(make_header(decode_header(shown))) == name


@given(LINES | TRICKS)
def test_a_file_name_arrives_as_it_was(name: str) -> None:
    octets = field("Content-Disposition", f"attachment; {parameter('filename', name)}")
    wire_of(octets)
    assert octets.isascii()
    message = message_from_bytes(octets + b"\r\n", policy=policy.default)
    assert message.keys() == ["Content-Disposition"]
    # The standard library takes quotes and angle brackets around a value away.
    if name == name.strip() and (name[:1], name[-1:]) not in (("<", ">"), ('"', '"')):
        assert message.get_filename() == name


@each_row("evil", ["a\r\nBcc: b", "a\nb", "a\rb", "\x00", "\x7f", "a\u2028b", "\ud800"])
def test_control_characters_are_refused(evil: str) -> None:
    for make in (
        lambda: field("Subject", evil),
        lambda: encoded_text(evil),
        lambda: mailboxes([(evil, ANN)]),
        lambda: parameter("filename", evil),
    ):
        with pytest.raises(HeaderError):
            make()


def test_plain_text_stays_readable() -> None:
    assert field("Subject", encoded_text("Welcome, Ann")) == b"Subject: Welcome, Ann\r\n"
    assert mailboxes([("Ann Example", ANN), ("Bo & Co.", ANN), ("", ANN)]) == (
        'Ann Example <ann@example.org>, "Bo & Co." <ann@example.org>, ann@example.org'
    )
    assert parameter("filename", 'a "b".pdf') == r'filename="a \"b\".pdf"'


def test_long_fields_are_folded_where_it_can_be_done() -> None:
    lines = wire_of(field("Subject", encoded_text(" ".join(["word"] * 60))))
    assert max(map(len, lines)) <= 76
    lines = wire_of(field("Subject", encoded_text("Grüße " * 60)))
    assert max(map(len, lines)) <= 76


def test_a_domain_is_written_in_ascii_and_a_local_part_as_it_is() -> None:
    box = parse_mailbox("bücher@bücher.example.com")
    assert mailboxes([("", box)]) == "bücher@xn--bcher-kva.example.com"
