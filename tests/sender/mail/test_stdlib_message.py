"""Messages that a program built with the standard library."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.sender.mail.addressing import FOREIGN, Identity, addressed
from smtp_desk.sender.mail.stdlib_message import stored_message
from smtp_desk.sender.mail.variables import EmailError
from smtp_desk.sender.outbox.entries import OutboxMessage
from tests.table import each_row

NOW = datetime(2026, 3, 9, 10, 2, tzinfo=UTC)
HOME = "desk@example.org"


def plain(**fields: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {"From": HOME, "To": "ann@example.org", "Subject": "Hi", **fields}.items():
        message[name.replace("_", "-")] = value
    message.set_content("All is well.\n")
    return message


def stored(message: Message) -> OutboxMessage:
    return stored_message(message, from_email=HOME, now=NOW)


def read(message: OutboxMessage) -> EmailMessage:
    text = message.payload.decode().replace("\r\n", "\n")
    parsed = message_from_string(text, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_message_keeps_what_it_says_and_gets_what_it_lacks() -> None:
    message = stored(plain(Reply_To="bo@example.org", List_Unsubscribe="<https://x.example/u/1>"))
    assert (message.kind, message.recipients, message.subject) == (
        FOREIGN,
        ("ann@example.org",),
        "Hi",
    )
    parsed = read(message)
    assert parsed["Message-ID"] == message.message_id
    assert message.message_id.endswith("@example.org>")
    assert parsed["Date"].datetime == NOW
    assert (parsed["From"], parsed["To"]) == (HOME, "ann@example.org")
    assert (parsed["Reply-To"], parsed["List-Unsubscribe"]) == (
        "bo@example.org",
        "<https://x.example/u/1>",
    )
    assert parsed.get_content() == "All is well.\n"


def test_an_envelope_of_its_own_is_to_whom_it_goes_and_its_fields_are_what_is_shown() -> None:
    message = stored_message(
        plain(To="everyone@example.org", Cc="cy@example.org"),
        from_email=HOME,
        now=NOW,
        envelope=["Ann <ann@example.org>", "bo@example.org, änn@example.org"],
    )
    assert message.recipients == ("ann@example.org", "bo@example.org", "änn@example.org")
    assert read(message)["To"] == "everyone@example.org"
    for bad in ([], ["nobody"], ["ann@example.org\nBcc: bo@example.org"]):
        with pytest.raises(EmailError):
            stored_message(plain(), from_email=HOME, now=NOW, envelope=bad)


def test_html_inline_images_and_attachments_arrive_as_they_were() -> None:
    message = plain(Subject="Grüße aus Zürich – 你好")
    message.add_alternative('<p>Grüße</p><img src="cid:logo@x">', subtype="html")
    html = message.get_body(("html",))
    assert html is not None
    html.add_related(b"\x89PNG\x00\xff", "image", "png", cid="<logo@x>")
    message.add_attachment(b"%PDF-1.7\r\n\x00", "application", "pdf", filename="Rechnung für Ö.pdf")
    result = stored(message)
    assert result.payload.isascii()
    parsed = read(result)
    assert parsed["Subject"] == "Grüße aus Zürich – 你好"
    body = parsed.get_body(("html",))
    assert body is not None
    assert "<p>Grüße</p>" in body.get_content()
    (attached,) = parsed.iter_attachments()
    assert attached.get_filename() == "Rechnung für Ö.pdf"
    assert attached.get_content() == b"%PDF-1.7\r\n\x00"
    (image,) = (each for each in parsed.walk() if each.get_content_maintype() == "image")
    assert (image["Content-ID"], image.get_content()) == ("<logo@x>", b"\x89PNG\x00\xff")


def test_the_message_of_the_program_stays_as_it_is() -> None:
    message = plain(Bcc="secret@example.org")
    message.add_alternative("<p>x</p>", subtype="html")
    before = message.items(), message.get_boundary()
    first, second = stored(message), stored(message)
    assert (message.items(), message.get_boundary()) == before
    assert first.message_id != second.message_id
    assert "Message-ID" not in message


def test_bcc_gets_the_message_and_is_not_in_it() -> None:
    message = stored(plain(Cc="Bo <bo@example.org>, ann@EXAMPLE.org", Bcc="eve@example.org"))
    assert message.recipients == ("ann@example.org", "bo@example.org", "eve@example.org")
    assert b"eve@example.org" not in message.payload


def test_a_message_that_is_sent_on_goes_to_its_newest_resent_block() -> None:
    message = message_from_bytes(
        b"Resent-From: bo@example.org\nResent-To: eve@example.org\nFrom: desk@example.org\n"
        b"To: ann@example.org\nSubject: Hi\n\nHello\n",
        policy=policy.default,
    )
    assert stored(message).recipients == ("eve@example.org",)


def test_the_older_classes_and_their_ways_to_say_it() -> None:
    message = MIMEMultipart("alternative")
    message["From"], message["To"] = HOME, "Jörg Müller <ann@example.org>"
    message["Subject"] = "Grüße"
    message.attach(MIMEText("Grüße\n", "plain", "utf-8"))
    message.attach(MIMEText("<p>Grüße</p>", "html", "utf-8"))
    result = stored(message)
    assert result.payload.isascii()
    parsed = read(result)
    assert (parsed["Subject"], result.subject) == ("Grüße", "Grüße")
    assert parsed["To"].addresses[0].display_name == "Jörg Müller"
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Grüße\n"


def test_an_older_header_that_encodes_itself() -> None:
    message = _to("ann@example.org")
    message["Subject"] = Header("Grüße", "iso-8859-1")  # type: ignore[assignment]
    assert stored(message).subject == "Grüße"


@each_row(
    ("written", "address", "shown"),
    [
        ("Jörg <jörg@example.org>", "jörg@example.org", "jörg@example.org"),
        ("ann@bücher.example", "ann@bücher.example", "ann@xn--bcher-kva.example"),
        ('"Müller, Ann" <ann@example.org>', "ann@example.org", "ann@example.org"),
        ('"a, b@evil.example" <ann@example.org>', "ann@example.org", "ann@example.org"),
        ("ä" * 120 + " <ann@example.org>", "ann@example.org", "ann@example.org"),
    ],
)
def test_addresses_that_the_library_writes_wrongly(written: str, address: str, shown: str) -> None:
    """It encodes local parts, which no server reads, and takes quotes from names when it folds."""
    message = EmailMessage(policy=policy.SMTPUTF8)
    message["From"], message["To"], message["Subject"] = HOME, written, "Hi"
    message.set_content("Hello\n")
    result = stored(message)
    assert result.recipients == (address,)
    assert [each.addr_spec for each in read(result)["To"].addresses] == [shown]


def test_from_of_another_domain_is_replaced_and_gets_the_answers() -> None:
    message = stored(plain(From="Shop <shop@elsewhere.example>"))
    ready = addressed(message, message.recipients, Identity(HOME, "Desk"))
    parsed = message_from_bytes(ready.content, policy=policy.default)
    assert parsed["From"] == "Shop <desk@example.org>"
    assert parsed["Reply-To"] == "Shop <shop@elsewhere.example>"


def _with(name: str, value: str) -> Message:
    message = Message()
    message["From"], message["To"] = HOME, "ann@example.org"
    message.set_payload("Hello\n")
    message[name] = value
    return message


def _encoded(name: str, value: str) -> Message:
    message = plain()
    del message[name]
    message[name] = value
    return message


def _to(written: str) -> Message:
    message = Message()
    message["From"], message["To"] = HOME, written
    return message


def _parsed(field: bytes) -> Message:
    return message_from_bytes(field + b"\n\nHello\n", policy=policy.default)


def _deep(value: str) -> Message:
    message = MIMEMultipart()
    message["From"], message["To"] = HOME, "ann@example.org"
    part = MIMEText("x")
    part["X-Part"] = value
    message.attach(part)
    return message


def _named(display_name: str) -> EmailMessage:
    message = plain()
    del message["To"]
    message["To"] = Address(display_name, "ann", "example.org")
    return message


@each_row(
    "message",
    [
        _with("Subject", "Hi\r\nBcc: eve@example.org"),
        _with("Subject", "Hi\nBcc: eve@example.org"),
        _with("Subject", "Hi\rBcc: eve@example.org"),
        _with("Subject", "Hi\r\n\r\n<p>Another body</p>"),
        _with("Subject", "Hi\x00"),
        _with("X-Any\r\nBcc", "eve@example.org"),
        _with("Bcc: eve@example.org\r\nX-Any", "x"),
        _with("X Any", "x"),
        _with("", "x"),
        _with("X-Äny", "x"),
        _encoded("Subject", "=?utf-8?q?Hi=0D=0ABcc:_eve=40example.org?="),
        _encoded("Subject", "=?utf-8?q?Hi=0ABcc:_eve=40example.org?="),
        _parsed(b"To: =?utf-8?q?Ann=0ABcc:_eve=40example.org?= <ann@example.org>"),
        _deep("x\r\n\r\nAnother body"),
        _named("Ann\x00"),
    ],
)
def test_no_value_begins_another_field(message: Message) -> None:
    with pytest.raises(EmailError, match=r"control character|header field|CR or LF|codec"):
        stored(message)


@each_row(
    ("to", "field"),
    [
        ("", "to"),
        ("root", "to"),
        ("ann@", "to"),
        ("ann@example.org, bo@@example.org", "to"),
        ("undisclosed-recipients:;", "to"),
        ("Ann <ann@example.org", "to"),
        ("ann@exa mple.org", "to"),
    ],
)
def test_an_address_that_is_none_sends_nothing_to_the_others_either(to: str, field: str) -> None:
    with pytest.raises(EmailError) as caught:
        stored(_to(to))
    assert caught.value.field == field


def test_no_recipient_at_all() -> None:
    message = EmailMessage()
    message.set_content("Hello")
    with pytest.raises(EmailError, match="There is no recipient"):
        stored(message)


def test_parts_that_the_library_cannot_write() -> None:
    message = _with("Subject", "Hi")
    message.set_payload(["no part"])
    with pytest.raises(EmailError, match="Can’t be written"):
        stored(message)


def test_a_message_without_from_leaves_it_to_the_route() -> None:
    message = plain()
    del message["From"]
    ready = addressed(stored(message), ("ann@example.org",), Identity(HOME, "Desk"))
    assert message_from_bytes(ready.content, policy=policy.default)["From"] == f"Desk <{HOME}>"


def test_long_lines_are_made_shorter() -> None:
    message = plain(Subject="word " * 400, References=" ".join(["<a@example.org>"] * 300))
    message.set_content("x" * 5000, cte="7bit")
    result = stored(message)
    assert max(map(len, result.payload.splitlines())) <= 998
    assert read(result).get_content().rstrip("\n") == "x" * 5000


def test_many_threads_may_send_the_same_message() -> None:
    """Writing it sets its boundaries: those of the header and of the body must be the same."""
    message = plain()
    message.add_alternative("<p>x</p>", subtype="html")
    results: list[OutboxMessage] = []
    threads = [threading.Thread(target=lambda: results.append(stored(message))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(list(read(each).iter_parts())) for each in results] == [2] * 8


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)
_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), max_size=1200)


@given(subject=_TEXT, name=_TEXT, lines=st.lists(_LINE, min_size=1, max_size=4))
def test_whatever_is_said_arrives(subject: str, name: str, lines: list[str]) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = HOME, subject
    message["To"] = Address(name, "ann", "example.org")
    text = "\n".join(lines)
    message.set_content(text)
    result = stored(message)
    assert result.recipients == ("ann@example.org",)
    assert result.payload.isascii()
    assert all(len(line) <= 998 for line in result.payload.split(b"\r\n"))
    parsed = read(result)
    assert [each.addr_spec for each in parsed["To"].addresses] == ["ann@example.org"]
    assert parsed.get_content().rstrip("\n") == text.rstrip("\n")
    assert set(parsed.keys()) <= {
        *("Received", "Date", "Message-ID", "From", "Subject", "To", "MIME-Version"),
        *("Content-Type", "Content-Transfer-Encoding"),
    }
