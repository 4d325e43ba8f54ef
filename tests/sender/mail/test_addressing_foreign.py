"""Messages of other programs: what is kept, and what a route replaces."""

from email import message_from_bytes, policy

import pytest

from smtp_desk.sender.mail.addressing import (
    ENVELOPE_SENDER,
    FOREIGN,
    Addressed,
    Identity,
    addressed,
)
from smtp_desk.sender.outbox.entries import OutboxMessage
from tests.table import each_row

DESK = Identity("desk@bücher.example.com", "Example Network")
OTHER = Identity("platform@example.test", "Example Network", reply_to="desk@example.org")


def sent(
    payload: bytes, identity: Identity = DESK, *, envelope_sender: str = "", to: str = "ann@a.test"
) -> Addressed:
    message = OutboxMessage(
        message_id="<1@a.test>",
        kind=FOREIGN,
        payload=payload,
        recipients=(to,),
        metadata={ENVELOPE_SENDER: envelope_sender} if envelope_sender else {},
    )
    return addressed(message, [to], identity)


KEPT = [
    b"From: bo@xn--bcher-kva.example.com\r\n",
    "From: Bo <bo@bücher.example.com>\n".encode(),
    b"FROM : Bo\n <bo@XN--BCHER-KVA.example.com>\n",
    b'From: "a@other.test" <bo@xn--bcher-kva.example.com>\n',
    b"From: bo@xn--bcher-kva.example.com, ann@xn--bcher-kva.example.com\nSender: c@d.test\n",
]


@each_row("header", KEPT)
def test_a_from_of_our_domain_is_kept_and_all_octets_with_it(header: bytes) -> None:
    payload = b"Received: x\n" + header + b"Subject: \xff8 bit\n\n.\nbody\r\n" + b"x" * 2000
    assert sent(payload).content == payload


@each_row(
    ("header", "sender", "answers"),
    [
        (b"From: bo@other.test", "Example Network", b"bo@other.test"),
        (b"From: Bo <bo@other.test>", "Bo", b"Bo <bo@other.test>"),
        (b"From: bo@other.test (Bo)", "Bo", b"Bo <bo@other.test>"),
        (
            b"From: =?iso-8859-1?q?B=F6?= <bo@other.test>",
            "Bö",
            b"=?utf-8?b?QsO2?= <bo@other.test>",
        ),
        (b"From: B\xf6 <bo@other.test>", "Bö", b"=?utf-8?b?QsO2?= <bo@other.test>"),
        (
            b"From: Bo <bo@other.test>, ann@other.test",
            "Example Network",
            b"Bo <bo@other.test>, ann@other.test",
        ),
        # One that is not of our domain among those that are.
        (
            b"From: a@xn--bcher-kva.example.com, b@other.test",
            "Example Network",
            b"a@xn--bcher-kva.example.com, b@other.test",
        ),
        # Two From fields: no server shows both.
        (
            b"From: a@xn--bcher-kva.example.com\r\nFrom: b@other.test",
            "Example Network",
            b"a@xn--bcher-kva.example.com, b@other.test",
        ),
        (b"From: =?utf-8?b?YQ0KWDogeQ==?= <bo@other.test>", "Example Network", b"bo@other.test"),
        (b"From: =?none?q?a?= <bo@other.test>", "Example Network", b"bo@other.test"),
        (b"From: root", "Example Network", b""),
        (b"From: undisclosed:;", "Example Network", b""),
        (b"From: <<>>", "Example Network", b""),
        (b"From:", "Example Network", b""),
        (b"X-Other: y", "Example Network", b""),
    ],
)
def test_any_other_from_becomes_ours_and_answers_reach_its_author(
    header: bytes, sender: str, answers: bytes
) -> None:
    result = sent(b"Received: x\r\n" + header + b"\r\nSubject: s\r\n\r\nbody\r\n")
    message = message_from_bytes(result.content, policy=policy.default)
    (address,) = message["From"].addresses
    assert address.addr_spec == "desk@xn--bcher-kva.example.com"
    assert address.display_name == sender
    lines = result.content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    replies = [line for line in lines if line.startswith(b"Reply-To:")]
    assert replies == ([b"Reply-To: " + answers] if answers else [])
    assert message.get_all("From") == [message["From"]]
    assert "X" not in message
    assert result.content.startswith(b"Received: x\r\n")
    assert result.content.endswith(b"\r\n\r\nbody\r\n")


def test_an_answer_that_is_asked_for_stays() -> None:
    payload = b"From: bo@other.test\nReply-To: ann@other.test\nSender: x@other.test\n\nb\n"
    header = sent(payload).content.partition(b"\n\n")[0]
    assert b"Reply-To: ann@other.test" in header
    assert header.count(b"Reply-To") == 1
    assert b"Sender" not in header


def test_without_an_author_answers_go_to_the_identity() -> None:
    assert b"Reply-To: desk@example.org\r\n" in sent(b"Subject: s\n\nb\n", OTHER).content
    kept = sent(b"From: bo@example.test\n\nb\n", OTHER)
    assert kept.content == b"From: bo@example.test\n\nb\n"


@pytest.mark.parametrize("name", ["Return-Path", "Bcc", "bcc", "Resent-Bcc"])
def test_what_only_the_last_server_or_nobody_may_see_is_removed(name: str) -> None:
    payload = f"From: bo@example.test\n{name}: x@y.test,\n z@y.test\nTo: a@b.test\n\nbcc: b\n"
    result = sent(payload.encode(), OTHER)
    assert result.content == b"From: bo@example.test\nTo: a@b.test\n\nbcc: b\n"


def test_resent_fields_and_signatures_stay() -> None:
    fields = b"Resent-From: x@y.test\nResent-Sender: x@y.test\nDKIM-Signature: v=1;\n\tb=x\n"
    assert fields in sent(fields + b"From: bo@other.test\n\nb\n").content


@each_row(
    ("asked", "sender"),
    [
        ("", "desk@xn--bcher-kva.example.com"),
        ("<>", ""),
        ("bounces@bücher.example.com", "bounces@xn--bcher-kva.example.com"),
        ("bounces@XN--BCHER-KVA.example.com", "bounces@xn--bcher-kva.example.com"),
        ("bounces@other.test", "desk@xn--bcher-kva.example.com"),
        ("nobody", "desk@xn--bcher-kva.example.com"),
    ],
)
def test_the_envelope_sender_is_one_that_the_server_lets_us_use(asked: str, sender: str) -> None:
    for header in (b"From: bo@other.test\n\n", b"From: bo@xn--bcher-kva.example.com\n\n"):
        assert sent(header, envelope_sender=asked).envelope.sender == sender


def test_a_bare_cr_ends_a_line_here_as_it_does_on_the_wire() -> None:
    result = sent(b"From: bo@example.test\rBcc: x@y.test\rSubject: s\r\rb", OTHER)
    assert result.content == b"From: bo@example.test\rSubject: s\r\rb"


@each_row("payload", [b"", b"\r\n", b"no header\r\n", b" folded\r\n", b"Subject: s"])
def test_a_message_that_is_hardly_one_gets_a_header(payload: bytes) -> None:
    content = sent(payload).content
    header, gap, body = content.partition(b"\r\n\r\n")
    assert b"From: Example Network <desk@xn--bcher-kva.example.com>" in header.split(b"\r\n")
    assert gap
    assert body in (b"", payload)


def test_several_recipients_and_a_local_part_outside_ascii() -> None:
    message = OutboxMessage(
        message_id="<1@a.test>",
        kind=FOREIGN,
        payload="From: bö@example.test\n\nb\n".encode(),
        recipients=("ann@a.test", "bo@bücher.test"),
    )
    result = addressed(message, message.recipients, OTHER)
    assert result.envelope.recipients == ("ann@a.test", "bo@xn--bcher-kva.test")
    assert result.envelope.smtputf8
    assert not sent(b"From: B\xc3\xb6 <bo@example.test>\n\nb\n", OTHER).envelope.needs_smtputf8
