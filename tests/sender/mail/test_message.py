"""Emails as octets: ASCII, whole, and read by any reader as they were meant."""

import os
import tracemalloc
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.address import AddressError, has_control
from smtp_desk.sender.mail.headers import HeaderError
from smtp_desk.sender.mail.kinds import Attachment, Message, Notification
from smtp_desk.sender.mail.message import compose_test, composed, new_message_id, outbox_message
from smtp_desk.sender.mail.templates import Rendered
from tests.table import each_row

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ID = "<1@example.org>"
BODIES = st.text().filter(lambda text: not has_control(text.replace("\n", "").replace("\t", "")))


def read(octets: bytes) -> EmailMessage:
    message = message_from_bytes(octets, policy=policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects
    return message


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


@given(st.text().filter(lambda text: not has_control(text)), BODIES, BODIES)
def test_what_is_composed_is_read_back(subject: str, text: str, html: str) -> None:
    octets = composed(Rendered(subject, f"{text}\n", f"{html}\n"), message_id=ID, now=NOW)
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    message = read(octets)
    assert body(message, "plain") == f"{text}\n"
    assert body(message, "html") == f"{html}\n"
    assert message.keys() == [
        "Date",
        "Message-ID",
        "Subject",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]


def test_the_header_says_when_and_that_a_program_wrote_it() -> None:
    message = read(composed(Rendered("s", "t\n", "<p>t</p>\n"), message_id=ID, now=NOW))
    assert message["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert message["Message-ID"] == ID
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"


@each_row("evil", ["a\r\nBcc: bo@example.org", "a\nb", "a\x00b", "a\rb", "a\u2028b"])
def test_no_header_can_be_injected(evil: str) -> None:
    with pytest.raises(HeaderError):
        composed(Rendered(evil, "t", "h"), message_id=ID, now=NOW)
    with pytest.raises(HeaderError):
        composed(Rendered("s", "t", "h"), message_id=f"<{evil}@example.org>", now=NOW)


def test_lines_that_mail_systems_change_are_encoded() -> None:
    for text in ("From Ann\n", "-- \nAnn\n", ".\n", f"{'x' * 79}\n", "ü\n", "\x1b[0m\n"):
        octets = composed(Rendered("s", text, ""), message_id=ID, now=NOW)
        encoded = b"quoted-printable" in octets
        assert encoded or text == ".\n", text  # dots are stuffed on the wire
        assert body(read(octets), "plain") == text
    assert b"7bit" in composed(Rendered("s", "Hello,\n\nAnn\n", ""), message_id=ID, now=NOW)


def test_files_arrive_whole_under_their_names() -> None:
    files = [
        Attachment("terms.pdf", bytes(range(256)) * 10, "application/pdf"),
        Attachment("Übersicht 2026.csv", b"a;b\n", "text/csv"),
        Attachment('a "quoted" name', b""),
    ]
    email = Message(
        to="ann@example.org", subject="s", body="b", audience="affiliates", attachments=files
    )
    rendered = Rendered("s", "t\n", "<p>t</p>\n")
    stored = outbox_message(email, rendered, message_id=ID, now=NOW)
    message = read(stored.payload)
    assert message.get_content_type() == "multipart/mixed"
    assert body(message, "html") == "<p>t</p>\n"
    for part, file in zip(message.iter_attachments(), files, strict=True):
        assert part.get_filename() == file.name
        assert part.get_content_type() == file.media_type
        assert part.get_payload(decode=True) == file.content


def test_a_large_file_takes_a_small_multiple_of_its_size() -> None:
    size = 20_000_000
    file = Attachment("video.bin", os.urandom(size))
    rendered = Rendered("s", "t\n", "")
    tracemalloc.start()
    try:
        octets = composed(rendered, message_id=ID, now=NOW, attachments=[file])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(octets) > size * 4 // 3
    assert peak < 2 * size


def test_what_is_stored_tells_lists_what_it_is() -> None:
    email = Notification(to=["ann@example.org", "bo@example.org"], title="t", body="b")
    stored = outbox_message(email, Rendered("s", "t\n", "h\n"), message_id=ID, now=NOW)
    assert stored.message_id == ID
    assert stored.kind == "notification"
    assert stored.recipients == ("ann@example.org", "bo@example.org")
    assert stored.subject == "s"
    names = set(read(stored.payload).keys())
    assert not names & {"From", "To", "Reply-To", "Bcc", "Cc"}


def test_message_ids_are_unique_and_below_the_senders_domain() -> None:
    assert new_message_id("desk@bücher.example.com").endswith("@xn--bcher-kva.example.com>")
    assert new_message_id("desk@[192.0.2.1]").endswith("@[192.0.2.1]>")
    assert new_message_id("a@example.org") != new_message_id("a@example.org")


def the_test_email(
    *, sender: str = "desk@example.test", name: str = "", recipient: str = "ann@example.org"
) -> bytes:
    return compose_test(
        host="mail.example.test",
        port=587,
        sender=sender,
        sender_name=name,
        recipient=recipient,
        now=NOW,
    )


def test_the_test_email_names_its_server_and_has_one_recipient() -> None:
    octets = the_test_email(name="Bücher & Co")
    message = read(octets)
    assert message["From"] == "Bücher & Co <desk@example.test>"
    assert message["To"] == "ann@example.org"
    assert message["Message-ID"].endswith("@example.test>")
    assert "mail.example.test, port 587" in message.get_content()
    assert octets.isascii()


@each_row("evil", ["a\r\nBcc: bo@example.org", "a\nb", "a\x00b", "a\rb", "a\u2028b"])
@each_row("field", ["sender", "name", "recipient"])
def test_no_header_can_be_injected_into_the_test_email(field: str, evil: str) -> None:
    with pytest.raises((HeaderError, AddressError)):
        the_test_email(**{field: evil})


def test_an_international_domain_is_written_in_ascii() -> None:
    octets = the_test_email(sender="desk@bücher.example.com", recipient="ann@bücher.example.com")
    assert b"From: desk@xn--bcher-kva.example.com\r\n" in octets
    assert b"To: ann@xn--bcher-kva.example.com\r\n" in octets
    assert octets.partition(b"\r\n\r\n")[0].isascii()


def test_an_international_mailbox_is_written_in_utf8() -> None:
    octets = the_test_email(sender="bücher@example.com")
    assert "From: bücher@example.com\r\n".encode() in octets


def test_an_address_literal_and_a_quoted_local_part_survive() -> None:
    octets = the_test_email(sender="desk@[192.0.2.1]", recipient='"a b"@example.com')
    assert b'To: "a b"@example.com' in octets
    assert b"From: desk@[192.0.2.1]" in octets
