from __future__ import annotations

from smtp_desk.smtp.wire.replies import Extensions
from tests.table import each_row


def offered(*lines: bytes) -> Extensions:
    return Extensions.from_lines([b"mail.example.test greets", *lines])


def test_keywords_are_known_in_any_case_and_the_greeting_is_none() -> None:
    extensions = offered(b"Pipelining", b"X-ODD one two", b"", b" ")
    assert "PIPELINING" in extensions
    assert extensions.words["X-ODD"] == ("one", "two")
    assert "MAIL.EXAMPLE.TEST" not in extensions


def test_mechanisms_of_all_spellings_once_and_in_order() -> None:
    extensions = offered(b"AUTH login PLAIN", b"AUTH=PLAIN CRAM-MD5", b"X-AUTH EVIL")
    assert extensions.mechanisms == ("LOGIN", "PLAIN", "CRAM-MD5")


def test_no_auth_no_mechanisms() -> None:
    assert offered(b"SIZE 1").mechanisms == ()


@each_row(
    ("line", "limit"),
    [
        (b"SIZE 1000", 1000),
        (b"SIZE", None),
        (b"SIZE 0", None),
        (b"SIZE many", None),
        (b"SIZE -1", None),
        (b"SIZE \xb2", None),
        (b"SIZE 999999999999999999999", None),
        (b"HELP", None),
    ],
)
def test_the_size_limit(line: bytes, limit: int | None) -> None:
    assert offered(line).max_size == limit
