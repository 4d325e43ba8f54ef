"""What a person sees of a mail, however broken it is."""

import email
from email.message import EmailMessage, Message
from typing import Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.sandbox.mail_view import VIEW_LIMIT, MailView, read_mail
from tests.table import each_row


def test_a_mail_of_several_parts() -> None:
    message = EmailMessage()
    message["From"] = "Bö <bo@example.org>"
    message["To"] = "ann@example.org"
    message["Subject"] = "Grüße aus Köln, " + "sehr " * 30
    message.set_content("Hallo Ann – 你好\n")
    message.add_alternative("<p>Hallo <a href='https://x.test'>Ann</a></p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    message.add_attachment("a,b\n", subtype="csv")
    inner = EmailMessage()
    inner["Subject"] = "inside"
    inner.set_content("inner text")
    message.add_attachment(inner)
    view = read_mail(message.as_bytes())
    assert [name for name, _ in view.headers][:3] == ["From", "To", "Subject"]
    assert view.sender == "Bö <bo@example.org>"
    assert view.subject == "Grüße aus Köln, " + "sehr " * 30
    assert view.text.strip() == "Hallo Ann – 你好"
    assert view.html.strip() == "<p>Hallo <u>Ann</u> &lt;https://x.test&gt;</p>"
    assert view.attachments == ("Übersicht.pdf", "text/csv", "message/rfc822")


@each_row(
    ("raw", "subject"),
    [
        ("Subject: plain\r\n\r\n", "plain"),
        ("SUBJECT: =?utf-8?q?caf=C3=A9?=\r\n\r\n", "café"),
        ("Subject: two\r\n words\r\n\tfolded\r\n\r\n", "two words folded"),
        ("Subject: raw 你好\r\n\r\n", "raw 你好"),
        ("Subject: =?no-such-charset?q?a?=\r\n\r\n", "=?no-such-charset?q?a?="),
        ("Subject: =?utf-8?b?a?=\r\n\r\n", "=?utf-8?b?a?="),
        ("Subject: =?ascii?q?=FF?=\r\n\r\n", "=?ascii?q?=FF?="),
        ("Subject: a\x07b\u202ec\r\n\r\n", r"a\x07b\u202ec"),
        ("Subject: =?utf-8?q?a=0D=0ABcc:_x?=\r\n\r\n", r"a\x0d\x0aBcc: x"),
        ("Subject: first\r\nSubject: second\r\n\r\n", "first"),
        ("X-Other: x\r\n\r\n", ""),
        ("", ""),
    ],
)
def test_subjects(raw: str, subject: str) -> None:
    assert read_mail(raw.encode()).subject == subject


def test_octets_that_are_no_utf_8_are_marked() -> None:
    assert read_mail(b"From: \xff\xfe\r\n\r\n").sender == "\ufffd\ufffd"


@each_row(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ("text/plain", "café".encode(), "café"),
        ("text/plain; charset=no-such", "café".encode(), "café"),
        ("text/plain; charset=rot13", b"abc", "abc"),
        ("text/plain; charset=us-ascii", b"\xe9", "\ufffd"),
        ("text/plain; charset=undefined", b"abc", "abc"),
        ("text/plain; charset=unicode-escape", rb"\ud800", "?"),
        ("nonsense", b"abc", "abc"),
        ("multipart/mixed", b"no boundary", ""),
        ("multipart/mixed; boundary=x", b"no part", ""),
    ],
)
def test_charsets(content_type: str, body: bytes, text: str) -> None:
    assert read_mail(f"Content-Type: {content_type}\r\n\r\n".encode() + body).text == text


def test_broken_base64_is_no_reason_to_stop() -> None:
    raw = b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8\xff*\r\n"
    assert read_mail(raw).text.startswith("hello")


def test_a_text_that_is_attached_is_no_body() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Disposition: attachment\r\n\r\nattached\r\n"
        b"--x\r\nContent-Type: text/html; name=a.html\r\n\r\n<p>attached\r\n"
        b"--x\r\n\r\nbody\r\n"
        b"--x\r\n\r\nfooter\r\n--x--\r\n"
    )
    view = read_mail(raw)
    assert view.text == "body"
    assert view.html == ""
    assert view.attachments == ("text/plain", "a.html", "text/plain")


def test_bodies_are_shown_up_to_a_limit() -> None:
    assert len(read_mail(b"\r\n" + b"x" * (VIEW_LIMIT + 1)).text) == VIEW_LIMIT
    html = b"Content-Type: text/html\r\n\r\n" + b"x" * (VIEW_LIMIT + 1)
    assert len(read_mail(html).html) == VIEW_LIMIT


def test_nesting_without_end_is_shown_as_it_came() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (level, level)
        for level in range(1500)
    )
    assert read_mail(deep).text.startswith("Content-Type: multipart/mixed; boundary=0")


def test_a_parser_that_raises_leaves_the_source_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> Never:
        raise IndexError

    monkeypatch.setattr(email, "message_from_bytes", fail)
    assert read_mail(b"Subject: \xff\r\n\r\n") == MailView(text="Subject: \ufffd\r\n\r\n")


def test_a_part_without_content_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Message, "get_payload", lambda *args, **kwargs: None)
    assert read_mail(b"Subject: x\r\n\r\nbody").text == ""


LINES = st.sampled_from([
    b"Content-Type: multipart/mixed; boundary=x", b"Content-Type: text/html; charset=utf-16",
    b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64", b"--x", b"--x--", b"",
    b"Content-Transfer-Encoding: x-uuencode", b"begin 666 a", b"Content-Type: message/partial",
    b"Content-Disposition: attachment; filename*=utf-8''%ff", b"Subject: =?utf-8?b?/w==?=",
    b"Content-Disposition: inline; filename*0*=x; filename*1=", b"\tfolded", b"From: \xff <a@b>",
    b"Content-Type: ;;;charset*=''", b"<p>a</p>", b"Content-Type: message/delivery-status",
    b"Content-Type: text/plain; charset=idna", b"Content-Type: text/plain; charset=\x00",
])  # fmt: skip


@given(st.lists(LINES | st.binary(max_size=12), max_size=25).map(b"\r\n".join))
def test_no_mail_is_too_broken_to_be_shown(raw: bytes) -> None:
    view = read_mail(raw)
    shown = (view.subject, view.sender, view.text, view.html, *view.attachments)
    for text in (*shown, *(text for header in view.headers for text in header)):
        text.encode("utf-8")
