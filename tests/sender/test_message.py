"""Messages: headers that can't be injected into, in the spelling that the wire takes."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from smtp_desk.core.address import AddressError
from smtp_desk.sender.message import MessageError, compose, compose_test

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_the_test_email_names_its_server_and_has_one_recipient() -> None:
    octets = compose_test(
        host="mail.example.test",
        port=587,
        sender="desk@example.test",
        sender_name="Bücher & Co",
        recipient="ann@example.org",
        now=NOW,
    )
    message = message_from_bytes(octets, policy=policy.default)
    assert message["From"] == "Bücher & Co <desk@example.test>"
    assert message["To"] == "ann@example.org"
    assert message["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert message["Message-ID"].endswith("@example.test>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert "mail.example.test, port 587" in message.get_content()
    assert octets.isascii()
    assert b"\r\n" in octets


def test_two_test_emails_have_two_message_ids() -> None:
    ids = {
        compose(
            sender="a@example.test",
            sender_name="",
            recipient="b@example.test",
            subject="s",
            text="t",
            now=NOW,
        )["Message-ID"]
        for _ in range(2)
    }
    assert len(ids) == 2


@pytest.mark.parametrize("evil", ["a\r\nBcc: bo@example.org", "a\nb", "a\x00b", "a\rb", "a\u2028b"])
@pytest.mark.parametrize("field", ["sender_name", "subject", "sender", "recipient"])
def test_no_header_can_be_injected(field: str, evil: str) -> None:
    values = {"sender": "a@example.test", "sender_name": "A", "recipient": "b@example.test"}
    values |= {"subject": "s", "text": "t", field: evil}
    with pytest.raises((MessageError, AddressError)):
        compose(**values, now=NOW)


def test_an_international_domain_is_written_in_ascii() -> None:
    octets = compose_test(
        host="h",
        port=25,
        sender="desk@bücher.example.com",
        sender_name="",
        recipient="ann@bücher.example.com",
        now=NOW,
    )
    assert b"desk@xn--bcher-kva.example.com" in octets
    assert octets.isascii() is False or b"b\xc3\xbccher" not in octets.partition(b"\r\n\r\n")[0]


def test_an_international_mailbox_is_written_in_utf8() -> None:
    octets = compose_test(
        host="h",
        port=25,
        sender="bücher@example.com",
        sender_name="Bücher",
        recipient="ann@example.com",
        now=NOW,
    )
    assert "From: Bücher <bücher@example.com>".encode() in octets


def test_an_address_literal_and_a_quoted_local_part_survive() -> None:
    octets = compose_test(
        host="h",
        port=25,
        sender="desk@[192.0.2.1]",
        sender_name="",
        recipient='"a b"@example.com',
        now=NOW,
    )
    assert b'To: "a b"@example.com' in octets
    assert b"From: desk@[192.0.2.1]" in octets
