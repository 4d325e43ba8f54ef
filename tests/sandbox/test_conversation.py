"""Each reply of the sandbox, seen from a raw connection."""

import base64
import ssl
from typing import Final

import pytest

from smtp_desk.sandbox.recipients import SPECIAL_RECIPIENTS
from smtp_desk.sandbox.server import Sandbox
from tests.sandbox.wire import Wire, auth_plain, encoded, eventually, signed_in_wire, tls_wire

SENDER: Final = "MAIL FROM:<bo@example.org>"
RECIPIENT: Final = "RCPT TO:<ann@example.org>"


def transaction(wire: Wire, count: int) -> list[str]:
    return [wire.reply()[:9].strip() for _ in range(count)]


def test_a_whole_mail_in_one_packet(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        wire.send(f"{SENDER}\r\n{RECIPIENT}\r\nRCPT TO:<bo@example.org>\r\nDATA\r\n".encode())
        assert transaction(wire, 3) == ["250 2.1.0", "250 2.1.5", "250 2.1.5"]
        assert wire.reply().startswith("354 ")
        wire.send(
            b"Subject: one\r\n\r\n..dot\r\n.\r\n" + f"{SENDER}\r\n{RECIPIENT}\r\nDATA\r\n".encode()
        )
        assert transaction(wire, 3) == ["250 2.0.0", "250 2.1.0", "250 2.1.5"]
        assert wire.reply().startswith("354 ")
        wire.send(b"Subject: two\r\n\r\n.\r\nQUIT\r\n")
        assert transaction(wire, 1) == ["250 2.0.0"]
        assert wire.reply().startswith("221 ")
        assert wire.ended()
    first, second = sandbox.inbox.mails()
    assert first.raw == b"Subject: one\r\n\r\n.dot\r\n"
    assert first.recipients == ("ann@example.org", "bo@example.org")
    assert (second.subject, second.recipients) == ("two", ("ann@example.org",))


def test_pipelined_commands_in_single_octets(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        for octet in f"{SENDER}\r\n{RECIPIENT}\r\nDATA\r\n".encode():
            wire.send(bytes([octet]))
        assert transaction(wire, 2) == ["250 2.1.0", "250 2.1.5"]
        assert wire.reply().startswith("354 ")


def test_pipelined_data_after_refused_recipients(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        wire.send(f"{SENDER}\r\nRCPT TO:<unknown@x.test>\r\nDATA\r\nRSET\r\n".encode())
        assert transaction(wire, 2) == ["250 2.1.0", "550 5.1.1"]
        assert wire.reply().startswith("503 ")
        assert wire.reply().startswith("250 ")


def test_a_thousand_pipelined_recipients(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    recipients = [f"RCPT TO:<ann{number}@example.org>" for number in range(1000)]
    with signed_in_wire(sandbox, trust) as wire:
        wire.send("\r\n".join([SENDER, *recipients, "DATA", ""]).encode())
        assert transaction(wire, 1001) == ["250 2.1.0"] + ["250 2.1.5"] * 1000
        assert wire.reply().startswith("354 ")
        wire.send(b".\r\n")
        assert wire.reply().startswith("250 ")
    assert len(sandbox.inbox.mails()[0].recipients) == 1000


@pytest.mark.parametrize("special", SPECIAL_RECIPIENTS, ids=lambda special: special.local_part)
def test_special_recipients(sandbox: Sandbox, trust: ssl.SSLContext, special: object) -> None:
    local_part, reply = getattr(special, "local_part", ""), getattr(special, "reply", "")
    with signed_in_wire(sandbox, trust) as wire:
        assert wire.say(SENDER).startswith("250 ")
        assert wire.say(f"RCPT TO:<{local_part}@example.org>") == reply
        assert wire.say(RECIPIENT).startswith("250 ")
        wire.say("DATA")
        assert wire.say("\r\n.").startswith("250 ")
    kept = {f"{local_part}@example.org"} if reply.startswith("2") else set()
    assert set(sandbox.inbox.mails()[0].recipients) == kept | {"ann@example.org"}


def test_slow_keeps_the_client_waiting_and_the_others_not() -> None:
    with Sandbox(slow_seconds=3600.0) as sandbox:
        trust = ssl.create_default_context(cadata=sandbox.ca_pem)
        with signed_in_wire(sandbox, trust) as waiting, signed_in_wire(sandbox, trust) as other:
            waiting.say(SENDER)
            waiting.send(b"RCPT TO:<slow@sandbox.test>\r\n")
            other.say(SENDER)
            assert other.say(RECIPIENT).startswith("250 ")
            waiting.socket.settimeout(0.2)
            with pytest.raises(TimeoutError):
                waiting.reply()
        service = sandbox._running.service
        assert eventually(lambda: not service._connections)


@pytest.mark.parametrize(
    ("commands", "replies"),
    [
        (["MAIL FROM:<>"], ["250 2.1.0"]),
        (["MAIL FROM:<jörg@example.org>"], ["553 5.6.7"]),
        (["MAIL FROM:<jörg@example.org> SMTPUTF8"], ["250 2.1.0"]),
        ([SENDER, "RCPT TO:<jörg@example.org>"], ["250 2.1.0", "553 5.6.7"]),
        ([SENDER + " SMTPUTF8", "RCPT TO:<jörg@example.org>"], ["250 2.1.0", "250 2.1.5"]),
        ([SENDER + " BODY=8BITMIME SIZE=1000"], ["250 2.1.0"]),
        (["MAIL FROM:bad address <"], ["5"]),
        (["mail from:<bo@example.org>", "rcpt to:<ann@example.org>"], ["250 2.1.0", "250 2.1.5"]),
        (["NOOP", "HELP", "VRFY ann@example.org"], ["250 ", "250 ", "252 "]),
        (["NONSENSE"], ["500 "]),
        (["AUTH PLAIN x"], ["503 "]),
    ],
)
def test_after_the_login(
    sandbox: Sandbox, trust: ssl.SSLContext, commands: list[str], replies: list[str]
) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        for command, reply in zip(commands, replies, strict=True):
            assert wire.say(command).startswith(reply)


def test_the_null_sender_is_kept_as_nothing(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        for command in ("MAIL FROM:<>", RECIPIENT, "DATA"):
            wire.say(command)
        wire.say(".")
    assert sandbox.inbox.mails()[0].envelope_from == ""


@pytest.mark.parametrize("command", [b"MAIL FROM:<\xff@example.org> SMTPUTF8\r\n", b"\xff\r\n"])
def test_octets_that_are_no_text(sandbox: Sandbox, trust: ssl.SSLContext, command: bytes) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        wire.send(command)
        assert wire.reply()[:3] in {"553", "500"}
        assert wire.say(SENDER).startswith("250 ")


@pytest.mark.parametrize(
    "command",
    ["MAIL FROM:<bo@example.org>", "RCPT TO:<ann@example.org>", "DATA", "VRFY ann", "HELP"],
)
def test_before_the_login(sandbox: Sandbox, trust: ssl.SSLContext, command: str) -> None:
    with tls_wire(sandbox, trust) as wire:
        assert wire.say(command).startswith("530 5.7.0 ")


@pytest.mark.parametrize(
    ("commands", "replies"),
    [
        (["AUTH CRAM-MD5 x"], ["501 5.7.0"]),
        (["AUTH CRAM-MD5", "*"], ["334 ", "501 5.7.0"]),
        (["AUTH CRAM-MD5", "not base64!"], ["334 ", "501 5.5.2"]),
        (["AUTH CRAM-MD5", encoded("no digest")], ["334 ", "535 5.7.8"]),
        (["AUTH LOGIN", "*"], ["334 ", "501 5.7.0"]),
        (["AUTH LOGIN", encoded("bo"), "*"], ["334 ", "334 ", "501 5.7.0"]),
        (["AUTH PLAIN", "*"], ["334 ", "501 5.7.0"]),
        (["AUTH PLAIN ="], ["501 5.5.2"]),
        (["AUTH PLAIN " + auth_plain("", "")], ["535 5.7.8"]),
        (["AUTH PLAIN " + auth_plain("x" * 255, "ß" * 255)], ["535 5.7.8"]),
        (["AUTH PLAIN " + auth_plain("x" * 6000, "")], ["535 5.7.8"]),
        (["AUTH PLAIN", auth_plain("x" * 6000, "")], ["334 ", "535 5.7.8"]),
        (["AUTH PLAIN " + "x" * 12300], ["500 "]),
        (["AUTH XOAUTH2 x"], ["504 5.5.4"]),
    ],
)
def test_logins_that_fail_leave_the_conversation_in_order(
    sandbox: Sandbox, trust: ssl.SSLContext, commands: list[str], replies: list[str]
) -> None:
    with tls_wire(sandbox, trust) as wire:
        for command, reply in zip(commands, replies, strict=True):
            assert wire.say(command).startswith(reply)
        assert wire.say("NOOP").startswith("250 ")
        plain = auth_plain(sandbox.username, sandbox.password.reveal())
        assert wire.say(f"AUTH PLAIN {plain}").startswith("235 ")


def test_an_answer_without_end_is_refused(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with tls_wire(sandbox, trust) as wire:
        assert wire.say("AUTH PLAIN").startswith("334 ")
        assert wire.say("x" * 50_000) == "500 5.5.2 The sandbox does not understand this"


def test_each_cram_md5_challenge_is_new(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    challenges = set()
    for _ in range(3):
        with tls_wire(sandbox, trust) as wire:
            challenge = base64.b64decode(wire.say("AUTH CRAM-MD5")[4:])
            assert challenge.endswith(b"@localhost>")
            challenges.add(challenge)
    assert len(challenges) == 3


@pytest.mark.parametrize("length", [999, 5000, 40_000])
def test_a_line_longer_than_mail_allows(
    sandbox: Sandbox, trust: ssl.SSLContext, length: int
) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        for command in (SENDER, RECIPIENT, "DATA"):
            wire.say(command)
        # RFC 5321, 4.5.3.1.6: 1000 octets with CRLF, and one more for a stuffed dot.
        reply = wire.say("x" * length + "\r\n.")
        assert reply.startswith("250 " if length == 999 else "500 ")
        assert wire.say(SENDER).startswith("250 ")


def test_only_crlf_dot_crlf_ends_a_mail(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        for command in (SENDER, RECIPIENT, "DATA"):
            wire.say(command)
        body = b"a\n.\nMAIL FROM:<x@x.test>\r.\r\n\n.\r\nb\r\n"
        wire.send(body + b".\r\n")
        assert wire.reply().startswith("250 ")
        assert wire.say("NOOP").startswith("250 ")
    assert [mail.raw for mail in sandbox.inbox.mails()] == [body]


def test_limits_are_no_matter_of_what_other_clients_do(
    sandbox: Sandbox, trust: ssl.SSLContext
) -> None:
    # 512 octets of a command (RFC 5321, 4.5.3.1.4), and what SIZE and SMTPUTF8 add to MAIL.
    longest = f"MAIL FROM:<{'x' * 500}@example.org> SIZE=1"
    with signed_in_wire(sandbox, trust) as wire, tls_wire(sandbox, trust) as other:
        other.say("EHLO again.example.org")
        assert 512 < len(longest) < 548
        assert wire.say(longest).startswith("250 ")
