"""Values of emails: what is refused, in words that tell why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.address import has_control
from smtp_desk.sender.mail.variables import (
    MAX_LINE,
    MAX_LINK,
    check_body,
    check_file_name,
    check_flag,
    check_line,
    check_link,
    check_mailbox,
    check_media_type,
    read_flag,
)
from tests.table import each_row


@each_row("text", ["a\r\nBcc: bo@example.org", "a\nb", "a\rb", "a\x00b", "a\u2028b"])
def test_a_line_has_no_line_break(text: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        check_line(text)


@each_row("text", ["", "  ", "x" * (MAX_LINE + 1), 7, None, b"x"])
def test_a_line_is_text_that_is_neither_empty_nor_endless(text: object) -> None:
    with pytest.raises(ValueError, match=r"empty|up to|Must be text"):
        check_line(text)


@given(st.text())
def test_whatever_a_line_holds_it_stays_one_line(text: str) -> None:
    try:
        line = check_line(text)
    except ValueError:
        return
    assert not has_control(line)
    assert line == text.strip()


def test_a_body_keeps_its_paragraphs_and_has_one_kind_of_line_end() -> None:
    assert check_body("\r\nHello,\r\n\r\n\tann\rbo\n") == "Hello,\n\n\tann\nbo"


@pytest.mark.parametrize("text", ["", " \n ", "a\x00b", "a\x1bb"])
def test_a_body_has_something_to_say_and_no_control_characters(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty|control character"):
        check_body(text)


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org",
        "http://example.org:8080/a?b=c&d=%20#e",
        "https://bücher.example.org/ü",
        "https://[2001:db8::1]/",
    ],
)
def test_a_link_leads_to_a_page(link: str) -> None:
    assert check_link(f" {link} ") == link


@each_row(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.org",
        "//example.org",
        "example.org",
        "https://",
        "https:///path",
        "https://example.org:port/",
        "https://example.org:70000/",
        "https://[example.org/",
        "https://example.org/a b",
        'https://example.org/"onclick=',
        "https://example.org/<b>",
        "https://example.org/\r\nBcc: bo@example.org",
        "https://example.com@example.org/",
        f"https://example.org/{'x' * MAX_LINK}",
        "",
    ],
)
def test_anything_else_is_no_link(link: str) -> None:
    with pytest.raises(ValueError, match=r"[Ll]ink|up to"):
        check_link(link)


def test_a_mailbox_is_one_address_without_a_name() -> None:
    assert check_mailbox(" bo@example.org ") == "bo@example.org"
    with pytest.raises(ValueError, match="only one address"):
        check_mailbox("ann@example.org, bo@example.org")
    with pytest.raises(ValueError, match=r"name@example\.com"):
        check_mailbox("ann")


@each_row(
    ("text", "value"), [("yes", True), (" True ", True), ("1", True), ("no", False), ("0", False)]
)
def test_yes_and_no_may_be_typed(text: str, value: object) -> None:
    assert check_flag(read_flag(text)) is value


@pytest.mark.parametrize("value", ["perhaps", "", 1, None])
def test_what_only_resembles_yes_or_no_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="yes or no"):
        check_flag(read_flag(value) if isinstance(value, str) else value)


@each_row("name", ["../a.pdf", "/etc/passwd", "a\\b", "..", "", "a\nb"])
def test_a_file_name_has_no_folder(name: str) -> None:
    with pytest.raises(ValueError, match=r"folder|empty|line break"):
        check_file_name(name)


@each_row(
    "media_type", ["pdf", "a/b/c", "text/plain; charset=x", "message/rfc822", "multipart/mixed", ""]
)
def test_a_media_type_is_that_of_one_file(media_type: str) -> None:
    with pytest.raises(ValueError, match="media type"):
        check_media_type(media_type)


def test_a_media_type_is_kept_in_lower_case() -> None:
    assert check_media_type("Application/PDF") == "application/pdf"
