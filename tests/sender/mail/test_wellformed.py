"""Whatever a program hands over, what leaves keeps the rules of RFC 5322, and says the same."""

from __future__ import annotations

import base64
import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage, Message

import hypothesis
from hypothesis import strategies as st

from smtp_desk.core.address import parse_mailbox
from smtp_desk.sender.mail.submission import Submission, read_foreign
from smtp_desk.sender.mail.wellformed import tidy_lines
from tests.table import each_row

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOME = parse_mailbox("desk@example.org")
TO_ANN = Submission(recipients=("ann@example.org",), home=HOME)
ONCE = ["date", "from", "sender", "reply-to", "to", "cc", "message-id", "subject"]
ONCE += ["content-type", "mime-version"]
LONG = "x" * 1500


def payload(octets: bytes) -> bytes:
    return read_foreign(octets, TO_ANN, now=NOW).message.payload


def parsed(octets: bytes) -> EmailMessage:
    found = payload(octets)
    assert max(map(len, re.split(rb"\r\n|\r|\n", found))) <= 998
    header = re.split(rb"\r?\n\r?\n", found)[0]
    assert header.isascii()
    for name in ONCE:
        assert len(email.message_from_bytes(found).get_all(name, [])) <= 1, name
    message = email.message_from_bytes(found, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@each_row("line_end", ["\n", "\r\n"])
@each_row(
    "text",
    [LONG, f"short\n{LONG}\n.\nshort\n", f"grün {LONG} = ende\n", "\n" * 3 + LONG * 40],
)
def test_a_body_with_a_long_line_arrives_whole(text: str, line_end: str) -> None:
    message = parsed(f"Subject: hi\n\n{text}".replace("\n", line_end).encode())
    assert message["Content-Transfer-Encoding"] == "quoted-printable"
    assert message.get_content().replace("\r\n", "\n") == text


def test_what_is_no_utf8_is_latin() -> None:
    message = parsed(b"Subject: hi\n\n\xfc" + LONG.encode())
    assert message.get_content_charset() == "iso-8859-1"
    assert message.get_content() == f"ü{LONG}"


def test_the_longest_line_that_may_stand_is_left() -> None:
    assert payload(b"\n" + b"x" * 998).endswith(b"\n" + b"x" * 998)


def multipart(*parts: str, kind: str = "mixed") -> bytes:
    body = "".join(f"--b=1\n{part}\n" for part in parts)
    header = f'MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary="b=1"\n'
    return f"{header}\npreamble\n{body}--b=1--\nepilogue\n".encode()


def test_only_the_part_with_a_long_line_is_encoded() -> None:
    html = f"Content-Type: text/html; charset=utf-8\n\n<p>grün {LONG}</p>"
    octets = multipart("Content-Type: text/plain\n\nshort\n", html, "\nno header, short")
    message = parsed(octets)
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/plain"]
    assert parts[0].as_bytes() == b"Content-Type: text/plain\n\nshort\n"
    assert parts[1].get_content() == f"<p>grün {LONG}</p>"
    assert parts[2].get_content() == "no header, short"


@each_row(
    "part",
    [
        f"\n{LONG}",
        f"Content-Transfer-Encoding: 8bit\n\ngrün {LONG}",
        f"Content-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn {LONG}",
        f"Content-Type: message/rfc822\n\nSubject: inner\n\n{LONG}",
        f"Content-Type: message/rfc822\n\nSubject: {'word ' * 300}\n\nshort",
        f'Content-Type: text/plain; name="{"ü" * 500}.txt"\n\n{LONG}',
        f"X-Long: {'word ' * 300}\n\n{LONG}",
    ],
)
def test_parts_of_any_kind(part: str) -> None:
    expected = email.message_from_bytes(multipart(part, "\nshort"), policy=email.policy.default)
    message = parsed(multipart(part, "\nshort"))
    for now, before in zip(message.walk(), expected.walk(), strict=True):
        assert now.get_content_type() == before.get_content_type()
        if not now.is_multipart():
            assert now.get_payload(decode=True) == before.get_payload(decode=True)


def test_base64_on_one_line() -> None:
    octets = bytes(range(256)) * 8
    text = base64.b64encode(octets).decode()
    header = "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
    message = parsed(f"{header}\n{text}\n".encode())
    assert message.get_content() == octets


def test_a_long_line_outside_all_parts_is_cut() -> None:
    octets = multipart("\nshort").replace(b"preamble", LONG.encode()).replace(b"epi", LONG.encode())
    assert [part.get_content() for part in parsed(octets).iter_parts()] == ["short"]


@each_row(
    ("header", "name", "expected"),
    [
        ("To: root", "To", "root@example.org"),
        ("CC: root, Bo <bo@x.org>", "Cc", "root@example.org, Bo <bo@x.org>"),
        ("Reply-To: root@localhost (Admin)", "Reply-To", "Admin <root@example.org>"),
        ("Reply-To: a@x.org\nReply-To: b@x.org", "Reply-To", "a@x.org, b@x.org"),
        ("To: a@x.org\nX: y\nTO: b@x.org", "To", "a@x.org, b@x.org"),
        ("Subject: one\nSubject: two", "Subject", "one"),
        ("Content-Type: text/html\nContent-Type: text/plain", "Content-Type", "text/html"),
        ("Subject : blank before", "Subject", "blank before"),
        ("Subject: gr\xfcn", "Subject", "grün"),
        ("X-Note: gr\xfcn", "X-Note", "grün"),
        ("To: J\xf6rg <a@x.org>", "To", "Jörg <a@x.org>"),
        ("From: J\xf6rg <desk@example.org>", "From", "Jörg <desk@example.org>"),
        ("From: a@us.test, b@us.test", "From", "a@us.test"),
        ("From: a@us.test, b@us.test", "Reply-To", "a@us.test, b@us.test"),
        ("From: a@us.test, b@us.test\nReply-To: c@us.test", "Reply-To", "c@us.test"),
        ("From: a@us.test\nFrom: b@us.test", "From", "a@us.test"),
        ("Sender: c@us.test\nFrom: a@us.test, b@us.test", "From", "a@us.test, b@us.test"),
        ("From: cron@localhost (Cron)", "From", "Cron <desk@example.org>"),
        ("From: cron@localhost", "Reply-To", None),
        ("X-Name: a\rBcc: x@example.test", "X-Name", "a Bcc: x@example.test"),
        ("X-Name: a\rBcc: x@example.test", "Bcc", None),
        ("X: a\r\r\n b\r\r\nSubject: hi", "Subject", "hi"),
        ("To: undisclosed-recipients:;", "To", "undisclosed-recipients:;"),
    ],
)
@each_row("codec", ["utf-8", "latin-1"])
def test_fields(header: str, name: str, expected: str | None, codec: str) -> None:
    message = parsed(header.encode(codec) + b"\nDate: Mon, 23 Nov 2026 09:00:00 +0000\n\nbody\n")
    assert message[name] == expected
    assert message.get_content() == "body\n"


@each_row(
    "header",
    [
        "To: " + ", ".join(f"someone-{number}@example.org" for number in range(100)),
        "To: " + ",".join(f"someone-{number}@example.org" for number in range(100)),
        "Subject: " + "word " * 400,
        "Subject: " + "x" * 2000,
        "X-Token: " + "é" * 2000,
        "References: " + " ".join(f"<{number}@example.org>" for number in range(200)),
    ],
    ids=lambda header: header[:12],
)
def test_long_fields_are_folded_and_say_the_same(header: str) -> None:
    name, _, said = header.partition(": ")
    message = parsed(f"{header}\n\nbody\n".encode())
    assert re.sub(r",\s*", ",", str(message[name]).strip()) == re.sub(r",\s*", ",", said.strip())


def test_a_file_name_outside_ascii_is_a_parameter() -> None:
    header = 'Content-Type: text/plain; name="grün.txt"\nContent-Disposition: attachment'
    message = parsed(f'{header}; filename="grün.txt"\nMIME-Version: 1.0\n\nbody\n'.encode())
    assert message.get_filename() == "grün.txt"
    assert isinstance(message, Message)
    assert message.get_param("name") is not None


def test_bare_crs_of_a_body_stay() -> None:
    assert payload(b"A: b\n\none\rtwo\nthree\r").endswith(b"\n\none\rtwo\nthree\r")


@hypothesis.given(st.text("aF:\r\n \t", max_size=60).map(str.encode))
def test_tidying_twice_changes_nothing_more(octets: bytes) -> None:
    once = tidy_lines(octets)
    assert tidy_lines(once) == once
    assert re.sub(rb"[\r\n ]", b"", once) == re.sub(rb"[\r\n ]", b"", octets)


FIELDS = st.sampled_from(
    [
        *(b"From: a@b, c@d", b"From: root", b"To: \xff <a@b>", b"To: a@b", b"To : <", b"Cc: root"),
        *(b"Subject: \xc3\xbc", b"Subject:", b"X: " + b"y" * 1200, b"Date: x", b"Sender: a@b"),
        *(b"Reply-To: ,", b"Content-Type: a", b"Content-Type: multipart/mixed; boundary=z"),
        *(b"Content-Transfer-Encoding: base64", b"MIME-Version: 1.0", b"Message-ID: <\xff@x>"),
        *(b"\xff: y", b"Content-Type: message/rfc822"),
    ]
)
BODIES = st.lists(
    st.sampled_from([b"--z", b"--z--", b"x" * 1200, b"", b"\xff", b"Subject: hi", b"short", b"="]),
    max_size=6,
).map(b"\n".join)


@hypothesis.given(st.lists(FIELDS, max_size=6).map(b"\n".join), BODIES)
def test_any_header_and_body(header: bytes, body: bytes) -> None:
    if b"\xff: y" not in header:
        parsed(header + b"\n\n" + body)
    else:
        payload(header + b"\n\n" + body)
